#!/bin/busybox sh
# First program of the guest: the root is a folder in memory with the host's /usr and the project shared into it, read-only.
set -e
bb=/bin/busybox
$bb mkdir -p /proc /sys /dev /root-new
$bb mount -t proc proc /proc
for module in /modules/*.ko; do $bb insmod "$module"; done
$bb mount -t tmpfs -o mode=755 tmpfs /root-new
cd /root-new
$bb mkdir -p proc sys dev run tmp usr opt/stationd/dist opt/stationd/node_modules lab/kernel/lib/modules lab/results lab/node-home var/lib etc
$bb chmod 1777 tmp
for name in bin sbin lib lib64; do $bb ln -s "usr/$name" "$name"; done
$bb cp -a /stage/. .
share() { $bb mount -t 9p -o "trans=virtio,version=9p2000.L,msize=262144,cache=loose,$3" "$1" "$2"; }
share usr usr ro
share dist opt/stationd/dist ro
share modules opt/stationd/node_modules ro
share kernel lab/kernel/lib/modules ro
# Nothing of this may be lost when the guest ends badly.
$bb mount -t 9p -o "trans=virtio,version=9p2000.L,msize=262144,cache=none,rw" results lab/results
if ! [ -x "$($bb cat lab/node)" ] && ! [ -e "/root-new$($bb cat lab/node)" ]; then
  home=$($bb dirname "$($bb dirname "$($bb cat lab/node)")")
  $bb mkdir -p ".$home"
  share node ".$home" ro
fi
$bb umount /proc
exec $bb switch_root /root-new /bin/bash /lab/start.sh
