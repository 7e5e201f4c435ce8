"""Guarantees of what is told of settings that changed."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.config.changes import changed_keys, need_restart
from kaspad_taskd.config.settings import Settings, parse_settings

SERVICE = """
[services.k]
unit = "k.service"
node = "grpc://localhost"
env = {A = "1"}
"""
COMPOSE = """
[services.k]
compose = {project = "p", file = "/c", service = "k"}
verify = {http = "http://localhost/"}
node = "grpc://localhost"
env = {A = "2"}
"""


def settings(text: str) -> Settings:
    found = parse_settings(tomllib.loads(text))
    assert isinstance(found, Settings), found
    return found


@pytest.mark.parametrize(
    ("old", "new", "keys"),
    [
        ("", 'log_level = "info"\n[bridge]\nlisten = "127.0.0.1:3080"', []),
        ('log_level = "debug"', 'backup_max_age = "7d"', ["backup_max_age", "log_level"]),
        ("", '[bridge]\nlisten = "off"\norigins = ["https://o"]',
         ["bridge.listen", "bridge.origins"]),
        ('[databases.a]\ndsn_file = "/a"\n[databases."b.c"]\ndsn_file = "/b"',
         '[databases.a]\ndsn_file = "/x"\n[databases.d]\ndsn_file = "/d"',
         ["databases.\"b.c\"", "databases.a.dsn_file", "databases.d"]),
        ("", SERVICE, ["services.k"]),
        (SERVICE, SERVICE.replace('"1"', '"2"') + 'network = "testnet-10"',
         ["services.k.env", "services.k.network"]),
        (SERVICE, SERVICE.replace("k.service", "x.service"), ["services.k.unit"]),
        (SERVICE, COMPOSE,
         ["services.k.compose", "services.k.env", "services.k.unit", "services.k.verify"]),
    ],
)  # fmt: skip
def test_each_key_that_means_something_else_is_told(old: str, new: str, keys: list[str]) -> None:
    """As faults name it; both ways alike."""
    assert changed_keys(settings(old), settings(new)) == sorted(keys)
    assert changed_keys(settings(new), settings(old)) == sorted(keys)


def test_what_needs_a_restart_is_held_against_the_start() -> None:
    """However often the settings were read since then."""
    assert need_restart(Settings(), settings('probes = ["p"]\n[bridge]\nhosts = ["h"]')) == [
        "bridge", "probes",
    ]  # fmt: skip
    assert need_restart(Settings(), settings('log_level = "debug"' + SERVICE)) == []


TEXTS = st.sampled_from(["", SERVICE, COMPOSE]).flatmap(
    lambda service: st.sampled_from(["info", "debug"]).flatmap(
        lambda level: st.sampled_from(["off", "127.0.0.1:1"]).map(
            lambda listen: f'log_level = "{level}"\n[bridge]\nlisten = "{listen}"\n{service}'
        )
    )
)


@given(TEXTS, TEXTS)
def test_nothing_is_told_exactly_where_nothing_changed(old: str, new: str) -> None:
    """Whatever stands there."""
    before, after = settings(old), settings(new)
    assert (changed_keys(before, after) == []) is (before == after)
