#!/usr/bin/env bash
# What: one element of a batch that is no request costs all others their call and their answer.
# Versions: jsonrpcserver 5.0.9 (the newest), jsonschema 4.26.0, OSlash 0.6.3; Python 3.11 to 3.13;
#   the same with 4.2.0 and 5.0.0.
# Expected: what JSON-RPC 2.0 says in its section 6: an array is answered by an array, with results
#   for the requests, and with an error whose id is null for what is none.
# Seen: one error object that is no array, with the id null; no method was called. A client that
#   matches answers by id waits for all of them.
# Bites: batches that are put together from several sources. The library holds the whole text against
#   one schema before it looks at any element.
# Here: kaspad_taskd/rpc/dispatch.py cuts batches itself and gives the library a request at a time.
# Needs: python3 with venv.
set -euo pipefail

here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

python3 -m venv "$here/venv"
"$here/venv/bin/pip" --quiet --disable-pip-version-check install \
  jsonrpcserver==5.0.9 jsonschema==4.26.0 OSlash==0.6.3

"$here/venv/bin/python" -W ignore - <<'PYTHON'
import json
from importlib.metadata import version

from jsonrpcserver import Success, dispatch

called = []


def record(number):
    called.append(number)
    return Success(number)


def request(number):
    return {"jsonrpc": "2.0", "method": "record", "params": [number], "id": number}


def answer(*batch):
    called.clear()
    said = json.loads(dispatch(json.dumps(batch), methods={"record": record}))
    print(f"  {len(batch)} elements: {json.dumps(said)}; called: {called}")
    return said, list(called)


print("jsonrpcserver", version("jsonrpcserver"))
said, ran = answer(request(1), request(2))
if [each["result"] for each in said] != [1, 2] or ran != [1, 2]:
    raise SystemExit("changed: a batch of two good requests is not answered by two results")
for batch in ([request(1), {"note": "no request"}, request(2)], [7]):
    said, ran = answer(*batch)
    if isinstance(said, list):
        raise SystemExit("changed: the batch is answered by an array")
    if said["error"]["code"] != -32600 or said["id"] is not None or ran:
        raise SystemExit("changed: it is another error, or something was called")
PYTHON
echo "as stated"
