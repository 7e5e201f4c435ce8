#!/usr/bin/env bash
# What: a client whose WebSocket is cut right after its handshake goes on by polling, as it should,
#   and gets nothing any more: no event, no answer to what it asks.
# Versions: python-engineio 4.15.1 and python-socketio 5.18.1 (the newest) on aiohttp 3.14.5, with
#   socket.io-client 4.8.4 in node; the same with 4.11.2 and 5.12.1, and with 4.3.4 and 5.7.2.
# Expected: an upgrade that fails leaves the connection as it was: everything goes over polling.
# Seen: the server does what the client asks, but takes it to be amid an upgrade from then on and
#   answers each poll at once with a packet that says nothing, so that the client polls as fast as
#   it can. What is for the client stays in its queue, the heartbeat too: after ping_interval and
#   ping_timeout (45 s) the connection ends, the client connects anew, and all begins again.
# Bites: browsers behind a proxy or a filter that lets the WebSocket's handshake through and no
#   frame. A wrong first frame, or a cut after the first, is taken for the failed upgrade that it is.
# Here: kaspad_taskd/bridge/sockets.py (`Line`) ends the upgrade together with its WebSocket.
# Needs: python3 with venv, node, npm.
set -euo pipefail

here=$(mktemp -d)
server=
clean_up() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$here"
}
trap clean_up EXIT

python3 -m venv "$here/venv"
"$here/venv/bin/pip" --quiet --disable-pip-version-check install \
  python-engineio==4.15.1 python-socketio==5.18.1 aiohttp==3.14.5
npm install --silent --no-audit --no-fund --prefix "$here" socket.io-client@4.8.4 >/dev/null

cat >"$here/server.py" <<'PYTHON'
import asyncio
from importlib.metadata import version

import socketio
from aiohttp import web

asked = []
sockets = socketio.AsyncServer(async_mode="aiohttp")


@sockets.event
async def ask(sid, what):
    asked.append(what)
    return f"the answer to {what}"


async def main():
    app = web.Application()
    app.router.add_get("/asked", lambda _request: web.json_response(asked))
    sockets.attach(app)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(*(f"{name} {version(name)}" for name in ("python-engineio", "python-socketio")))
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(600)


asyncio.run(main())
PYTHON

cat >"$here/client.mjs" <<'JAVASCRIPT'
import { createServer, connect } from "node:net";
import { io } from "socket.io-client";

const port = Number(process.argv[2]);
let polls = 0;
let connected;

// Passes everything on; a WebSocket is asked for when the client is connected, and cut as it stands.
const relay = createServer((client) => {
  const server = connect(port, "127.0.0.1");
  client.on("data", async (bytes) => {
    const text = bytes.toString("latin1");
    polls += text.split("GET /socket.io/").length - 1;
    if (text.includes("transport=websocket")) await connected;
    server.write(bytes);
  });
  server.on("data", (bytes) => {
    if (!bytes.toString("latin1", 0, 12).startsWith("HTTP/1.1 101")) client.write(bytes);
    else client.end(bytes, () => server.destroy());
  });
  for (const [one, other] of [[client, server], [server, client]]) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
});
await new Promise((ready) => relay.listen(0, "127.0.0.1", ready));

async function ask(what, transports) {
  const url = `http://127.0.0.1:${relay.address().port}`;
  const socket = io(url, { transports, forceNew: true });
  connected = new Promise((done) => socket.once("connect", done));
  const failed = new Promise((done) => {
    socket.io.once("open", () => socket.io.engine.once("upgradeError", done));
  });
  await connected;
  if (transports.includes("websocket")) await failed;
  polls = 0;
  const answer = await socket.timeout(3000).emitWithAck("ask", what).catch(() => "no answer in 3 s");
  const many = polls > 20 ? "more than 20 polls" : "up to 20 polls";
  console.log(`  ${what}: ${answer}; ${many}; ${socket.connected ? "connected" : "not connected"}`);
  socket.disconnect();
  return [answer, many, socket.io.engine.transport.name];
}

const alone = await ask("polling alone", ["polling"]);
const after = await ask("a failed upgrade", ["polling", "websocket"]);
const asked = await (await fetch(`http://127.0.0.1:${port}/asked`)).json();
console.log(`  the server was asked: ${asked.join(", ")}`);
const seen = JSON.stringify([alone, after, asked]);
const stated = JSON.stringify([
  ["the answer to polling alone", "up to 20 polls", "polling"],
  ["no answer in 3 s", "more than 20 polls", "polling"],
  ["polling alone", "a failed upgrade"],
]);
if (seen !== stated) console.error(`changed: ${seen} instead of ${stated}`);
process.exit(seen === stated ? 0 : 1);
JAVASCRIPT

mkfifo "$here/said"
"$here/venv/bin/python" "$here/server.py" >"$here/said" &
server=$!
{
  read -r versions
  read -r port
} <"$here/said"
echo "$versions, socket.io-client 4.8.4"
node "$here/client.mjs" "$port"
echo "as stated"
