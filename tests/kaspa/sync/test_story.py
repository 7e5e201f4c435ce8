"""What the lines of a log add up to."""

from __future__ import annotations

import json
import pkgutil

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.kaspa.sync.lines import patterns, understand
from kaspad_taskd.kaspa.sync.story import ERROR_SPAN_MS, Story, fold, from_json

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
