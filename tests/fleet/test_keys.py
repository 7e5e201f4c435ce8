"""Names and ids in Redis: what is written is what is read, and of nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.fleet import keys

HOSTS = st.from_regex(keys.HOST, fullmatch=True)
PARTS = st.one_of(
    st.sampled_from([keys.NOW, keys.TASKS, keys.META, keys.PAST]),
    st.builds(keys.events_part, st.from_regex(r"[0-9a-f]{16}", fullmatch=True), st.integers(0, 99)),
)


@given(HOSTS, PARTS)
def test_a_key_is_taken_apart_again(host: str, part: str) -> None:
    assert keys.split(keys.key(host, part)) == (host, part)


@given(HOSTS, HOSTS, PARTS, PARTS)
def test_hosts_share_no_key(one: str, other: str, part: str, another: str) -> None:
    assert (keys.key(one, part) == keys.key(other, another)) == ((one, part) == (other, another))


@pytest.mark.parametrize("host", ["", ".a", "a b", "a}", "{a", "a:b", "a*", "ä", "x" * 65, "a\n"])
def test_no_other_name_is_a_host(host: str) -> None:
    with pytest.raises(ValueError, match="must be letters"):
        keys.key(host, keys.NOW)
    assert keys.split(f"taskd:{{{host}}}:now") is None


@pytest.mark.parametrize("name", ["", "taskd:a:now", "taskd:{a}", "taskd:{a}:", "xtaskd:{a}:now"])
def test_keys_of_others_are_left_alone(name: str) -> None:
    assert keys.split(name) is None


@given(st.integers(0, 2**64 - 1))
def test_an_id_is_its_number(number: int) -> None:
    assert keys.number_of(keys.entry_id(number)) == number


@pytest.mark.parametrize("entry", ["", "1", "1-1", "-1-0", "1-0 ", "a-0", "1-0-0", "٣-0"])
def test_other_ids_are_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="no id"):
        keys.number_of(entry)
