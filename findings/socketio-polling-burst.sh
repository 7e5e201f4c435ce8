#!/usr/bin/env bash
# What: Socket.IO's Python client over long-polling loses its connection when a Node.js server has more
#   than 16 packets for it at once.
# Versions: python-socketio 5.18.1 with python-engineio 4.15.1, socket.io and socket.io-client 4.8.4 (each
#   the newest); Node.js 20; Python 3.11.
# Expected: an answer to a poll carries what waits, as many packets as it likes up to maxPayload bytes:
#   the protocol bounds bytes alone. Node's own client takes 100 events over polling.
# Seen: python-engineio takes 16 packets of an answer, or none: at more it says "Unexpected packet from
#   server, aborting" in a log that is off, drops all of them and ends the connection with "transport
#   error". The bound is a class attribute of its Payload; no option of Client or AsyncClient reaches it.
# Bites: whoever has no WebSocket (a proxy, `transports`, or no package websocket-client, which Client
#   needs for it) and is told much at once. Who is told it on joining comes again and again, and is lost
#   each time: 15 times in 8 s, seen with reconnection_delay=0.2.
# Here: kaspad_taskd/bridge/outbox.py (`POLLED`) puts 16 packets at most into an answer.
# Needs: python3, 3.11 or newer, with venv; node and npm.
set -euo pipefail

here=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$here"' EXIT
cd "$here"

npm install --silent --no-audit --no-fund --ignore-scripts socket.io@4.8.4 socket.io-client@4.8.4 \
  >/dev/null
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install \
  python-socketio==5.18.1 python-engineio==4.15.1 requests==2.34.2

cat >server.js <<'NODE'
const http = require("http").createServer();
const { Server } = require("socket.io");

// Sends as many events at once as it is asked for.
new Server(http).on("connection", (socket) =>
  socket.on("give", (count) => {
    for (let each = 1; each <= count; each += 1) socket.emit("event", each);
  }),
);
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
NODE

cat >look.js <<'NODE'
const { io } = require("socket.io-client");

const [port, count] = process.argv.slice(2).map(Number);
const socket = io(`http://127.0.0.1:${port}`, { transports: ["polling"], reconnection: false });
let came = 0;
const end = (how) => {
  console.log(`${came} of ${count}, ${how}`);
  process.exit();
};
socket.on("connect", () => socket.emit("give", count));
socket.on("event", () => (came += 1) === count && end("connected"));
socket.on("disconnect", (reason) => end(reason));
setTimeout(() => end("nothing more came"), 20000);
NODE

cat >look.py <<'PYTHON'
import sys
from threading import Event

import socketio

port, count = map(int, sys.argv[1:])
came, how, end = [], [], Event()
client = socketio.Client(reconnection=False)


@client.on("event")
def take(number):
    came.append(number)
    if len(came) == count:
        end.set()


@client.on("disconnect")
def lose(reason):
    how.append(reason)
    end.set()


client.connect(f"http://127.0.0.1:{port}", transports=["polling"])
client.emit("give", count)
if not end.wait(20):
    how.append("nothing more came")
print(f"{len(came)} of {count}, {how[0] if how else 'connected'}")
client.disconnect()
PYTHON

node server.js >port &
server=$!
for _ in $(seq 100); do
  [ ! -s port ] || break
  sleep 0.1
done
port=$(cat port)

venv/bin/python -c 'from importlib.metadata import version
print("python-socketio", version("python-socketio"), "python-engineio", version("python-engineio"))'
echo "node $(node --version), socket.io 4.8.4"
node=$(node look.js "$port" 100)
few=$(venv/bin/python look.py "$port" 16 2>/dev/null)
many=$(venv/bin/python look.py "$port" 100 2>/dev/null)
printf '  %s\n' "Node's client: $node" "Python's client: $few" "Python's client: $many"
[ "$node" = "100 of 100, connected" ] || { echo "changed: Node's client does not take them"; exit 1; }
[ "$few" = "16 of 16, connected" ] || { echo "changed: Python's client does not take few"; exit 1; }
[[ $many == *" of 100, transport error" ]] || { echo "changed: Python's client takes many"; exit 1; }
echo "as stated"
