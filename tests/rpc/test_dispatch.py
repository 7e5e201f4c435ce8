"""Dispatch: the envelope of JSON-RPC 2.0, and nothing of ours or the library's in the answers."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.method import Caller, Method, Param
from kaspad_taskd.rpc.answers import too_long
from kaspad_taskd.rpc.calls import Pending
from kaspad_taskd.rpc.dispatch import BATCH_LIMIT, Dispatcher, fault

CALLER = Caller("rpc", pid=42, uid=1000, gid=1000)
SECRET = "hunter2"


def _number(value: Any) -> int:
    if type(value) is not int:
        raise ValueError("must be a whole number")
    return value


class Desk:
    """Methods of every kind, and what was called."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.running = self.most = 0
        self.gate = asyncio.Event()
        value = Param("value", {}, lambda value: value, required=False)
        self.dispatcher = Dispatcher(
            {
                method.name: method
                for method in (
                    Method("echo", "", self._echo, (value,)),
                    Method(
                        "add", "", lambda _, b: b["a"] + b["b"], (self._int("a"), self._int("b"))
                    ),
                    Method("later", "", self._later, (value,)),
                    Method("hold", "", self._hold),
                    Method("crash", "", self._crash),
                    Method("crashLater", "", self._crash_later),
                    Method("refuse", "", self._refuse, errors=("not-found",)),
                    Method("refuseLater", "", self._refuse_later),
                    Method("unsayable", "", lambda *_: {"x": object()}),
                    Method("unsayableRefusal", "", self._unsayable_refusal),
                    Method("change", "", lambda *_: {"taskId": "a"}, changes=True),
                    Method("changeLater", "", self._later, (value,), changes=True),
                    Method("changeHeld", "", self._hold, changes=True),
                    Method("register", "", lambda _, b: {"body": b["body"]}, body={}, changes=True),
                )
            }
        )

    def _int(self, name: str) -> Param:
        return Param(name, {}, _number)

    def _echo(self, caller: Caller, bound: dict[str, Any]) -> Any:
        self.calls.append((caller, bound))
        return bound["value"]

    async def _later(self, caller: Caller, bound: dict[str, Any]) -> Any:
        await asyncio.sleep(0)
        return self._echo(caller, bound)

    async def _hold(self, *_: Any) -> str:
        self.running += 1
        self.most = max(self.most, self.running)
        await self.gate.wait()
        self.running -= 1
        return "held"

    def _crash(self, *_: Any) -> Any:
        raise RuntimeError(SECRET)

    async def _crash_later(self, *_: Any) -> Any:
        raise RuntimeError(SECRET)

    def _refuse(self, *_: Any) -> Any:
        raise ApiError.of("not-found", "there is no task x", taskId="x")

    async def _refuse_later(self, *_: Any) -> Any:
        self._refuse()

    def _unsayable_refusal(self, *_: Any) -> Any:
        raise ApiError.of("not-found", "no", what=object())

    async def ask(self, line: bytes | str) -> Any:
        raw = await self.ask_raw(line)
        return json.loads(raw) if raw else None

    async def ask_raw(self, line: bytes | str) -> bytes:
        answer = self.dispatcher.answer(line if isinstance(line, bytes) else line.encode(), CALLER)
        if isinstance(answer, Pending):
            answer = await answer.answer(asyncio.Semaphore(64))
        assert not answer or (answer.endswith(b"\n") and answer.count(b"\n") == 1)
        return answer


@pytest.fixture
def desk() -> Desk:
    return Desk()


def _line(method: str, params: Any = None, **more: Any) -> str:
    request = {"jsonrpc": "2.0", "method": method, **more}
    if params is not None:
        request["params"] = params
    return json.dumps(request)


async def test_answers_by_name_by_position_and_without_parameters(desk: Desk) -> None:
    """Parameters come named, in order, or not at all."""
    assert (await desk.ask(_line("add", {"a": 1, "b": 2}, id=1))) == {
        "jsonrpc": "2.0",
        "result": 3,
        "id": 1,
    }
    assert (await desk.ask(_line("add", [1, 2], id="x")))["result"] == 3
    assert (await desk.ask(_line("echo", id=1)))["result"] is None
    assert (await desk.ask(_line("register", {"self": 1, "caller": 2}, id=1)))["result"] == {
        "body": {"self": 1, "caller": 2}
    }


@pytest.mark.parametrize("method", ["echo", "later"])
@pytest.mark.parametrize(
    "more", [{"meta": {"trace": "4bf9"}}, {"result": 1}, {"error": None}, {"": []}, {"Params": 7}]
)
async def test_further_members_of_a_request_are_let_be(
    desk: Desk, method: str, more: dict[str, Any]
) -> None:
    """JSON-RPC forbids none: alone, in a batch and in a notification they change nothing."""
    request = json.loads(_line(method, ["x"], id=7, **more))
    assert await desk.ask(json.dumps(request)) == {"jsonrpc": "2.0", "result": "x", "id": 7}
    answers = await desk.ask(json.dumps([request, {**request, "id": 8}]))
    assert [(each["result"], each["id"]) for each in answers] == [("x", 7), ("x", 8)]
    del request["id"]
    assert await desk.ask(json.dumps([request])) is None


async def test_a_coroutine_is_awaited(desk: Desk) -> None:
    """What has to wait is pending, and answers the same way."""
    line = _line("later", ["x"], id=7)
    assert isinstance(pending := desk.dispatcher.answer(line.encode(), CALLER), Pending)
    assert json.loads(await pending.answer(asyncio.Semaphore(1)))["result"] == "x"
    assert desk.calls[0][0] is CALLER


@pytest.mark.parametrize("method", ["echo", "later"])
@pytest.mark.parametrize(
    "raw",
    [
        *("1", "0", "-5", '"1"', '"a/b"', '""', '"\\u0000"', "null", "1.5", "1.0"),
        *("9007199254740993", "18446744073709551616", "-123456789012345678901234567890"),
    ],
)
async def test_an_id_comes_back_as_it_was(desk: Desk, method: str, raw: str) -> None:
    """Every id that JSON-RPC allows is echoed exactly, to answers, errors and within batches."""
    text = f'{{"jsonrpc":"2.0","method":"{method}","id":{raw}}}'
    bad = f'{{"jsonrpc":"2.0","method":"{method}","params":3,"id":{raw}}}'
    unknown = f'{{"jsonrpc":"2.0","method":"nope","id":{raw}}}'
    for answer in [await desk.ask(line) for line in (text, bad, unknown)] + (
        await desk.ask(f"[{text},{bad},{unknown}]")
    ):
        assert answer["id"] == json.loads(raw)
        assert type(answer["id"]) is type(json.loads(raw))


async def test_duplicate_ids_get_an_answer_each(desk: Desk) -> None:
    """Ids are the client's business."""
    request = _line("echo", [1], id=1)
    assert [a["id"] for a in await desk.ask(f"[{request},{request}]")] == [1, 1]


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        (b"", -32700, "JSON"),
        (b"{", -32700, "JSON"),
        (b'{"jsonrpc":"2.0","method":"echo","id":1', -32700, "JSON"),
        (b"\x00", -32700, "JSON"),
        (b'"\xff\xfe"', -32700, "JSON"),
        (b'{"jsonrpc":"2.0","method":"echo","params":[NaN],"id":1}', -32700, "JSON"),
        (b'{"jsonrpc":"2.0","method":"echo","params":[Infinity],"id":1}', -32700, "JSON"),
        (b'{"jsonrpc":"2.0","method":"echo","id":1e999}', -32700, "JSON"),
        (b'{"jsonrpc":"2.0","method":"echo","id":' + b"9" * 5000 + b"}", -32700, "JSON"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, -32700, "JSON"),
        (b"[" * 100_000, -32700, "JSON"),
        (b"[1", -32700, "JSON"),
        (b"1", -32600, "object"),
        (b"null", -32600, "object"),
        (b'"x"', -32600, "object"),
        (b"{}", -32600, "jsonrpc"),
        (b'{"jsonrpc":2.0,"method":"echo","id":1}', -32600, "jsonrpc"),
        (b'{"jsonrpc":"2.0","id":1}', -32600, "method"),
        (b'{"jsonrpc":"2.0","method":1,"id":1}', -32600, "method"),
        (b'{"jsonrpc":"2.0","method":"echo","params":1,"id":1}', -32600, "params"),
        (b'{"jsonrpc":"2.0","method":"echo","params":"x","id":1}', -32600, "params"),
        (b'{"jsonrpc":"2.0","method":"echo","params":null,"id":1}', -32600, "params"),
        (b'{"jsonrpc":"2.0","method":"echo","id":true}', -32600, "id"),
        (b'{"jsonrpc":"2.0","method":"echo","id":[1]}', -32600, "id"),
        (b'{"jsonrpc":"2.0","method":"echo","id":{}}', -32600, "id"),
        (b"[]", -32600, "1 to 64"),
        (b"[" + b"1," * 64 + b"1]", -32600, "65"),
        (b'{"jsonrpc":"2.0","method":"nope","id":1}', -32601, "rpc.discover"),
        (b'{"jsonrpc":"2.0","method":"add","params":[1],"id":1}', -32602, "b: is required"),
        (b'{"jsonrpc":"2.0","method":"add","params":[1,2,3],"id":1}', -32602, "at most 2"),
        (b'{"jsonrpc":"2.0","method":"add","params":[1,"x"],"id":1}', -32602, "b: must be a whole"),
        (
            b'{"jsonrpc":"2.0","method":"add","params":{"a":1,"b":2,"c":3},"id":1}',
            -32602,
            "c: is no",
        ),
    ],
)
async def test_what_is_wrong_is_said(desk: Desk, line: bytes, code: int, says: str) -> None:
    """Each kind of bad input has its code, a sentence of ours and a reason for programs."""
    answer = await desk.ask(line)
    assert set(answer) == {"jsonrpc", "error", "id"}
    assert answer["error"]["code"] == code
    assert says in answer["error"]["message"]
    assert answer["error"]["data"]["reason"]


async def test_a_bad_request_keeps_an_id_that_can_be_seen(desk: Desk) -> None:
    """A client that pipelines learns which request was bad; an id of no allowed type is null."""
    assert (await desk.ask('{"jsonrpc":"1.0","method":"echo","id":9}'))["id"] == 9
    assert (await desk.ask('{"jsonrpc":"2.0","method":"echo","id":[9]}'))["id"] is None
    assert (await desk.ask('{"jsonrpc":"2.0","method":1}'))["id"] is None


@pytest.mark.parametrize("method", ["refuse", "refuseLater"])
async def test_a_refusal_is_told_as_it_is(desk: Desk, method: str) -> None:
    """Code, sentence and data of an ApiError reach the client."""
    error = (await desk.ask(_line(method, id=1)))["error"]
    data = {"reason": "not-found", "taskId": "x"}
    assert error == {"code": -32001, "message": "there is no task x", "data": data}


@pytest.mark.parametrize("method", ["crash", "crashLater", "unsayable", "unsayableRefusal"])
async def test_a_crash_is_an_incident(
    desk: Desk, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets a number, the log the traceback under it, once; the wire has none of it."""
    raw = await desk.ask_raw(_line(method, id=1))
    error = json.loads(raw)["error"]
    assert error["code"] == -32603
    assert SECRET.encode() not in raw
    assert b"object at" not in raw
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert error["data"]["incident"] == vars(record)["incident"]
    assert "uid=1000 pid=42" in record.getMessage()
    assert record.exc_info is not None


async def test_notifications_really_run_and_answer_nothing(desk: Desk) -> None:
    """Without an id nothing is answered, whatever comes of it; waiting ones run to their end."""
    methods = ("echo", "later", "crash", "crashLater", "refuse", "refuseLater", "unsayable", "nope")
    for method in methods:
        assert await desk.ask_raw(_line(method)) == b""
    assert len(desk.calls) == 2
    assert await desk.ask_raw(f"[{_line('echo')},{_line('later')}]") == b""
    assert len(desk.calls) == 4


async def test_a_batch_answers_each_element_in_order(desk: Desk) -> None:
    """Bad elements are answered one by one, notifications left out, order kept."""
    parts = [
        _line("later", [1], id="a"),
        "1",
        "[]",
        _line("echo", [2]),
        _line("echo", [3], id="b"),
        "{}",
        _line("nope", id="c"),
    ]
    answers = await desk.ask(f" \t[{','.join(parts)}]")
    assert [answer["id"] for answer in answers] == ["a", None, None, "b", None, "c"]
    assert [answer.get("result") for answer in answers] == [1, None, None, 3, None, None]
    assert [a["error"]["code"] for a in answers if "error" in a] == [-32600] * 3 + [-32601]


async def test_a_full_batch_is_answered(desk: Desk) -> None:
    """64 elements are allowed."""
    batch = f"[{','.join(_line('echo', [n], id=n) for n in range(BATCH_LIMIT))}]"
    assert [answer["result"] for answer in await desk.ask(batch)] == list(range(BATCH_LIMIT))


async def test_a_batch_waits_for_its_elements_together_within_the_slots(desk: Desk) -> None:
    """Elements of a batch are answered at the same time, as many as there are slots."""
    batch = f"[{','.join(_line('hold', id=n) for n in range(10))}]"
    pending = desk.dispatcher.answer(batch.encode(), CALLER)
    assert isinstance(pending, Pending)
    assert pending.weight == 10
    answer = asyncio.ensure_future(pending.answer(asyncio.Semaphore(4)))
    for _ in range(5):
        await asyncio.sleep(0)
    assert desk.running == 4
    desk.gate.set()
    assert len(json.loads(await answer)) == 10
    assert desk.most == 4


async def test_what_was_never_begun_can_be_let_go(desk: Desk) -> None:
    """A coroutine that nobody will await any more is closed without a warning."""
    pending = desk.dispatcher.answer(_line("later", id=1).encode(), CALLER)
    assert isinstance(pending, Pending)
    pending.close()
    assert desk.calls == []


async def test_each_change_is_logged_with_who_made_it(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """A change names method, task, uid and pid; reading and refusals are not logged."""
    caplog.set_level(logging.INFO)
    for line in (
        _line("change"),
        _line("changeLater", [1], id=1),
        _line("register", {"id": "b\nfake"}, id=1),
        _line("echo", id=1),
        _line("refuse", id=1),
    ):
        await desk.ask(line)
    who = "by rpc uid=1000 pid=42"
    assert [(each.getMessage(), vars(each)["task"]) for each in caplog.records] == [
        (f"change {who}", "a"),
        (f"changeLater {who}", None),
        (f"register {who}", "?"),
    ]


async def test_a_change_whose_caller_left_is_logged_too(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """Cancelling the wait for a change does not hide who asked for it."""
    caplog.set_level(logging.INFO)
    pending = desk.dispatcher.answer(_line("changeHeld", id=1).encode(), CALLER)
    assert isinstance(pending, Pending)
    assert pending.changes
    task = asyncio.ensure_future(pending.answer(asyncio.Semaphore(1)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert [r.getMessage() for r in caplog.records] == ["changeHeld by rpc uid=1000 pid=42"]


async def test_the_library_logs_nothing(desk: Desk, capfd: pytest.CaptureFixture[str]) -> None:
    """The logger of jsonrpcserver, which repeats messages of exceptions, is silent."""
    logging.getLogger("jsonrpcserver.dispatcher").error(SECRET)
    assert SECRET not in capfd.readouterr().err


def test_a_long_line_is_told_the_limit() -> None:
    """The answer to a line of more than 1 MiB has no id and names the limit."""
    answer = json.loads(too_long())
    assert answer["id"] is None
    assert answer["error"]["data"]["limit"] == 1 << 20


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
requests = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | json_values,
        "method": st.sampled_from(["echo", "add", "crash", "nope"]) | json_values,
        "params": json_values,
        "id": json_values,
        "more": json_values,
    },
)


@given((json_values | requests | st.lists(requests, max_size=4)).map(json.dumps).map(str.encode))
def test_any_json_gets_a_json_answer(line: bytes) -> None:
    """Whatever is asked, the answer is one JSON line or nothing, and nothing is raised."""
    logging.disable()
    answer = Desk().dispatcher.answer(line, CALLER)
    logging.disable(logging.NOTSET)
    assert isinstance(answer, bytes)
    if answer:
        assert json.loads(answer)


@given(st.binary(max_size=40))
def test_any_bytes_get_a_json_answer(line: bytes) -> None:
    """Bytes that are no JSON get an answer with an error too."""
    answer = Desk().dispatcher.answer(line, CALLER)
    assert isinstance(answer, bytes)
    assert "error" in json.loads(answer) or isinstance(json.loads(answer), list)


@given(json_values)
def test_a_request_without_fault_has_what_it_needs(value: Any) -> None:
    """Random JSON is practically never a request: the judge says what is wrong with it."""
    assert isinstance(fault(value), str)


async def test_a_change_that_is_repeated_is_a_line_a_minute(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also from another process of the same user, each minute's first with what was held back."""
    caplog.set_level(logging.INFO)
    now = 0.0
    monkeypatch.setattr("kaspad_taskd.api.changed._now", lambda: now)
    for second in range(121):
        now = float(second)
        caller = Caller("rpc", pid=second, uid=1000, gid=1000)
        desk.dispatcher.answer(_line("change", id=1).encode(), caller)
    assert [each.getMessage() for each in caplog.records] == [
        "change by rpc uid=1000 pid=0",
        "change by rpc uid=1000 pid=60, and 59 more",
        "change by rpc uid=1000 pid=120, and 59 more",
    ]
