#!/usr/bin/env bash
# What: Apprise says that a message was sent which a redirect has lost.
# Versions: apprise 1.2.0, 1.9.3 and 2.3.0 (the newest) with requests 2.34.2; Python 3.11.
# Expected: a service that answers a POST with 302 took nothing: notify() is false, as it is for 400
#   and 500, or the message arrives where the redirect points to.
# Seen: notify() is true. requests follows a 301 or 302 by a GET without a body, as browsers do; the
#   200 that this gets is what Apprise looks at, and the message is nowhere. A 307 carries it along.
# Bites: json, form, xml, ntfy, gotify and whatever else is sent by POST, where http:// became https://,
#   a trailing slash is missing, or a login page stands before the service. Nobody is told that nobody
#   is told. From 2.x `?redirect=no`, or AppriseAsset(http_redirects=False), makes it false.
# Here: kaspad_taskd/notify/sending/child.py lets requests follow nothing, and
#   kaspad_taskd/notify/sending/judging.py counts each 3xx as not delivered.
# Needs: python3 with venv.
set -euo pipefail

here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

cat >"$here/look.py" <<'PYTHON'
import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import apprise

STATUSES = (200, 302, 307, 500)
came = []


class Service(BaseHTTPRequestHandler):
    """Answers /STATUS by it, pointing to /there, and /there by 200."""

    def take(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        came.append((self.command, self.path, b"the message" in body))
        self.send_response(200 if self.path == "/there" else int(self.path[1:4]))
        self.send_header("Location", "/there")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = take

    def log_message(self, *_):
        pass


def sent(port, status):
    """Return what Apprise says, and whether the message is where the last answer came from."""
    came.clear()
    service = apprise.Apprise()
    service.add(f"json://127.0.0.1:{port}/{status}")
    said = bool(service.notify(title="title", body="the message"))
    steps = ", ".join(f"{each[0]} {each[1]} {'with' if each[2] else 'without'} it" for each in came)
    print(f"  {status}: notify() is {said}; {steps}")
    return said, came[-1][2]


logging.disable()
print("apprise", apprise.__version__)
server = HTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
found = {status: sent(server.server_port, status) for status in STATUSES}
if not found[200][0] or found[500][0]:
    raise SystemExit("changed: 200 is no success, or 500 is one")
if found[307] != (True, True):
    raise SystemExit("changed: a 307 does not carry the message along")
if found[302] != (True, False):
    raise SystemExit("changed: a 302 is no success any more, or the message arrives")
PYTHON

for version in 1.2.0 1.9.3 2.3.0; do
  python3 -m venv "$here/$version"
  "$here/$version/bin/pip" --quiet --disable-pip-version-check install \
    "apprise==$version" requests==2.34.2
  "$here/$version/bin/python" -W ignore "$here/look.py"
done
echo "as stated"
