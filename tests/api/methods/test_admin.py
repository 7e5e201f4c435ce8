"""What may be asked of the daemon itself."""

from __future__ import annotations

import pytest

from kaspad_taskd.version import __version__
from tests.api.house import ApiHouse

pytestmark = pytest.mark.looptime


async def test_ping(house: ApiHouse) -> None:
    """It answers with the version and where the journal is."""
    assert await house.ask("ping") == {"pong": True, "version": __version__, "seq": 0}


async def test_info(house: ApiHouse) -> None:
    """The daemon's own words, and how many tasks are in which status."""
    for service in ("a", "b", "c"):
        await house.ask("registerTask", type="report", service=service)
    await house.ask("cancelTask", taskId="report-b")
    info = await house.ask("getInfo")
    assert info["version"] == __version__
    assert info["seq"] == house.engine.seq
    assert info["tasks"] == {
        "total": 3,
        "byStatus": {
            "pending": 0, "in-progress": 2, "paused": 0, "complete": 0, "error": 0, "cancelled": 1},
    }  # fmt: skip
    assert info["host"] == "here"


async def test_shutdown(house: ApiHouse) -> None:
    """It says how many monitors stop, and changes no task."""
    for service in ("a", "b", "c"):
        await house.ask("registerTask", type="report", service=service)
    await house.ask("pauseTask", taskId="report-b")
    seq = house.engine.seq
    assert await house.ask("shutdown") == {"success": True, "tasksCleaned": 2}
    assert house.host.stopped == 1
    assert house.engine.seq == seq


async def test_a_backup_that_cannot_be_written(house: ApiHouse) -> None:
    """store-unavailable, with why."""
    no = await house.no("backup")
    assert (no.code, no.reason) == (-32006, "store-unavailable")
    assert "/nowhere/backup.db" in no.message


async def test_a_crash_says_its_incident_alone(
    house: ApiHouse, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log has the traceback under the incident's number; the wire has nothing of it."""

    def crash() -> None:
        raise RuntimeError("secret /etc/shadow")

    monkeypatch.setattr(house.host, "info", crash)
    answer = await house.raw("getInfo", {})
    error = answer["error"]
    assert error["code"] == -32603
    assert error["data"]["incident"] in error["message"]
    assert "secret" not in str(answer)
    assert error["data"]["incident"] in [vars(each).get("incident") for each in caplog.records]
    assert "secret" in caplog.text


async def test_which_service_goes_where(house: ApiHouse) -> None:
    """Where a service shall go is `local` or `public`."""
    no = await house.no("switchService", service="x", to="mars")
    assert (no.code, no.data["parameter"]) == (-32602, "to")
    assert "local, public" in no.message
