#!/usr/bin/env bash
# Docker engine, one-node Swarm and debian:bookworm-slim, on a bare Debian or Ubuntu. Safe to run again.
# For machines without Docker, such as CI; nothing of it is needed where Docker and a Swarm are there already.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

RUN_DIR=${RUN_DIR:-/var/run} # where docker.sock and docker.pid lie
export DOCKER_HOST=${DOCKER_HOST:-unix://$RUN_DIR/docker.sock}
LOG=${DOCKERD_LOG:-/var/log/dockerd.log}
BASE=${BASE_IMAGE:-debian:bookworm-slim}

say() { echo "docker-up: $*" >&2; }
give_up() { say "$*"; exit 1; }

# Installs those of the packages whose program is missing: `install PROGRAM PACKAGE…`
install() {
  command -v "$1" >/dev/null && return 0
  shift
  [ "$(id -u)" = 0 ] || give_up "$* must be installed, which only root may do: run this with sudo."
  command -v apt-get >/dev/null || give_up "$* must be installed, and there is no apt-get: install Docker by hand."
  say "installing $*"
  apt-get -q -o DPkg::Lock::Timeout=300 update >/dev/null
  apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@" >/dev/null
}

answers() { command -v docker >/dev/null && timeout 10 docker info >/dev/null 2>&1; }

# Pid files left by daemons that were killed: the pid is gone, a zombie, or another program's.
remove_stale_pid_files() {
  local entry file name pid
  for entry in "$RUN_DIR/docker.pid:dockerd" "${EXEC_ROOT:-/var/run/docker}/containerd/containerd.pid:containerd"; do
    file=${entry%:*} name=${entry##*:}
    pid=$(cat "$file" 2>/dev/null || true)
    [ -n "$pid" ] || continue
    if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != "$name" ] || grep -q '^State:.*Z' "/proc/$pid/status"; then
      rm -f "$file"
    fi
  done
}

start_engine() {
  answers && return 0
  install dockerd docker.io iptables
  [ "$(id -u)" = 0 ] || give_up "no Docker engine answers at $DOCKER_HOST, and only root may start one: run this with sudo."
  remove_stale_pid_files
  say "starting dockerd (its log: $LOG)"
  # shellcheck disable=SC2086 # the two are lists of words
  setsid ${DOCKERD_PREFIX:-} dockerd --host "$DOCKER_HOST" --pidfile "$RUN_DIR/docker.pid" ${DOCKERD_FLAGS:-} \
    </dev/null >>"$LOG" 2>&1 &
  local engine=$!
  for _ in $(seq 120); do
    answers && return 0
    kill -0 $engine 2>/dev/null || { tail -20 "$LOG" >&2; give_up "dockerd ended; above is the end of its log."; }
    sleep 0.5
  done
  tail -20 "$LOG" >&2
  give_up "dockerd does not answer after 60 s; above is the end of its log."
}

join_swarm() {
  local state
  state=$(docker info -f '{{.Swarm.LocalNodeState}}')
  [ "$state" != active ] || return 0
  # A node that is locked, or whose state is broken, holds nothing that this script could save.
  [ "$state" = inactive ] || docker swarm leave --force >/dev/null
  docker swarm init --advertise-addr "${ADVERTISE_ADDR:-127.0.0.1}" --task-history-limit 5 >/dev/null
}

# Where no registry is reached the base image is made of Debian's packages, as Debian's own slim image is.
# The machine's own apt sources and CA files go into it, so that no Dockerfile has to name them.
make_base_image() {
  docker image inspect "$BASE" >/dev/null 2>&1 && return 0
  timeout 60 docker pull -q "$BASE" >/dev/null 2>&1 && return 0
  say "no registry has $BASE: making it of Debian's packages, a minute or so"
  install mmdebstrap mmdebstrap
  local folder sources=/etc/apt/sources.list.d/debian.sources
  [ -e $sources ] || sources='' # mmdebstrap knows Debian's own mirror
  folder=$(mktemp -d)
  mkdir "$folder/ca"
  cp /usr/local/share/ca-certificates/*.crt "$folder/ca/" 2>/dev/null || true
  printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' >"$folder/pip.conf"
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,usr-is-merged \
    --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
    --aptopt='Acquire::Check-Valid-Until "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' --dpkgopt='path-exclude=/usr/share/lintian/*' \
    --customize-hook="sync-in $folder/ca /usr/local/share/ca-certificates" \
    --customize-hook="copy-in $folder/pip.conf /etc" \
    --customize-hook='chroot "$1" update-ca-certificates' \
    --customize-hook='rm -rf "$1"/var/cache/debconf/*-old "$1"/var/log/*.log "$1"/var/log/apt' \
    bookworm "$folder/base.tar" ${sources:+"$sources"}
  docker import --change 'CMD ["bash"]' --change 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt' \
    "$folder/base.tar" "$BASE" >/dev/null
  rm -rf "$folder"
}

start_engine
join_swarm
make_base_image
docker info -f 'docker {{.ServerVersion}}, swarm {{.Swarm.LocalNodeState}}, cgroup v{{.CgroupVersion}}, {{.Driver}}'
