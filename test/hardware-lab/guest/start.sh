#!/bin/bash
# Runs as the first process of the guest: a small system around the kernel, then the lab's program, then the power off.
export PATH=/usr/sbin:/usr/bin HOME=/tmp LANG=C.UTF-8 DISABLE_SYSTEM_FONTS_LOAD=1
finish() {
  echo "lab: the end" >/dev/console
  sync
  busybox poweroff -f
}
trap finish EXIT
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec >/lab/results/start.log 2>&1
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run

ip link set lo up
echo lab >/proc/sys/kernel/hostname

# Its libraries are many, and read through the share only once.
ffmpeg -version >/dev/null 2>&1 &
systemd-sysusers
systemd-tmpfiles --create 2>/dev/null
/lib/systemd/systemd-udevd --daemon
load() { modprobe -d /lab/kernel "$@"; }
load xhci_pci && load virtio_console && load usbserial && load ftdi_sio && load cdc_acm && load usblp && load usbhid && load hid_generic && load uhid
load dummy_hcd num=10 is_super_speed=0
for part in libcomposite usb_f_printer usb_f_hid usb_f_acm; do load "$part"; done
load vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0x0
mount -t configfs configfs /sys/kernel/config
udevadm trigger
udevadm settle
mapfile -t arguments </lab/arguments
"$(cat /lab/node)" /opt/stationd/dist/test/hardware-lab/guest/main.js "${arguments[@]}" >/lab/results/lab.log 2>&1 &
lab=$!
# A program that the kernel holds cannot be killed: its stack is shown, and the power goes off all the same.
limit=$(cat /lab/limit)
for ((second = 0; second < limit; second++)); do
  kill -0 $lab 2>/dev/null || break
  sleep 1
done
if kill -0 $lab 2>/dev/null; then
  echo "lab: not over after $second s"
  echo w >/proc/sysrq-trigger
else
  wait $lab
  echo "lab: ended with $?"
fi
