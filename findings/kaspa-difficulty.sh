#!/usr/bin/env bash
# What: Kaspa's own client cannot read an answer of Kaspa's own node for as long as the node
#   downloads its state.
# Versions: kaspa-rpc-core 2.1.0 (crates.io: the messages of kaspad 2.1.0 and of its clients) and
#   kaspa 2.1.0 (PyPI: a client made of it).
# Expected: what a node says over wRPC in JSON can be read by the client of the same version, in each
#   state of the node.
# Seen: a node that downloads the state of a pruning point tells its difficulty as infinity (it
#   divides by a target of 0). The message writes that as null, which is all that JSON has for it,
#   and refuses to read null: getBlockDagInfo fails, its nine other fields with it.
# Bites: whoever watches a first sync over wRPC JSON: what looks like a broken node is a busy one.
#   A real kaspad 2.1.0 was seen to say null there, and infinity over gRPC, until its state was in.
# Here: kaspad_taskd/kaspa/wrpc.py (`_number`) takes null for a number that is not known.
# Needs: cargo 1.91 or newer, python3 with venv, 1 GB for a while; it builds for some minutes.
set -euo pipefail

here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"

# The crate brings the versions of all that it was published with: Cargo.lock.
cargo info --quiet kaspa-rpc-core@2.1.0 >/dev/null
sources=("${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/kaspa-rpc-core-2.1.0)
cp -r "${sources[0]}" node
mkdir node/examples
printf '\n[[example]]\nname = "answer"\n' >>node/Cargo.toml
cat >node/examples/answer.rs <<'RUST'
use kaspa_rpc_core::GetBlockDagInfoResponse;

/// Reads an answer and writes it as a node does, with the difficulty given.
fn main() {
    let mut given = std::env::args().skip(1);
    let mut answer: GetBlockDagInfoResponse = serde_json::from_str(&given.next().unwrap()).unwrap();
    answer.difficulty = given.next().unwrap().parse().unwrap();
    let text = serde_json::to_string(&answer).unwrap();
    let read = serde_json::from_str::<GetBlockDagInfoResponse>(&text);
    println!("{text}");
    println!("{}", read.map_or_else(|fault| fault.to_string(), |_| "read".into()));
}
RUST
CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$here/built \
  cargo build --quiet --locked --manifest-path node/Cargo.toml --example answer

python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install kaspa==2.1.0 websockets==15.0.1

cat >look.py <<'PYTHON'
import asyncio
import json
import subprocess
from contextlib import suppress
from importlib.metadata import version

from kaspa import RpcClient
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

HASH = "00" * 32
ANSWER = {
    "network": "mainnet", "blockCount": 0, "headerCount": 1000000, "tipHashes": [HASH],
    "difficulty": 1.0, "pastMedianTime": 0, "virtualParentHashes": [HASH],
    "pruningPointHash": HASH, "virtualDaaScore": 0, "sink": HASH,
}  # fmt: skip


def written(difficulty):
    """Return the answer as a node writes it, and what its own reader says to that."""
    command = ["built/debug/examples/answer", json.dumps(ANSWER), difficulty]
    text, read = subprocess.check_output(command, text=True).splitlines()
    return json.loads(text), read


async def asked(answer):
    """Return what the client makes of it."""

    async def node(socket):
        with suppress(ConnectionClosed):  # the client takes no leave
            async for message in socket:
                request = json.loads(message)
                said = {"id": request["id"], "method": request["method"], "params": answer}
                await socket.send(json.dumps(said))

    async with serve(node, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = RpcClient(url=f"ws://127.0.0.1:{port}", encoding="json", network_id="mainnet")
        await client.connect(strategy="fallback", timeout_duration=60000)
        try:
            return (await client.get_block_dag_info())["headerCount"]
        except Exception as error:
            return str(error)
        finally:
            await client.disconnect()


async def main():
    print("kaspa-rpc-core 2.1.0, kaspa", version("kaspa"))
    found = []
    for difficulty in ("1.5", "inf"):
        answer, read = written(difficulty)
        told = await asked(answer)
        print(f"  difficulty {difficulty}: written as {json.dumps(answer['difficulty'])}")
        print(f"    the message's own reader: {read}")
        print(f"    the client's header count: {told}")
        found.append((answer["difficulty"], read == "read", told))
    fault = "serde deserialization error: invalid type: null, expected f64"
    if found != [(1.5, True, 1000000), (None, False, f"RPC Server (remote error) -> RPC {fault}")]:
        raise SystemExit("changed: it is written or read otherwise")


asyncio.run(main())
PYTHON
venv/bin/python look.py
echo "as stated"
