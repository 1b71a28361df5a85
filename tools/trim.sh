#!/bin/sh
# Remove from an image's root what no program of ours reads at run time: package managers, compilers' helpers,
# documentation, translations. Takes Debian's python3 or that of the python images. Run in a stage of its own.
set -eu
rm -rf /usr/share/doc /usr/share/man /usr/share/info /usr/share/locale /usr/share/python-wheels /usr/share/perl* \
  /usr/share/zoneinfo /usr/share/bash-completion /usr/share/common-licenses \
  /usr/lib/*-linux-gnu/gconv /usr/lib/*-linux-gnu/perl* /usr/lib/*-linux-gnu/libapt-* /usr/lib/*-linux-gnu/libdb-* \
  /usr/lib/*-linux-gnu/libcurl* /usr/lib/*-linux-gnu/libgnutls* /usr/lib/*-linux-gnu/libp11-kit* \
  /usr/lib/apt /usr/lib/dpkg /usr/lib/git-core /usr/lib/valgrind \
  /usr/bin/perl* /usr/bin/apt* /usr/bin/dpkg* /usr/bin/curl /usr/bin/gpgv /usr/bin/localedef /usr/bin/openssl \
  /usr/sbin/debugfs /usr/sbin/e2* /usr/sbin/mke2fs /usr/sbin/resize2fs \
  /var/cache /var/log /var/lib/apt /var/lib/dpkg /etc/apt /etc/dpkg /debootstrap /root/.cache
mkdir -p /var/cache /var/log /usr/share/zoneinfo
for lib in /usr/lib/python3 /usr/lib/python3.* /usr/local/lib/python3.*; do
  rm -rf "$lib"/ensurepip "$lib"/lib2to3 "$lib"/idlelib "$lib"/pydoc_data "$lib"/distutils "$lib"/turtledemo "$lib"/test "$lib"/unittest \
    "$lib"/config-* "$lib"/site-packages "$lib"/dist-packages
done
rm -f /usr/local/bin/pip* /usr/bin/pip* /usr/local/bin/idle* /usr/local/bin/pydoc*
