#!/bin/sh
# Makes the root file system of a base image from Debian packages, where no image registry can be reached.
#
#   rootfs.sh OUT.tar      as root, with debootstrap; DEBIAN_MIRROR names another mirror than Debian's own
#
# The suite and the packages are pinned here; two runs on the same state of the mirror give the same bytes.
set -eu

suite=bookworm
packages=ca-certificates,git,python3
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

out=${1:?usage: rootfs.sh OUT.tar}
[ "$(id -u)" = 0 ] || { echo "rootfs.sh: debootstrap needs root; run it with sudo" >&2; exit 3; }
command -v debootstrap >/dev/null || { echo "rootfs.sh: debootstrap is missing; apt-get install debootstrap" >&2; exit 3; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
root=$work/root

debootstrap --variant=minbase --include="$packages" "$suite" "$root" "$mirror" >"$work/log" 2>&1 || {
    tail -n 20 "$work/log" "$root/debootstrap/debootstrap.log" >&2 2>/dev/null || true
    echo "rootfs.sh: debootstrap $suite from $mirror failed" >&2
    exit 1
}

# What an image does not need: package lists and caches, logs, manuals, other languages. Licences stay.
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/var/cache/debconf/*-old \
    "$root"/var/cache/ldconfig/aux-cache "$root"/var/lib/dpkg/*-old "$root"/etc/*- \
    "$root"/usr/share/man/* "$root"/usr/share/info/* "$root"/usr/share/locale/* "$root"/usr/share/gitweb \
    "$root"/etc/resolv.conf "$root"/etc/hostname "$root"/etc/machine-id "$root"/var/lib/dbus/machine-id
find "$root/usr/share/doc" -type f ! -name copyright -delete
find "$root/usr/share/doc" -type l -delete
find "$root/usr/share/doc" -mindepth 1 -type d -empty -delete
find "$root" -name __pycache__ -type d -prune -exec rm -rf {} +
: >"$root/etc/machine-id"

# One date for all files: that of the newest package's build is of no use to anybody.
tar --create --file "$out.part" --directory "$root" --sort=name --numeric-owner --mtime=@0 \
    --exclude=./dev/* --exclude=./proc/* --exclude=./sys/* .
mv "$out.part" "$out"
