"""The plain request goes its own way, and nobody could tell by the answer."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kaspad_taskd.rpc.calls import Pending
from kaspad_taskd.rpc.dispatch import Dispatcher
from tests.rpc.test_dispatch import CALLER, Desk
from tests.soak.garbage import Garbage

_INCIDENT = re.compile(rb"(incident\W+)[0-9a-f]{8}")

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)
WORDS = ("value", "a", "b", "self", "caller", "body")
METHODS = (
    "echo", "add", "later", "crash", "crashLater", "refuse", "refuseLater", "unsayable",
    "unsayableRefusal", "change", "changeLater", "register", "nope",
)  # fmt: skip
names = st.sampled_from(WORDS) | st.text(max_size=4)
params = st.dictionaries(names, values, max_size=3) | st.lists(values, max_size=3)
methods = st.sampled_from(METHODS)
requests = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0"), "method": methods, "id": st.integers() | st.text()},
    optional={"params": params | scalars, "more": values},
)


class Slow(Dispatcher):
    """Knows no plain request: all go through the library."""

    def _plain(self, *_: Any) -> None:
        return None


class Both:
    """The two ways, each with methods of its own."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._plain, self._other = Desk(), Desk()
        self._slow = Slow({})
        self._slow._calls = self._other.dispatcher._calls

    def agree(self, line: bytes) -> bool:
        """Whether both give the same answer, and called the same with the same."""
        self._plain.calls.clear()
        self._other.calls.clear()
        answer = self._answered(self._plain.dispatcher, line)
        other = self._answered(self._slow, line)
        return answer == other and self._plain.calls == self._other.calls

    def _answered(self, dispatcher: Dispatcher, line: bytes) -> bytes:
        """The answer, with the numbers of incidents struck out."""
        answer = dispatcher.answer(line, CALLER)
        if isinstance(answer, Pending):
            answer = self._runner.run(answer.answer(asyncio.Semaphore(1)))
        return _INCIDENT.sub(rb"\1N", answer)


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    """Without what they log: each crash and change is a line."""
    logging.disable()
    with asyncio.Runner() as runner:
        yield Both(runner)
    logging.disable(logging.NOTSET)


@given(asked=requests)
@example(asked={"jsonrpc": "2.0", "method": "echo", "id": 2**64, "params": None})
@example(asked={"jsonrpc": "2.0", "method": "echo", "id": True})
def test_both_ways_give_the_same_bytes(both: Both, asked: Any) -> None:
    """For whatever the short way takes, and for its neighbours."""
    assert both.agree(json.dumps(asked).encode())


@pytest.mark.parametrize(
    "count",
    [2000, pytest.param(10**6, marks=[pytest.mark.long, pytest.mark.timeout(7200)])],
)
def test_both_ways_give_the_same_bytes_to_garbage(both: Both, count: int) -> None:
    """Lines that are requests for the most part, and bent ones."""
    garbage = Garbage(random.Random(count), METHODS, WORDS)
    for _ in range(count):
        line = garbage.line()[:-1]
        assert both.agree(line), line


PLAIN = (
    '{"jsonrpc":"2.0","method":"echo","id":1}',
    '{"jsonrpc":"2.0","method":"echo","id":"a","params":{"value":[1]},"mark":2}',
    '{"jsonrpc":"2.0","method":"echo","id":1,"params":[1,2,3]}',
    '{"jsonrpc":"2.0","method":"crash","id":1}',
    '{"jsonrpc":"1.0","method":"echo","id":1}',
    "no JSON",
)
OTHERS = (
    '{"jsonrpc":"2.0","method":"echo"}',
    '{"jsonrpc":"2.0","method":"echo","id":1.5}',
    '{"jsonrpc":"2.0","method":"nope","id":1}',
    '[{"jsonrpc":"2.0","method":"echo","id":1}]',
)


def test_the_library_is_loaded_when_it_is_needed() -> None:
    """Most daemons live without it."""
    code = (
        "import sys; from tests.rpc.test_dispatch import CALLER, Desk\n"
        f"for line in {PLAIN + OTHERS[:1]!r}:\n"
        "    Desk().dispatcher.answer(line.encode(), CALLER)\n"
        "    print('jsonrpcserver' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["False"] * len(PLAIN) + ["True"]


@pytest.mark.parametrize("line", OTHERS)
def test_what_is_not_plain_goes_the_long_way(line: str) -> None:
    """Each kind of it."""
    dispatcher = Desk().dispatcher
    dispatcher.answer(line.encode(), CALLER)
    assert dispatcher._envelope is not None


async def test_a_library_that_is_gone_fails_what_needs_it_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Replaced under the daemon: other requests are answered as ever, and it may come back."""
    desk = Desk()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "kaspad_taskd.rpc.envelope", None)
        lost = await desk.ask('{"jsonrpc":"2.0","method":"x","id":1}')
        kept = await desk.ask('{"jsonrpc":"2.0","method":"echo","id":1}')
    back = await desk.ask('{"jsonrpc":"2.0","method":"x","id":1}')
    assert lost["error"]["code"] == -32603
    assert kept["result"] is None
    assert back["error"]["code"] == -32601
