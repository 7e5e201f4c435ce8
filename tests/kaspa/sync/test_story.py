"""What the lines of a log add up to."""

from __future__ import annotations

import json
import pkgutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.kaspa.sync.lines import patterns, understand
from kaspad_taskd.kaspa.sync.story import ERROR_SPAN_MS, Story, answered, fold, from_json

NOW = 1_795_000_000_000


def tell(*texts: str, story: Story = Story(), at: int = NOW) -> Story:  # noqa: B008
    for text in texts:
        line = understand(text)
        assert line is not None, text
        story = fold(story, line, at)
    return story


def test_a_proof_leads_through_its_stages() -> None:
    """Each telling line moves on, with its count."""
    story = tell("IBD started with peer a:1", "Starting IBD with headers proof with peer a:1")
    assert (story.stage, story.kind, story.proofs, story.ibd_ms) == ("proof", "proof", 1, NOW)
    story = tell("Done processing trusted blocks", story=story)
    story = tell(
        "IBD: Processed 5 block headers (1%) last block timestamp: 2026-11-24 05:11:01.000:+0000",
        story=story,
    )
    assert (story.stage, story.done, story.header_ms) == ("headers", 5, 1795497061000)
    story = tell("SMT import 4096 of 9000 (45%)", story=story)
    assert (story.stage, story.done, story.total) == ("smt", 4096, 9000)
    story = tell("Finished receiving the UTXO set. Total UTXOs: 77", story=story)
    assert (story.stage, story.done, story.total) == ("utxo", 77, None)


def test_the_index_is_built_only_over_a_full_set() -> None:
    """The same line at a node's start means nothing."""
    assert tell("kaspad v2.1.0", "Resyncing the utxoindex...").stage is None
    full = tell("Finished receiving the UTXO set. Total UTXOs: 7", "Resyncing the utxoindex...")
    assert full.stage == "utxoindex"


def test_errors_count_for_an_hour() -> None:
    """A sync that breaks off again and again; few are kept."""
    broken = "IBD with peer a:1 completed with error: peer connection is closed"
    story = tell(*[broken] * 12)
    assert story.stage is None
    assert len(story.errors) == 8
    assert story.errors_since(NOW) == 8
    assert story.errors_since(NOW + ERROR_SPAN_MS) == 0


def test_a_rejected_question_stands_until_the_node_gets_on() -> None:
    """A node without --yes, under systemd: asks, gets no answer, exits, starts again."""
    stuck = tell("Do you confirm? (y/n)", "Operation was rejected (), exiting..", "kaspad v2.1.0")
    assert stuck.prompt
    assert not tell("GRPC Server starting on: 127.0.0.1:16110", story=stuck).prompt


@given(st.lists(st.sampled_from(sorted(patterns()[1])), max_size=30), st.data())
def test_any_order_of_lines_is_a_story_that_survives_json(names: list[str], data: object) -> None:
    """Restarts, errors, half-read logs: no order breaks it."""
    book = json.loads(pkgutil.get_data("kaspad_taskd.kaspa.sync", "log_patterns.json") or b"")
    story = tell(*(book["patterns"][name]["example"] for name in names))
    assert from_json(json.loads(json.dumps(story.to_json()))) == story


def test_garbage_is_an_empty_story() -> None:
    """A memory of another version, or damaged."""
    assert from_json(None) == Story()
    assert from_json({"stage": 5, "errors": ["x", 3], "prompt": "yes"}) == Story(errors=(3,))


PANIC = "thread 'main' panicked at database/src/db/conn_builder.rs:189:91: called"
IO = f'{PANIC} `Result::unwrap()` on an `Err` value: Error {{ message: "IO error: '
FULL = "No space left on device"
LAST_WORDS = {
    "lock": [IO + 'While lock file: /k/datadir/meta/LOCK: Resource temporarily unavailable" }'],
    "no-space": [f'{IO}{FULL}: While appending to file: /k/000123.log: {FULL}" }}'],
    "file-limit": [
        "thread 'main' (812) panicked at kaspad/src/main.rs:46:5:",
        "assertion failed: fd_total_budget > 0",
    ],
    "prompt": ["Do you confirm? (y/n)", "Operation was rejected (), exiting.."],
    "panic": [
        "thread 'virtual-processor' panicked at consensus/src/x.rs:1:2: index out of bounds",
        "thread 'virtual-processor' (812) panicked at consensus/src/x.rs:1:2:",
    ],
    "stopped": ["^SIGTERM - shutting down...", "Kaspad has stopped..."],
}
ALIVE = "IBD started with peer a:1"


@pytest.mark.parametrize("death", LAST_WORDS)
def test_the_cause_of_death_is_kept_until_it_lives_again(death: str) -> None:
    """What names it more exactly stands over the panic's other lines, and over a start alone."""
    story = tell("kaspad v2.1.0", ALIVE, *LAST_WORDS[death])
    assert (story.death, story.died_ms) == (death, NOW)
    if death in ("lock", "no-space"):
        hook = "thread 'main' (812) panicked at database/src/db/conn_builder.rs:189:91:"
        assert tell(hook, story=story).death == death
    story = tell("kaspad v2.1.0", story=story)
    assert (story.death, story.starts) == (death, (NOW, NOW))
    story = tell(ALIVE, story=story)
    assert (story.death, story.died_ms, story.again) == (None, None, False)


def test_what_is_said_beside_the_last_words_is_no_sign_of_life() -> None:
    """Other threads of the process that ends."""
    relay = f"Accepted 95 blocks ...{'a' * 64} via relay"
    story = tell("2026-11-29 14:00:00.000+00:00 [ERROR] thread 'a' panicked at b.rs:1:1: c")
    assert tell(f"2026-11-29 14:00:00.100+00:00 [INFO ] {relay}", story=story).death == "panic"
    assert tell(f"2026-11-29 14:02:00.000+00:00 [INFO ] {relay}", story=story).death is None


def test_who_answers_is_alive_unless_it_died_just_now() -> None:
    """A log of last week read for the first time, or one that is silent at its level."""
    died = tell(*LAST_WORDS["panic"])
    assert answered(Story(), died, NOW + 5_000) == died
    assert answered(died, died, NOW + 5_000).death is None
    assert answered(Story(), died, NOW + 90_000).death is None
    assert answered(Story(), Story(), NOW) == Story()


def test_another_end_has_another_cause() -> None:
    """Room on the disk again, and now a panic; a panic, and now somebody stops it."""
    story = tell(*LAST_WORDS["no-space"], "kaspad v2.1.0", *LAST_WORDS["panic"])
    assert story.death == "panic"
    assert tell("kaspad v2.1.0", *LAST_WORDS["stopped"], story=story).death == "stopped"


@pytest.mark.parametrize(
    ("text", "death"),
    [
        ("thread 'main' panicked at a.rs:1:2: assertion failed: fd_total_budget > 0", "file-limit"),
        ("thread 'a' panicked at b.rs:1:2: Os { message: \"Too many open files\" }", "file-limit"),
        ("called `Result::unwrap()` on an `Err` value: No space left on device", "no-space"),
        ("Error reading from console: stdin is closed, exiting..", "prompt"),
        ("^SIGTERM - halting", "stopped"),
        ("thread '<unnamed>' (812) panicked at b.rs:1:2:", "panic"),
        ("thread 'main' panicked at 'x', src/main.rs:1:2", "panic"),
    ],
)
def test_a_cause_is_told_by_whichever_line_names_it(text: str, death: str) -> None:
    """In the log, and as the runtime says it again, of today's and of older ones."""
    assert tell(text).death == death
    assert tell(f"2026-11-29 14:00:00.000+00:00 [ERROR] {text}").death == death


def test_what_a_peer_says_is_no_death() -> None:
    """Its words stand in our lines."""
    for said in ("panicked at x", "No space left on device", "IO error: While lock file: /LOCK"):
        for text in (
            f"P2P, got reject message: {said} from peer: 127.0.0.1:21200",
            f"IbdFlow flow error: {said}, disconnecting from peer 127.0.0.1:21200.",
            f"IBD with peer a:1 completed with error: {said}",
        ):
            assert tell(text).death is None


def test_the_starts_of_the_last_hour_are_counted() -> None:
    """The newest sixteen are kept."""
    story = tell(*["kaspad v2.1.0"] * 20)
    assert story.starts == (NOW,) * 16
    assert story.starts_since(NOW) == 16
    assert story.starts_since(NOW + ERROR_SPAN_MS) == 0


def test_blocks_from_the_future_are_a_witness_of_the_clock() -> None:
    """For an hour; a clock that was put right is not accused for ever."""
    line = (
        "HandleRelayInvsFlow flow error: the block timestamp is too far into the future: block "
        "timestamp is 1795960000000 but maximum timestamp allowed is 1795959000000, "
        "disconnecting from peer 127.0.0.1:21200."
    )
    story = tell(line, line)
    assert (story.future_blocks, story.future_ms) == (2, NOW)
    assert story.future_blocks_since(NOW) == 2
    assert story.future_blocks_since(NOW + ERROR_SPAN_MS) == 0
    assert tell(line, story=story, at=NOW + ERROR_SPAN_MS).future_blocks == 1


def test_peers_that_fell_silent_are_counted() -> None:
    """Given up after 120 s each."""
    lost = "IbdFlow flow error: timeout expired after 120s, disconnecting from peer 10.0.0.1:16111."
    assert tell(lost, lost).given_up_since(NOW) == 2
    assert tell(lost.replace("IbdFlow", "SendPingsFlow")).given_up == ()


def test_a_story_stays_small() -> None:
    """Whatever the log says: it is kept with the task."""
    story = Story(
        errors=(NOW,) * 8, starts=(NOW,) * 16, given_up=(NOW,) * 8, appdir="x" * 500, death="panic",
        died_ms=NOW, future_blocks=10**6, future_ms=NOW,
    )  # fmt: skip
    assert len(json.dumps(story.to_json())) < 1_500


def test_a_story_of_an_earlier_version_is_read() -> None:
    """The prompt was a field of its own."""
    assert from_json({"prompt": True}).death == "prompt"
