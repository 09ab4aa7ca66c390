import type { View } from "./doctor-view.js";

/** Packages of the names that the doctor asks for, each with the file that it looks for; nothing else is in them. */
const PACKAGES: Readonly<Record<string, string>> = {
  pcscd: "/usr/sbin/pcscd",
  libccid: "/usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist",
  "libusb-1.0-0": "$libraries/libusb-1.0.so.0",
  "sane-utils": "/usr/bin/scanimage",
  "sane-airscan": "$libraries/sane/libsane-airscan.so.1",
  libsane1: "$libraries/sane/libsane-test.so.1",
  ffmpeg: "/usr/bin/ffmpeg",
  fswebcam: "/usr/bin/fswebcam",
  "systemd-timesyncd": "/usr/lib/systemd/system/systemd-timesyncd.service",
  brltty: "/usr/bin/brltty",
};

/** Makes the view's apt know these packages and no others, none of them installed, which is quick: what it is told to do it does for real, and nothing comes over the network. */
export async function offerPackages(view: View): Promise<void> {
  const lines = Object.entries(PACKAGES).map(([name, file]) => `make ${name} ${file}`);
  const { status, note } = await view.sh(`set -e
libraries=$(ls -d /usr/lib/*-linux-gnu* | head -n 1)
mkdir -p /var/stationd-packages && cd /var/stationd-packages
make() {
  mkdir -p "$1/DEBIAN" "$1/$(dirname "$2")"
  printf '#!/bin/sh\\n' > "$1/$2" && chmod 755 "$1/$2"
  printf 'Package: %s\\nVersion: 99:1\\nArchitecture: all\\nMaintainer: nobody <nobody@example.org>\\nDescription: stands for %s\\n' "$1" "$1" > "$1/DEBIAN/control"
  dpkg-deb -Znone --root-owner-group -b "$1" "$1.deb" > /dev/null
  { cat "$1/DEBIAN/control"; printf 'Filename: ./%s.deb\\nSize: %s\\nSHA256: %s\\n\\n' "$1" "$(stat -c %s "$1.deb")" "$(sha256sum "$1.deb" | cut -d' ' -f1)"; } >> Packages
}
${lines.join("\n")}
rm -rf /etc/apt/sources.list.d/* /var/lib/apt/lists/* /var/lib/dpkg/info/* /var/lib/dpkg/triggers/*
: > /var/lib/dpkg/status
echo 'deb [trusted=yes] file:/var/stationd-packages ./' > /etc/apt/sources.list && apt-get update`);
  if (status !== 0) throw new RangeError(`the packages could not be made: ${note}`);
}
