"""The plain request goes its own way, and nobody could tell by the answer."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kaspad_taskd.rpc.calls import Pending
from kaspad_taskd.rpc.dispatch import Dispatcher
from tests.rpc.test_dispatch import CALLER, Desk

_INCIDENT = re.compile(rb"(incident\W+)[0-9a-f]{8}")

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)
names = st.sampled_from(["value", "a", "b", "self", "caller", "body"]) | st.text(max_size=4)
params = st.dictionaries(names, values, max_size=3) | st.lists(values, max_size=3)
methods = st.sampled_from(
    ["echo", "add", "later", "crash", "crashLater", "refuse", "refuseLater", "unsayable",
     "unsayableRefusal", "change", "changeLater", "register", "nope"]
)  # fmt: skip
requests = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0"), "method": methods, "id": st.integers() | st.text()},
    optional={"params": params | scalars, "more": values},
)


class Slow(Dispatcher):
    """Knows no plain request: all go through the library."""

    def _plain(self, *_: Any) -> None:
        return None


def answered(dispatcher: Dispatcher, line: bytes) -> bytes:
    """The answer, with the numbers of incidents struck out."""
    answer = dispatcher.answer(line, CALLER)
    if isinstance(answer, Pending):
        answer = asyncio.run(answer.answer(asyncio.Semaphore(1)))
    return _INCIDENT.sub(rb"\1N", answer)


@given(requests)
@example({"jsonrpc": "2.0", "method": "echo", "id": 2**64, "params": None})
@example({"jsonrpc": "2.0", "method": "echo", "id": True})
def test_both_ways_give_the_same_bytes(request: Any) -> None:
    """For whatever the short way takes, and for its neighbours."""
    line = json.dumps(request).encode()
    desk, other = Desk(), Desk()
    slow = Slow({})
    slow._calls = other.dispatcher._calls
    assert answered(desk.dispatcher, line) == answered(slow, line)
    assert [bound for _, bound in desk.calls] == [bound for _, bound in other.calls]


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


def test_a_library_that_is_gone_fails_what_needs_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaced under the daemon: other requests are answered as ever, and it may come back."""
    desk = Desk()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "kaspad_taskd.rpc.envelope", None)
        lost = json.loads(answered(desk.dispatcher, b'{"jsonrpc":"2.0","method":"x","id":1}'))
        kept = json.loads(answered(desk.dispatcher, b'{"jsonrpc":"2.0","method":"echo","id":1}'))
    back = json.loads(answered(desk.dispatcher, b'{"jsonrpc":"2.0","method":"x","id":1}'))
    assert lost["error"]["code"] == -32603
    assert kept["result"] is None
    assert back["error"]["code"] == -32601
