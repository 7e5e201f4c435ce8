"""Switches as they are driven: done, undone, cancelled, one at a time, recorded step by step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kaspad_taskd.core.fact import EventName
from kaspad_taskd.core.switch import Side, StepKey, Switch, SwitchReason, SwitchState
from kaspad_taskd.engine.errors import NotDurable
from kaspad_taskd.switching.hands import Bad
from kaspad_taskd.switching.switcher import PATIENCE, UNSAVED, AlreadyThere, Busy, Undeclared
from tests.fakes.hands import service
from tests.fakes.house import House, house

pytestmark = pytest.mark.looptime
LOCAL, PUBLIC = Side.LOCAL, Side.PUBLIC


@asynccontextmanager
async def home() -> AsyncIterator[House]:
    async with house() as built:
        built.services["kasia"] = service()
        yield built


async def to_end(built: House, to: Side = LOCAL) -> Switch:
    """Switch, and wait for the end."""
    await built.switcher.switch("kasia", to)
    await built.switcher.idle("kasia")
    return last(built)


def last(built: House) -> Switch:
    found = built.engine.switches.last("kasia")
    assert found is not None
    return found


async def told(built: House) -> list[EventName]:
    events = await built.store.events(0, 99)
    return [event.fact.name for event in events if event.fact.name.startswith("switch:")]


async def test_a_good_switch_ends_on_the_local_node() -> None:
    """Checked, written, restarted, verified; recorded as a decision; told step by step."""
    async with home() as built:
        begun = await built.switcher.switch("kasia", LOCAL)
        assert begun.current is not None
        assert begun.current.key is StepKey.CHECK
        await built.switcher.idle("kasia")
        assert last(built).state is SwitchState.DONE
        assert built.hands.world.where("kasia") == (LOCAL, LOCAL)
        decision = (await built.store.decisions())[-1]
        assert decision.decision == "switched-to-local-node"
        assert decision.context["service"] == "kasia"
        names = await told(built)
        assert names == [EventName.SWITCH_PROGRESS] * 4 + [EventName.SWITCH_COMPLETE]


@pytest.mark.parametrize("act", ["check", "refuse local", "apply local", "verify local"])
async def test_what_fails_is_undone(act: str) -> None:
    """Whichever step it is, the service runs on the public node as before."""
    async with home() as built:
        untouched = act in ("check", "refuse local")
        built.hands.bad[act] = Bad(SwitchReason.NO_ANSWER, {"unit": "k"}, touched=not untouched)
        ended = await to_end(built)
        assert (ended.state, ended.reason) == (SwitchState.UNDONE, SwitchReason.NO_ANSWER)
        assert built.hands.world.where("kasia") == (PUBLIC, PUBLIC)
        assert built.hands.world.restarts == ([] if untouched else [PUBLIC] if "apply" in act
                                              else [LOCAL, PUBLIC])  # fmt: skip
        assert await built.store.decisions() == []
        assert (await told(built))[-1] is EventName.SWITCH_ERROR


@pytest.mark.parametrize("act", ["refuse public", "apply public", "verify public"])
async def test_an_undo_that_fails_is_said(act: str) -> None:
    """The service may be down: that is no `undone`."""
    async with home() as built:
        built.hands.bad["verify local"] = Bad(SwitchReason.SERVICE_DIED)
        built.hands.bad[act] = Bad(SwitchReason.RESTART_FAILED)
        ended = await to_end(built)
        assert (ended.state, ended.reason) == (SwitchState.FAILED, SwitchReason.SERVICE_DIED)
        assert [step.reason for step in ended.steps if step.reason][-1] == "restart-failed"
        built.hands.bad.clear()  # somebody mends it, then asks for the public node once more
        again = await to_end(built, PUBLIC)
        assert again.state is SwitchState.DONE


async def test_how_long_a_service_was_away_is_kept() -> None:
    """From its restart until it was seen to work: there, or back again; not of one untouched."""
    async with home() as built:
        built.hands.takes["apply local"] = 4.0
        done = await to_end(built)
        assert done.away == 4000 + 500  # and until it was verified
        built.hands.bad["verify public"] = Bad(SwitchReason.NO_ANSWER)
        undone = await to_end(built, PUBLIC)
        assert undone.state is SwitchState.UNDONE
        assert undone.away == 500 + 500 + 500 + 4000 + 500
        assert built.engine.switches.measured("kasia") == undone
        built.hands.bad["check"] = Bad(SwitchReason.UNIT_MISSING)
        assert (await to_end(built, PUBLIC)).away is None
        assert built.engine.switches.measured("kasia") == undone


async def test_a_killed_undo_is_looked_at_before_it_is_called_failed() -> None:
    """Its helper may have done its work; one that has not is told as it is."""
    async with home() as built:
        built.hands.bad["verify local"] = Bad(SwitchReason.SERVICE_DIED)
        built.hands.killed.add("apply public")
        assert (await to_end(built)).state is SwitchState.UNDONE
        assert built.hands.world.where("kasia") == (PUBLIC, PUBLIC)
        built.hands.bad["verify public"] = Bad(SwitchReason.NO_ANSWER)
        assert (await to_end(built)).state is SwitchState.FAILED


async def test_an_undo_whose_helper_was_killed_before_it_wrote_is_tried_once_more() -> None:
    """Once: what kills it each time ends it."""
    async with home() as built:
        built.hands.bad["verify local"] = Bad(SwitchReason.SERVICE_DIED)
        built.hands.kill_first = 1
        assert (await to_end(built)).state is SwitchState.UNDONE
        built.hands.kill_first = 2
        assert (await to_end(built)).state is SwitchState.FAILED


async def test_a_held_service_is_held_over_restarts() -> None:
    """Until somebody lets go; each is on record, and what changes nothing is not."""
    async with home() as built:
        await built.switcher.hold("kasia", hold=True)
        await built.switcher.hold("kasia", hold=True)
        assert (await to_end(built)).state is SwitchState.DONE  # by hand it is switched
        store = built.store
    async with house(store) as built:
        built.services["kasia"] = service()
        assert built.switcher.held("kasia")
        await built.switcher.hold("kasia", hold=False)
        assert not built.switcher.held("kasia")
        with pytest.raises(Undeclared):
            await built.switcher.hold("ski", hold=True)
        decisions = [each.decision for each in await built.store.decisions()]
        assert decisions == ["service-held", "switched-to-local-node", "service-released"]
        built.store.fail_next("disk full")
        with pytest.raises(NotDurable):
            await built.switcher.hold("kasia", hold=True)
        assert not built.switcher.held("kasia")


@pytest.mark.parametrize("crash", ["check", "apply local", "verify local"])
async def test_a_fault_of_ours_is_undone_as_well(
    crash: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With an incident, under which the log has the traceback."""
    async with home() as built:
        built.hands.crash.add(crash)
        ended = await to_end(built)
        assert (ended.state, ended.reason) == (SwitchState.UNDONE, SwitchReason.FAULT)
        assert ended.facts["incident"] in [vars(each).get("incident") for each in caplog.records]
        assert built.hands.world.where("kasia") == (PUBLIC, PUBLIC)


@pytest.mark.parametrize("after", [0.1, 0.6, 0.8, 1.1, 1.3, 1.6, 1.9])
async def test_public_during_a_switch_turns_it_round(after: float) -> None:
    """At any moment: it ends where it began, by one undo, and never with two helpers at work."""
    async with home() as built:
        begun = await built.switcher.switch("kasia", LOCAL)
        await asyncio.sleep(after)
        turned = await built.switcher.switch("kasia", PUBLIC)
        assert (turned.id, turned.reason) == (begun.id, SwitchReason.CANCELLED)
        await built.switcher.idle("kasia")
        assert last(built).state is SwitchState.UNDONE
        assert built.hands.world.where("kasia") == (PUBLIC, PUBLIC)
        assert built.hands.world.most_helpers <= 1
        assert (await told(built)).count(EventName.SWITCH_ERROR) == 1


async def test_one_switch_of_a_service_at_a_time() -> None:
    """A second one to the same side, or during an undo, is refused; another service has its own."""
    async with home() as built:
        built.services["ski"] = service()
        await built.switcher.switch("kasia", LOCAL)
        with pytest.raises(Busy):
            await built.switcher.switch("kasia", LOCAL)
        await built.switcher.switch("ski", LOCAL)
        await asyncio.sleep(0.8)
        await built.switcher.switch("kasia", PUBLIC)
        with pytest.raises(Busy):
            await built.switcher.switch("kasia", PUBLIC)
        await built.switcher.idle("kasia")
        await built.switcher.idle("ski")
        assert built.hands.world.where("ski") == (LOCAL, LOCAL)


async def test_who_is_there_is_left_alone() -> None:
    """Unless the settings changed, or it does not work there."""
    async with home() as built:
        with pytest.raises(Undeclared):
            await built.switcher.switch("nobody", LOCAL)
        with pytest.raises(AlreadyThere):
            await built.switcher.switch("kasia", PUBLIC)
        await to_end(built)
        with pytest.raises(AlreadyThere):
            await built.switcher.switch("kasia", LOCAL)
        built.hands.world.fresh = False
        assert (await to_end(built)).state is SwitchState.DONE
        back = await to_end(built, PUBLIC)
        assert (back.state, back.back) == (SwitchState.DONE, LOCAL)


async def test_a_service_that_leaves_the_settings_meanwhile() -> None:
    """Nothing can be done with it any more, and that is said."""
    async with home() as built:
        built.hands.takes["check"] = 5.0
        await built.switcher.switch("kasia", LOCAL)
        await asyncio.sleep(1)
        built.services.clear()
        await built.switcher.idle("kasia")
        ended = last(built)
        assert (ended.state, ended.reason) == (SwitchState.UNDONE, SwitchReason.UNDECLARED)
        assert built.hands.world.where("kasia") == (PUBLIC, PUBLIC)


async def test_a_full_disk_begins_nothing() -> None:
    """What cannot be recorded is not begun."""
    async with home() as built:
        built.store.fail_next("the disk is full")
        with pytest.raises(NotDurable):
            await built.switcher.switch("kasia", LOCAL)
        assert built.hands.done == []
        assert (await to_end(built)).state is SwitchState.DONE


@pytest.mark.parametrize("full", [0.2, 0.7, 1.2, 1.7])
async def test_a_disk_that_fills_up_meanwhile_brings_it_back(
    full: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a minute, at any step; recorded when there is room again."""
    async with home() as built:
        submit, broken = built.store.submit, [False]

        def refuse(change: object) -> None:
            if broken[0]:
                raise OSError("the disk is full")
            submit(change)  # type: ignore[arg-type]

        monkeypatch.setattr(built.store, "submit", refuse)
        await built.switcher.switch("kasia", LOCAL)
        await asyncio.sleep(full)
        broken[0] = True
        await asyncio.sleep(UNSAVED + 4 * PATIENCE)
        done = last(built)  # the last record of before
        where = built.hands.world.where("kasia")
        broken[0] = False
        await built.switcher.idle("kasia")
        ended = last(built)
        assert not done.state.ended
        if full < 1.7:
            assert (ended.state, ended.reason) == (SwitchState.UNDONE, SwitchReason.NOT_SAVED)
            assert where == (PUBLIC, PUBLIC)
        else:  # all was done but for the record
            assert (ended.state, where) == (SwitchState.DONE, (LOCAL, LOCAL))


async def test_a_stop_leaves_it_to_the_next_start() -> None:
    """Journalled where it was; the next daemon goes on, without another restart."""
    async with home() as built:
        await built.switcher.switch("kasia", LOCAL)
        await asyncio.sleep(1.6)
        assert last(built).state is SwitchState.RUNNING
    following = House(built.store)
    following.hands.world = built.hands.world
    following.services["kasia"] = service()
    following.start()
    await asyncio.sleep(3)
    assert last(following).state is SwitchState.DONE
    assert following.hands.world.restarts == [LOCAL]
    await following.stop()


async def test_one_that_goes_on_after_a_start_can_be_turned_round_too() -> None:
    """Its helper has not written yet: what the file says is no proof that the undo is done."""
    async with home() as built:
        await built.switcher.switch("kasia", LOCAL)
        await asyncio.sleep(0.55)  # it is about to write
        assert last(built).current is not None
    following = House(built.store)
    following.hands.world = built.hands.world
    world = following.hands.world
    for helper in world.helpers.values():
        helper.cancel()  # the whole host was down
    await asyncio.sleep(0)
    world.files["kasia"] = world.started["kasia"] = PUBLIC
    following.services["kasia"] = service()
    following.start()
    await asyncio.sleep(0.2)
    assert (await following.switcher.switch("kasia", PUBLIC)).reason is SwitchReason.CANCELLED
    await following.switcher.idle("kasia")
    assert last(following).state is SwitchState.UNDONE
    assert world.where("kasia") == (PUBLIC, PUBLIC)
    await following.stop()


async def test_one_that_was_never_on_record_is_not_said_to_be_turned_round() -> None:
    """The disk is full: nothing was begun, whoever asks."""
    async with home() as built:
        await asyncio.sleep(0.1)
        built.store.fail_next("the disk is full")
        asked = (built.switcher.switch("kasia", side) for side in (LOCAL, PUBLIC))
        ends = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(each) for each in ends] == [NotDurable, NotDurable]
