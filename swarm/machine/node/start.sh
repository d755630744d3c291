#!/bin/sh
# Starts dockerd as the one daemon of this container; its socket lies in a folder of the machine outside.
set -eu
# Left by a daemon that was killed: a new one would take them for its own, or wait for them.
rm -rf /var/run/docker.pid /var/run/docker /run/docker /run/containerd
exec dockerd --host unix:///var/run/docker.sock --host unix:///outside/docker.sock --storage-driver overlay2 \
  --data-root "/nodes/$NODE" --cgroup-parent "/$CGROUP" --exec-opt native.cgroupdriver=cgroupfs \
  --log-level warn
