#!/usr/bin/env bash
# What: after a call that lost its connection, a deadline around it raises CancelledError in place of
#   TimeoutError; in a task group the deadline, and whatever it was for, vanish without an error.
# Versions: grpclib 0.4.9 (the newest), h2 4.4.1, protobuf 7.36.2; Python 3.11, 3.12, 3.13.
# Expected: the call ends with StreamTerminatedError, which is caught; what the task does next in the
#   same asyncio.timeout() is cut by it with TimeoutError, as everywhere else.
# Seen: the library wakes whoever waits in a call by cancelling the task, makes its own error of the
#   CancelledError and never takes the cancellation back: Task.cancelling() stays 1 for as long as
#   the task lives. asyncio.timeout() finds more cancellations than its own and lets CancelledError
#   out; asyncio.TaskGroup takes that for a task that somebody cancelled.
# Bites: since Python 3.11, which brought Task.uncancel(), timeout() and TaskGroup: each deadline that
#   is around more than the call alone, as around a loop that connects anew.
# Here: kaspad_taskd/kaspa/grpc.py takes it back where a caller's task sends (`uncancel`), and reads
#   in a task that ends with its connection.
# Needs: python3, 3.11 or newer, with venv.
set -euo pipefail

here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

python3 -m venv "$here/venv"
"$here/venv/bin/pip" --quiet --disable-pip-version-check install \
  grpclib==0.4.9 h2==4.4.1 protobuf==7.36.2

cat >"$here/look.py" <<'PYTHON'
import asyncio
import subprocess
import sys
from importlib.metadata import version

from google.protobuf.empty_pb2 import Empty
from grpclib.client import Channel
from grpclib.const import Cardinality, Handler
from grpclib.exceptions import StreamTerminatedError
from grpclib.server import Server

PATH = "/look.Look/Talk"


class Talk:
    """Takes one message, and then says nothing."""

    async def talk(self, stream):
        await stream.recv_message()
        await stream.send_initial_metadata()
        await asyncio.sleep(600)

    def __mapping__(self):
        return {PATH: Handler(self.talk, Cardinality.STREAM_STREAM, Empty, Empty)}


async def serve():
    server = Server([Talk()])
    await server.start("127.0.0.1", 0)
    print(server._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(600)


async def lose_a_call():
    """Make a call whose server is killed while an answer is waited for."""
    server = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE)
    channel = Channel("127.0.0.1", int(server.stdout.readline()))
    try:
        call = channel.request(PATH, Cardinality.STREAM_STREAM, Empty, Empty)
        async with call as stream:
            await stream.send_message(Empty())
            await stream.recv_initial_metadata()
            asyncio.get_running_loop().call_later(0.2, server.kill)
            await stream.recv_message()
    except StreamTerminatedError as error:
        print(f"  the call ends: {type(error).__name__}: {error}")
    else:
        raise SystemExit("changed: the call does not end with StreamTerminatedError")
    finally:
        server.kill()
        server.wait()
        channel.close()


async def in_time(first):
    """Do `first`, then what takes too long; return what the deadline makes of it."""
    try:
        async with asyncio.timeout(60) as deadline:
            await first()
            deadline.reschedule(asyncio.get_running_loop().time() + 0.5)
            await asyncio.sleep(60)
    except (TimeoutError, asyncio.CancelledError) as error:
        print(f"  the deadline raises {type(error).__name__},", end=" ")
        print(f"cancelling() is {asyncio.current_task().cancelling()}")
        raise


async def in_a_group(first):
    """Return the errors that a task group with this task ends with."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(in_time(first))
    except ExceptionGroup as errors:
        return [type(error).__name__ for error in errors.exceptions]
    return []


async def nothing():
    pass


async def main():
    print("grpclib", version("grpclib"))
    found = [await in_a_group(nothing), await in_a_group(lose_a_call)]
    print(f"  the groups end with {found[0]} and {found[1]}")
    if found != [["TimeoutError"], []]:
        raise SystemExit("changed: a deadline after a lost call is a deadline again")


asyncio.run(serve() if sys.argv[1:] else main())
PYTHON
"$here/venv/bin/python" "$here/look.py"
echo "as stated"
