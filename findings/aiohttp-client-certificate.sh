#!/usr/bin/env bash
# What: a server that wants a client certificate is an error of TLS for aiohttp over TLS 1.2, and over
#   TLS 1.3 an error of the system, with the number of "Operation not permitted".
# Versions: aiohttp 3.14.5 (the newest); Python 3.11 and 3.13; OpenSSL 3.0.
# Expected: ClientSSLError in both, as its page on exceptions has it for what goes wrong with TLS.
# Seen: over TLS 1.2 the alert comes amid the handshake: ClientConnectorSSLError. Over TLS 1.3 the
#   client is done before the server has seen its certificate, so the alert comes with the first read,
#   where ssl.SSLError, an OSError, is made a ClientOSError like any other: its errno is 1, which is
#   SSL_ERROR_SSL here and EPERM elsewhere. That it was TLS tells `__cause__` alone.
# Bites: since servers speak TLS 1.3: whoever sorts by class or errno takes a certificate that is missing,
#   expired or of another authority for a broken line, and asks again for ever.
# Here: kaspad_taskd/probes/http.py asks the cause too (`_is_tls`), and says what the server wants.
# Needs: python3, 3.11 or newer, with venv; openssl 3.
set -euo pipefail

here=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$here"' EXIT

python3 -m venv "$here/venv"
"$here/venv/bin/pip" --quiet --disable-pip-version-check install aiohttp==3.14.5
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext \
  "subjectAltName=DNS:localhost" -keyout "$here/key" -out "$here/cert" 2>/dev/null

cat >"$here/look.py" <<'PYTHON'
import asyncio
import ssl
import sys

import aiohttp


async def main(port, cert):
    context = ssl.create_default_context(cafile=cert)
    async with aiohttp.ClientSession() as session:
        try:
            await session.get(f"https://localhost:{port}/", ssl=context)
        except aiohttp.ClientError as error:
            tls = isinstance(error, aiohttp.ClientSSLError)
            cause = type(error.__cause__).__name__
            print(f"{type(error).__name__}, errno {error.errno}, ClientSSLError: {tls}, of {cause}")


asyncio.run(main(*sys.argv[1:]))
PYTHON

free() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

ask() { # ask VERSION: write down what a client without a certificate gets of a server that wants one
  local port
  port=$(free)
  openssl s_server -accept "127.0.0.1:$port" -cert "$here/cert" -key "$here/key" -Verify 1 \
    -verify_return_error -www "-$1" -quiet >/dev/null 2>&1 &
  server=$!
  for _ in $(seq 100); do
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    sleep 0.1
  done
  "$here/venv/bin/python" "$here/look.py" "$port" "$here/cert" >"$here/$1"
  kill "$server"
  wait "$server" 2>/dev/null || true
  server=
}

"$here/venv/bin/python" -c 'import aiohttp, platform, ssl
print("aiohttp", aiohttp.__version__, "Python", platform.python_version(), ssl.OPENSSL_VERSION)'
ask tls1_2
ask tls1_3
old=$(cat "$here/tls1_2") new=$(cat "$here/tls1_3")
printf '  TLS 1.2: %s\n  TLS 1.3: %s\n' "$old" "$new"
[ "$old" = "ClientConnectorSSLError, errno 1, ClientSSLError: True, of SSLError" ] ||
  { echo "changed: over TLS 1.2 it is another error"; exit 1; }
[ "$new" = "ClientOSError, errno 1, ClientSSLError: False, of SSLError" ] ||
  { echo "changed: over TLS 1.3 it is another error"; exit 1; }
echo "as stated"
