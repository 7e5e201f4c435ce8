#!/usr/bin/env bash
# A long job that reports to kaspad-taskd how far it is, and how it ended, whatever ends it:
#   report.sh TASK PARTS COMMAND [ARG...]
# runs COMMAND ARG... 1, then 2, up to PARTS. TASK is the id of a task of type report.
set -euo pipefail

if [ $# -lt 3 ]; then
  echo "usage: report.sh TASK PARTS COMMAND [ARG...]" >&2
  exit 2
fi
readonly task=$1 parts=$2
shift 2
child=

# The job does not depend on kaspad-taskd: what is not taken is made up for by the next report.
tell() { kaspad-taskctl "$1" --timeout 5 "$task" "${@:2}" >/dev/null || true; }

finish() {
  local code=$?
  trap - EXIT
  [ -z "$child" ] || kill "$child" 2>/dev/null || true
  if [ "$code" = 0 ]; then
    tell report --complete
  else
    tell report --error "ended with $code at part ${part-0} of $parts"
  fi
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

tell retry 2>/dev/null # after a failure this is a new attempt; else it is refused, which is fine
tell report --progress 0
for ((part = 1; part <= parts; part++)); do
  "$@" "$part" & # in the background: bash takes a signal at once only while it waits
  child=$!
  wait "$child"
  child=
  tell report --progress "$((100 * part / parts))" "part=$part"
done
