"""Guarantees of `kaspad_taskd.config.settings` and `switched`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.config.places import Places
from kaspad_taskd.config.settings import (
    FILES,
    LOOPBACK,
    Address,
    Bridge,
    Settings,
    doubtful,
    load_settings,
    parse_listen,
    parse_settings,
)
from kaspad_taskd.config.switched import Compose, SwitchedService, Unit, VerifyHttp, VerifyTask

SHIPPED = Path(__file__).parents[2] / "etc/kaspad-taskd/kaspad-taskd.toml"


def sound(text: str) -> Settings:
    settings = parse_settings(tomllib.loads(text))
    assert isinstance(settings, Settings), settings
    return settings


def told(text: str) -> dict[str, str]:
    """The problems by key."""
    faults = parse_settings(tomllib.loads(text), "/s.toml")
    assert isinstance(faults, list)
    assert all(fault.file == "/s.toml" for fault in faults)
    return {fault.key: fault.problem for fault in faults}


def places(settings: Path, *, told: bool = False) -> Places:
    root = settings.parent
    return Places(settings, None, root, root, root, told)


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    """No file, an empty file and the shipped file mean the same."""
    assert load_settings(places(tmp_path / "none.toml")) == Settings()
    assert parse_settings({}) == Settings()
    assert load_settings(places(SHIPPED)) == Settings()
    assert Settings().bridge.listen == Address("127.0.0.1", 3080)
    assert Settings().allow_hosts == (LOOPBACK, FILES)


@pytest.mark.parametrize("kind", ["named", "dangling", "directory", "broken"])
def test_a_file_that_is_wanted_must_be_readable(tmp_path: Path, kind: str) -> None:
    """A named file that is missing, or one that cannot be read, is a fault with its path."""
    path = tmp_path / "s.toml"
    if kind == "dangling":
        path.symlink_to("nowhere")
    if kind == "directory":
        path.mkdir()
    if kind == "broken":
        path.write_text("[bridge")
    faults = load_settings(places(path, told=kind == "named"))
    assert isinstance(faults, list)
    assert [fault.file for fault in faults] == [str(path)]


def test_everything_shown_in_the_shipped_file_works() -> None:
    """With each `#key` set the file is sound, and what it calls a default is one."""
    text = re.sub(r"(?m)^#(?=[a-z_]+ = |\[)", "", SHIPPED.read_text())
    settings = sound(text)
    assert settings.bridge == Bridge(token_file=Path("/etc/kaspad-taskd/secrets/bridge.token"))
    assert (settings.log_level, settings.allow_hosts) == ("info", Settings().allow_hosts)
    assert settings.databases == {"explorer": Path("/etc/kaspad-taskd/secrets/explorer.dsn")}
    assert settings.services == {
        "kasia-indexer": SwitchedService(
            Unit("kasia-indexer.service"),
            "grpc://localhost:16110",
            "mainnet",
            {"KASPA_NODE_WBORSH_URL": "ws://127.0.0.1:17110"},
            {"KASPA_NODE_WBORSH_URL": "wss://kaspa.example.org"},
            VerifyTask("indexer-sync-kasia-indexer", 120.0),
            dsn="explorer",
        )
    }


def test_a_service_of_compose() -> None:
    """A compose service stands in place of a unit; success can be an HTTP answer."""
    settings = sound("""
        [services.k]
        compose = {project = "kaspa", file = "/srv/c.yml", service = "k"}
        node = "grpc://[::1]"
        env = {A = "1"}
        verify = {http = "http://localhost:8080/health", within = "10s"}
    """)
    assert settings.services["k"] == SwitchedService(
        Compose("kaspa", Path("/srv/c.yml"), "k"),
        "grpc://[::1]:16110",
        "mainnet",
        {"A": "1"},
        {},
        VerifyHttp("http://localhost:8080/health", 10.0),
    )


FALLING = """
    [services.k]
    unit = "k.service"
    node = "grpc://localhost"
    env = {{A = "1"}}
    {}
"""


def test_a_service_may_leave_a_node_that_is_lost() -> None:
    """By default it stays; each key has its own default."""
    stays, falls = sound(FALLING.format("")), sound(FALLING.format('fallback = "public"'))
    found = stays.services["k"]
    known = (found.fallback, found.fallback_after, found.return_after, found.flips, found.auto)
    assert known == ("stay", 600.0, 1800.0, 4, True)
    assert falls.services["k"] == replace(found, fallback="public")
    keys = 'fallback_after = "5min"\nreturn_after = "2h"\nflips = 2\nauto = false'
    other = sound(FALLING.format(keys)).services["k"]
    assert (other.fallback_after, other.return_after) == (300.0, 7200.0)
    assert (other.flips, other.auto) == (2, False)


@pytest.mark.parametrize(
    ("line", "key"),
    [('fallback = "local"', "fallback"), ("fallback = true", "fallback"),
     ('fallback_after = "0s"', "fallback_after"), ('return_after = "soon"', "return_after"),
     ("flips = 0", "flips"), ("flips = 1000", "flips"), ('auto = "no"', "auto")],
)  # fmt: skip
def test_what_is_no_fallback_is_a_fault_at_its_key(line: str, key: str) -> None:
    """Each is told by its own name."""
    assert told(FALLING.format(line)).keys() == {f"services.k.{key}"}


def test_a_fallback_that_only_people_may_begin_is_doubtful() -> None:
    """It is taken as it is, with a warning."""
    (doubt,) = doubtful(sound(FALLING.format('fallback = "public"\nauto = false')))
    assert doubt.key == "services.k.fallback"
    assert list(doubtful(sound(FALLING.format("auto = false")))) == []


@pytest.mark.parametrize("project", ["Kaspa", "kas.pa", "_kaspa", "-p"])
def test_a_project_has_a_name_that_compose_takes(project: str) -> None:
    """Else it would be learnt in the middle of a switch."""
    assert told(f"""
        [services.k]
        compose = {{project = "{project}", file = "/srv/c.yml", service = "k"}}
        node = "grpc://localhost"
        env = {{A = "1"}}
        verify = {{http = "http://localhost:8080/health"}}
    """).keys() == {"services.k.compose.project"}


def test_a_container_needs_a_sign_of_its_own() -> None:
    """Nobody sees from outside whether it stays up."""
    faults = told("""
        [services.k]
        compose = {project = "kaspa", file = "/srv/c.yml", service = "k"}
        node = "grpc://localhost"
        env = {A = "1"}
    """)
    assert list(faults) == ["services.k.verify"]


@pytest.mark.parametrize("name", ["LD_PRELOAD", "PATH", "DOCKER_HOST", "COMPOSE_FILE", "HOME"])
def test_a_variable_is_an_endpoint_and_no_more(name: str) -> None:
    """Root runs programs with these values."""
    faults = told(f"""
        [services.k]
        unit = "k.service"
        node = "grpc://localhost"
        env = {{{name} = "x"}}
    """)
    assert list(faults) == ["services.k.env"]


@pytest.mark.parametrize("value", ["a\\nb", "a\\rb", "a\\u0000b", "a\\u001bb", "a\\u2028b"])
def test_a_value_is_one_line(value: str) -> None:
    """Nothing can stand below it in the endpoint file."""
    faults = told(f"""
        [services.k]
        unit = "k.service"
        node = "grpc://localhost"
        env = {{A = "{value}"}}
    """)
    assert list(faults) == ["services.k.env"]


def test_a_services_database_is_one_of_the_settings() -> None:
    """By its name there."""
    text = """
        {}
        [services.k]
        unit = "k.service"
        node = "grpc://localhost"
        env = {{A = "1"}}
        dsn = "ski"
    """
    assert list(told(text.format(""))) == ["services.k.dsn"]
    database = '[databases.ski]\ndsn_file = "/x"'
    assert sound(text.format(database)).services["k"].dsn == "ski"


def test_all_faults_come_at_once() -> None:
    """Each wrong key is named with its full path."""
    assert told("""
        log_level = "chatty"
        allow_hosts = ["http://x"]
        log_levl = "info"
        [bridge]
        listen = "3080"
        origins = ["*"]
        hosts = ["a/b"]
        token_file = "token"
        [databases."a b"]
        dsn_file = "/x"
        [databases.c]
        [services.k]
        unit = "k.service; reboot"
        node = "http://localhost"
        network = "mainet"
        env = {"A-B" = "1"}
        public_env = {A = "two\\nlines"}
        verify = {task = "t", http = "http://h/"}
        [services.two]
        unit = "a.service"
        compose = {project = "../x", file = "c.yml", service = "s"}
        node = "grpc://u:p@h:16110"
        env = {}
        verify = {http = "http://u:p@h/", within = "1ms"}
    """).keys() == {
        *("log_level", "allow_hosts", "log_levl", "bridge.listen", "bridge.origins"),
        *("bridge.hosts", "bridge.token_file", 'databases."a b"', "databases.c.dsn_file"),
        *("services.k.unit", "services.k.node", "services.k.network", "services.k.env"),
        *("services.k.public_env", "services.k.verify", "services.two.unit"),
        *("services.two.compose.project", "services.two.compose.file", "services.two.node"),
        *("services.two.env", "services.two.verify.within", "services.two.verify.http"),
    }


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("loopback", LOOPBACK),
        ("files", FILES),
        ("node.example.org", Address("node.example.org")),
        ("10.1.2.3:16110", Address("10.1.2.3", 16110)),
        ("10.0.0.0/8", Address("10.0.0.0/8")),
        ("::1", Address("::1/128")),
        ("[fd00::1]:16110", Address("fd00::1", 16110)),
    ],
)
def test_hosts_that_may_be_asked(text: str, address: Address) -> None:
    """A host, a host with a port, a network, an IPv6 address: each is understood."""
    assert sound(f'allow_hosts = ["{text}"]').allow_hosts == (address,)


@pytest.mark.parametrize(
    "text", ["", "a b", "a:", "a:x", "a:70000", "u@a", "10.0.0.1/8", "[::1", "a/b", "-a", "[a]:1"]
)
def test_what_is_no_host(text: str) -> None:
    """Anything else is a fault."""
    assert told(f'allow_hosts = ["{text}"]').keys() == {"allow_hosts"}


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("off", None),
        ("0.0.0.0:0", Address("0.0.0.0", 0)),
        ("[::]:3080", Address("::", 3080)),
        ("localhost:3080", Address("localhost", 3080)),
    ],
)
def test_where_the_bridge_listens(text: str, address: Address | None) -> None:
    """The setting and `--bridge` say it alike, and an address is shown as it was written."""
    assert parse_listen(text) == address
    assert sound(f'[bridge]\nlisten = "{text}"').bridge.listen == address
    assert address is None or str(address) == text


@pytest.mark.parametrize("text", ["", "3080", "127.0.0.1", ":3080", "::1:3080", "http://a:1"])
def test_where_no_bridge_can_listen(text: str) -> None:
    """A port alone, or an address alone, is refused with an example."""
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:3080"):
        parse_listen(text)


def test_origins_are_compared_as_browsers_send_them() -> None:
    """Lower case, without a slash at the end."""
    origins = sound('[bridge]\norigins = ["https://Wizard.example.org:8443/"]').bridge.origins
    assert origins == ("https://wizard.example.org:8443",)


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.just("grpc://[")
KEYS = (
    *("log_level", "allow_hosts", "probes", "bridge", "databases", "services", "listen", "a"),
    *("unit", "compose", "node", "network", "env", "public_env", "verify", "within", "task"),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), TREES))
def test_any_data_is_settings_or_faults(data: dict[str, Any]) -> None:
    """Nothing raises, and nothing unknown passes."""
    result = parse_settings(data)
    if isinstance(result, Settings):
        given_keys = {key for key, value in data.items() if value is not None}
        known = {"log_level", "allow_hosts", "probes", "bridge", "databases", "services"}
        assert given_keys <= known
    else:
        assert result


def test_proxies_are_addresses_or_networks() -> None:
    """IPv4 stays so where IPv6 carries it; what is none, or everybody, is a fault for each."""
    found = sound("""
        [bridge]
        proxies = ["127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8", "::ffff:192.0.2.1"]
    """)
    assert [str(each) for each in found.bridge.proxies] == [
        "127.0.0.1/32", "10.0.0.0/8", "::1/128", "fd00::/8", "192.0.2.1/32",
    ]  # fmt: skip
    faults = parse_settings(
        {"bridge": {"proxies": ["nginx", "10.0.0.1/8", "0.0.0.0/0", "::/0", "1.2.3.4:80"]}}
    )
    assert isinstance(faults, list)
    assert [fault.key for fault in faults] == ["bridge.proxies"] * 5
    assert sum("lets anybody say" in fault.problem for fault in faults) == 2
