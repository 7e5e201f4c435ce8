"""One request and one event over the bridge, with the types that quicktype made: taskd_events.py.

python events.py URL TOKEN SERVICE
"""

import asyncio
import sys

import socketio
from taskd_events import SyncStartEvent, WithTask, WizardRegistration


async def main(url: str, token: str, service: str) -> None:
    client = socketio.AsyncClient()
    started: asyncio.Future[SyncStartEvent] = asyncio.get_running_loop().create_future()
    client.on("sync:start", lambda data: started.set_result(SyncStartEvent.from_dict(data)))
    await client.connect(url, auth={"token": token})
    wanted = WizardRegistration.from_dict(
        {"type": "report", "service": service, "stallAfter": "1h"}
    )
    answer = WithTask.from_dict(await client.call("task:register", wanted.to_dict(), timeout=60))
    start = await asyncio.wait_for(started, 60)
    print(answer.task.id, answer.task.status.value, "sync:start", start.attempt)
    await client.disconnect()


asyncio.run(main(*sys.argv[1:]))
