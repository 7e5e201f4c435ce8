"""What servers say when they do not do it, and what helps."""

from __future__ import annotations

from redis.exceptions import ResponseError

from kaspad_taskd.fleet.faults import Kind, trouble_of

PROTECTED = (
    "DENIED Redis is running in protected mode because protected mode is enabled and no password is"
    " set for the default user. In this mode connections are only accepted from the loopback"
    " interface. If you want to connect from external computers to Redis you may adopt one of the"
    " following solutions: 1) Just disable protected mode sending the command 'CONFIG SET"
    " protected-mode no' from the loopback interface by connecting to Redis from the same host the"
    " server is running, however MAKE SURE Redis is not publicly accessible from internet if you do"
    " so. Use CONFIG REWRITE to make this change permanent."
)
"""Of redis-server 7.0.15, to who comes from another host."""


def test_a_server_that_lets_in_nobody_from_elsewhere_is_no_foreign_one() -> None:
    """It is as it was installed: the cure is a password, not another address."""
    trouble = trouble_of(ResponseError(PROTECTED), "redis.example.org:6379")
    assert trouble.kind is Kind.CLOSED
    assert "requirepass" in str(trouble)
