"""One call and one event over the Unix socket, with the types that quicktype made: taskd_rpc.py.

python rpc.py SOCKET SERVICE
"""

import json
import socket
import sys
from collections.abc import Iterator
from typing import Any

from taskd_rpc import Event, Registered, Registration, SyncStartEvent


def lines(path: str, *requests: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Send the requests; give what comes, a JSON text a line."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(60)
        line.connect(path)
        for number, request in enumerate(requests):
            line.sendall(json.dumps({"jsonrpc": "2.0", "id": number, **request}).encode() + b"\n")
        for text in line.makefile("rb"):
            yield json.loads(text)


def main(path: str, service: str) -> None:
    wanted = Registration.from_dict({"type": "report", "service": service, "stallAfter": "1h"})
    answer, event = None, None
    for message in lines(
        path, {"method": "subscribe"}, {"method": "registerTask", "params": wanted.to_dict()}
    ):
        if message.get("id") == 1:
            answer = Registered.from_dict(message["result"])
        if message.get("method") == "event" and message["params"]["event"] == "sync:start":
            event = Event.from_dict(message["params"])
        if answer and event:
            start = SyncStartEvent.from_dict(event.data)
            print(answer.task.id, answer.task.status.value, event.event, start.attempt)
            return


main(sys.argv[1], sys.argv[2])
