"""Real kaspad nodes on a private simnet: found, started, mined on, and slowed down.

Simnet asks for no proof of work: a template that comes back unchanged is a block, and its time may
be any between the median and now. So an hour of history is mined in seconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse

from tests.fakes.bridged import free_port
from tests.fakes.patience import PATIENCE

STEP_MS = 100
"""Between two blocks: 10 a second, as on mainnet."""
PRUNED_EVERY = 600
PRUNING_DEPTH = 1500
ADDRESS = "kaspasim:pr89wgtzs5f9qphvrqvhhkqcggsua7j4nwc8npqsmxd9hwjmqlx36x509ft6l"
"""Whose coins anybody may spend: a script hash of OP_TRUE."""

PARAMS = {
    "pruning_proof_m": 20,
    "max_block_level": 254,
    "storage_mass_parameter": 10000,
    "difficulty_window_size": 26,
    "min_difficulty_window_size": 8,
    "blockrate": {
        "target_time_per_block": STEP_MS,
        "ghostdag_k": 4,
        "past_median_time_sample_rate": 10,
        "difficulty_sample_rate": 40,
        "max_block_parents": 10,
        "mergeset_size_limit": 20,
        "merge_depth": 200,
        "finality_depth": PRUNED_EVERY,
        "pruning_depth": PRUNING_DEPTH,
        "coinbase_maturity": 20,
    },
}
"""mainnet's pace in shallow depths, so that some thousands of blocks have every phase of a sync:
from 26 s behind on such a node calls itself synced (samples * rate * time / 4)."""


def find_kaspad() -> str | None:
    """Return the program, from $KASPAD, the PATH or cargo's place; None where there is none."""
    own = os.environ.get("KASPAD")
    return own or shutil.which("kaspad") or shutil.which("kaspad", path=Path.home() / ".cargo/bin")


class Kaspad:
    """One node; its ports and its data stay the same over restarts.

    `params` are the network's, None for simnet's own; `prefix` is what runs the program: nice, env.
    """

    def __init__(
        self,
        program: str,
        place: Path,
        *arguments: str,
        params: Mapping[str, Any] | None = PARAMS,
        prefix: Sequence[str] = (),
    ) -> None:
        self._run = (*prefix, program)
        self.place = place
        self.arguments = arguments
        self.p2p, self.grpc, self.json = free_port(), free_port(), free_port()
        self.log = place / "kaspad.log"
        self.process: asyncio.subprocess.Process | None = None
        place.mkdir(exist_ok=True)
        if params is not None:
            self.arguments += (f"--override-params-file={place}/params.json",)
            (place / "params.json").write_text(json.dumps(params))
        self.log.touch()

    @property
    def url(self) -> str:
        return f"grpc://127.0.0.1:{self.grpc}"

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(*self._run, "--simnet", f"--appdir={self.place}", "--ram-scale=0.3"),
                f"--listen=127.0.0.1:{self.p2p}",
                *(f"--rpclisten=127.0.0.1:{self.grpc}", f"--rpclisten-json=127.0.0.1:{self.json}"),
                *("--nodnsseed", "--disable-upnp", "--enable-unsynced-mining", "--unsaferpc"),
                *("--yes", "--nologfiles", *self.arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)
            async with asyncio.timeout(PATIENCE):
                await self.process.wait()

    async def __aenter__(self) -> Kaspad:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop(signal.SIGKILL)


class Talk:
    """A node's wRPC JSON, one question at a time; connects again by itself."""

    def __init__(self, node: Kaspad) -> None:
        self._url = f"ws://127.0.0.1:{node.json}"
        self._session = ClientSession()
        self._ws: ClientWebSocketResponse | None = None
        self._id = 0

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the answer; raises OSError where there is none."""
        try:
            if self._ws is None or self._ws.closed:
                self._ws = await self._session.ws_connect(self._url, max_msg_size=0)
            self._id += 1
            await self._ws.send_json({"id": self._id, "method": method, "params": params})
            answer = json.loads(await self._ws.receive_str(timeout=PATIENCE))
        except (ClientError, TypeError, TimeoutError) as error:
            await self._hang_up()
            raise OSError(repr(error)) from None
        if "error" in answer:
            raise OSError(answer["error"]["message"])
        return dict(answer["params"])

    async def wait(self) -> None:
        """Return when the node answers."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(OSError):
                    await self.ask("getInfo")
                    return
                await asyncio.sleep(0.05)

    async def mine(self, at_ms: int) -> None:
        """Put a block on the tip that was found at this moment."""
        template = await self.ask("getBlockTemplate", payAddress=ADDRESS, extraData=[])
        block = template["block"]
        block["header"]["timestamp"] = at_ms
        answer = await self.ask("submitBlock", block=block, allowNonDaaBlocks=False)
        assert answer["report"]["type"] == "success", answer

    async def _hang_up(self) -> None:
        ws, self._ws = self._ws, None
        if ws is not None:
            await ws.close()

    async def close(self) -> None:
        await self._hang_up()
        await self._session.close()


async def mine_history(talk: Talk, blocks: int) -> int:
    """Mine blocks whose times end now; returns the time of the last one, ms."""
    began = time.time_ns() // 1_000_000 - blocks * STEP_MS
    for number in range(1, blocks + 1):
        await talk.mine(began + number * STEP_MS)
    return began + blocks * STEP_MS


async def mine_on(talk: Talk, last_ms: int) -> None:
    """Mine a block for each 100 ms that pass, until cancelled."""
    while True:
        if last_ms + STEP_MS > time.time_ns() // 1_000_000:
            await asyncio.sleep(STEP_MS / 1000)
            continue
        last_ms += STEP_MS
        await talk.mine(last_ms)


class SlowRelay:
    """A TCP relay to a port that passes so many bytes a second towards the one who connects.

    It passes nothing until it is told to, and only for as long: so nothing happens unseen because
    whoever looks is held up.
    """

    def __init__(self, to: int, rate: float) -> None:
        self._to, self.rate = to, rate
        self.passed = 0
        self._until = 0.0
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> SlowRelay:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=4096)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def pass_for(self, seconds: float) -> None:
        """Pass bytes for so long from now on."""
        self._until = asyncio.get_running_loop().time() + seconds

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(far_reader, writer, slow=True))
                both.create_task(self._pump(reader, far_writer, slow=False))
        except* OSError:
            pass
        finally:
            self._running.discard(task)
            for each in (writer, far_writer):
                each.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slow: bool
    ) -> None:
        time = asyncio.get_running_loop().time
        while data := await reader.read(4096):
            while slow and time() > self._until:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            writer.write(data)
            await writer.drain()
            if slow:
                self.passed += len(data)
                await asyncio.sleep(len(data) / self.rate)
        raise ConnectionResetError
