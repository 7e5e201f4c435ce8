#!/usr/bin/env bash
# What: of each connection that has ended python-engineio keeps a sleeping task, or in its threading mode a whole
#   sleeping thread, until the moment at which the next ping would have been due: 25 s by default.
# Versions: python-engineio 4.15.1 (the newest) and 4.13.0, aiohttp 3.13.0, CPython 3.11.
# Expected: what was made for a connection ends with it.
# Seen: 100 clients come and go in two seconds; a second later the server knows of no connection, and has 100 tasks in
#   `_send_ping`, each of which keeps the socket object, its queue and its session. With `async_mode="threading"`
#   100 threads. All are gone one ping interval after their clients came.
# Bites: servers whose clients come and go: reloads of a page, probes, monitors that connect for one question. Memory and
#   threads follow the rate times 25 s, no more the number of connections; and in asyncio each full search for garbage
#   walks them (75 ms where 480 a second came).
# Here: kaspad_taskd/bridge/engine_io.py makes the ping a timer that goes with its socket (`Engine`).
# Needs: python3 with venv, 3.11 or newer.
set -euo pipefail

here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"

python3 -m venv venv
pip() { venv/bin/pip --quiet --disable-pip-version-check install "$@"; }

cat >tasks.py <<'PYTHON'
import asyncio

import aiohttp
import engineio
from aiohttp import web

CLIENTS = 100


def sleeping():
    return sum(each.get_coro().__name__ == "_send_ping" for each in asyncio.all_tasks())


async def come_and_go(http, url):
    async with http.ws_connect(url) as line:
        await line.receive()


async def main():
    server = engineio.AsyncServer(async_mode="aiohttp")
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/engine.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as http:
        for _ in range(CLIENTS):
            await come_and_go(http, url)
        await asyncio.sleep(1)
        open_now, soon = sum(not each.closed for each in server.sockets.values()), sleeping()
        await asyncio.sleep(server.ping_interval + 3)
        late = sleeping()
    await runner.cleanup()
    print(f"  asyncio: {open_now} connections, {soon} tasks asleep; {late} after a ping interval")
    if open_now or late:
        raise SystemExit("changed: connections or tasks stay for good")
    if soon != CLIENTS:
        raise SystemExit("changed: the tasks end with their connections")


asyncio.run(main())
PYTHON

cat >threads.py <<'PYTHON'
import threading
import time
import urllib.request
from wsgiref.simple_server import WSGIRequestHandler, make_server

import engineio

CLIENTS = 100


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


engine = engineio.Server(async_mode="threading")
server = make_server("127.0.0.1", 0, engineio.WSGIApp(engine), handler_class=Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/engine.io/?EIO=4&transport=polling"
before = threading.active_count()
for _ in range(CLIENTS):
    with urllib.request.urlopen(url, timeout=10) as answer:
        sid = answer.read().decode().partition('"sid":"')[2].partition('"')[0]
    with urllib.request.urlopen(f"{url}&sid={sid}", data=b"1", timeout=10):  # a packet: close
        pass
time.sleep(1)
open_now, soon = sum(not each.closed for each in engine.sockets.values()), threading.active_count() - before
time.sleep(engine.ping_interval + 3)
late = threading.active_count() - before
server.shutdown()
print(f"  threading: {open_now} connections, {soon} threads more; {late} after a ping interval")
if open_now or late > 2:
    raise SystemExit("changed: connections or threads stay for good")
if soon < CLIENTS:
    raise SystemExit("changed: the threads end with their connections")
PYTHON

for version in 4.13.0 4.15.1; do
  pip "python-engineio==$version" aiohttp==3.13.0
  echo "python-engineio $version"
  venv/bin/python tasks.py &
  venv/bin/python threads.py
  wait $!
done
echo "as stated"
