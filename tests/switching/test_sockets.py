"""Connections, seen where the kernel lists them: real ones, of a process of our own."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack

import pytest

from kaspad_taskd.switching import sockets
from kaspad_taskd.switching.sockets import ESTABLISHED, LISTEN, Row

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:42D6 00000000:0000 0A 00000000:00000000 00:00000000 00000000   998        0 100 1
   1: 0100007F:8123 0100007F:42D6 01 00000000:00000000 00:00000000 00000000   997        0 101 1
   2: broken
"""
TABLE6 = """\
sl local_address rem_address st
0: 00000000000000000000000001000000:8124 00000000000000000000000001000000:42D6 01 0:0 0:0 0 997 0 7
1: 0000000000000000FFFF00000100007F:8125 0000000000000000FFFF00000100007F:42D6 01 0:0 0:0 0 997 0 8
"""


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6])
def family(request: pytest.FixtureRequest) -> int:
    found: int = request.param
    try:
        with socket.socket(found) as probe:
            probe.bind(("127.0.0.1" if found == socket.AF_INET else "::1", 0))
    except OSError:
        pytest.skip("this host has no such addresses")
    return found


def test_real_connections_are_found(family: int) -> None:
    """By their other end and our uid, while they are open; and who listens there."""
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket(family))
        server.bind((host, 0))
        server.listen()
        node = host, server.getsockname()[1]
        assert sockets.to(sockets.rows(), {node}) == []
        clients = [stack.enter_context(socket.create_connection(node)) for _ in range(3)]
        found = sockets.rows()
        mine = sockets.to(found, {node})
        assert {row.uid for row in mine} == {os.geteuid()}
        inodes = {os.fstat(each.fileno()).st_ino for each in clients}
        assert {row.inode for row in mine} == inodes
        place = sockets.written(*node)
        assert sockets.by_place(mine, {node: place}) == (3, place)
        assert sockets.listeners(found, {node}) == {os.geteuid()}


def test_ipv4_over_an_ipv6_socket_is_ipv4() -> None:
    """A program that asks for both has such a one."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_INET6) as client:
        port = server.getsockname()[1]
        try:
            client.connect(("::ffff:127.0.0.1", port))
        except OSError:
            pytest.skip("this host has no IPv6")
        assert len(sockets.to(sockets.rows(), {("127.0.0.1", port)})) == 1


def test_the_kernels_words_are_understood() -> None:
    """A line that is not is left out."""
    node = ("127.0.0.1", 17110)
    assert list(sockets.parse(TABLE)) == [
        Row(node, ("0.0.0.0", 0), LISTEN, 998, 100),
        Row(("127.0.0.1", 33059), node, ESTABLISHED, 997, 101),
    ]
    assert [row.remote for row in sockets.parse(TABLE6)] == [("::1", 17110), node]


def test_of_thousands_of_sockets_only_those_of_a_port_are_taken_apart() -> None:
    """At either end; a number elsewhere in a line is no port."""
    ports = {17110}
    assert list(sockets.parse(TABLE, ports)) == list(sockets.parse(TABLE))
    assert len(list(sockets.parse(TABLE6, ports))) == 2
    assert list(sockets.parse(TABLE, {33059})) == list(sockets.parse(TABLE))[1:]
    assert list(sockets.parse(TABLE, {998, 100})) == []
    assert list(sockets.parse(TABLE, ())) == []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = list(sockets.rows({port}))  # others of this host may have one of that number, too
    assert ("127.0.0.1", port) in [row.local for row in found]
    assert all(port in (row.local[1], row.remote[1]) for row in found)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ws://127.0.0.1:17110", [("127.0.0.1", 17110)]),
        ("wss://node.example/x", [("node.example", 443)]),
        ("grpc://[::1]:16110", [("::1", 16110)]),
        ("127.0.0.1:17110", [("127.0.0.1", 17110)]),
        ("[::1]:17110", [("::1", 17110)]),
        ("--url ws://a:1 ws://b:2", [("a", 1), ("b", 2)]),
        ("mainnet", []),
        ("ws://a:99999", []),
    ],
)
def test_nodes_are_found_in_values(value: str, expected: list[tuple[str, int]]) -> None:
    """URLs anywhere, else a plain address."""
    assert sockets.wanted([value]) == expected


def test_names_that_need_no_name_server() -> None:
    """And the address that means this host."""
    assert sockets.numeric("localhost") == ["127.0.0.1", "::1"]
    assert sockets.numeric("0.0.0.0") == ["127.0.0.1"]
    assert sockets.numeric("::ffff:10.0.0.1") == ["10.0.0.1"]
    assert sockets.numeric("node.example") is None
