"""What the notifier tells whom, and what came of it: the words its files share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import TypeAlias

from kaspad_taskd.base.frozen import frozen

Moment: TypeAlias = int
"""A time: milliseconds since 1970 UTC."""
Scalar: TypeAlias = str | int | float | bool | None
ITEMS = 200
"""Things that a message names; what is beyond is counted."""


class Kind(StrEnum):
    """What can be told: the words of `on`."""

    COMPLETE = "complete"  # a task is complete
    ERROR = "error"  # it failed
    TROUBLE = "trouble"  # a health, a warning, a service, the disk, the daemon's silence
    RECOVERED = "recovered"  # a trouble that was told is over
    SWITCH = "switch"  # a service was brought to another node, or was not


@frozen
class Quiet:
    """Local time in which only `error` and `switch` are told at once; the rest is kept until then.

    Attributes:
        begins: minutes since midnight.
        ends: likewise; not later than `begins`: the next day.
    """

    begins: int
    ends: int


@frozen
class Rule:
    """One `[[to]]`: what somebody wants to be told, and when.

    Attributes:
        name: of the `[[to]]`, one of its kind.
        on: what of.
        tasks: ids of tasks or names of services, with `*`.
        hosts: names of hosts of a fleet, with `*`.
        after: seconds: a trouble that ends sooner is never told.
        repeat: seconds after which what lasts is told again; None: never.
        gather: seconds: what comes together is one message.
        quiet: when to keep still.
    """

    name: str
    on: frozenset[Kind] = frozenset(Kind)
    tasks: tuple[str, ...] = ("*",)
    after: float = 300.0
    repeat: float | None = 43_200.0
    gather: float = 30.0
    quiet: Quiet | None = None
    hosts: tuple[str, ...] = ("*",)


@frozen
class Item:
    """One thing of a message.

    Attributes:
        kind: what it is.
        of: whom it is about: "task:ID", "disk:ID" (of that task), "service:NAME", "warning:ID",
            "daemon", "host" (of a fleet), "engine" (what carries it), or "notify": this program
            itself.
        name: of the task or service as people know it.
        code: what is so: a health, "relapse", a warning's or an attention's code, "disk-runway",
            "disk-full", "silent", "daemon-away", "gap", "too-many", how a switch ended.
        params: what its sentence is filled with; never a secret.
        began: since when a trouble lasts, or when it was so.
        ended: when it was over, of a trouble that is.
        count: how often it came and went since `began`.
        again: whether it was told before and lasts.
        host: which one of a fleet it is of, "" for none.
    """

    kind: Kind
    of: str
    name: str
    code: str
    params: Mapping[str, Scalar] = field(default_factory=dict)
    began: Moment | None = None
    ended: Moment | None = None
    count: int = 1
    again: bool = False
    host: str = ""


@frozen
class Message:
    """What is told at once to those of one rule.

    Attributes:
        id: the same in every try, so that who gets it twice can tell.
        rule: its name.
        made: when.
        kind: the gravest of its items: error, trouble, switch, recovered, complete.
        items: what it tells, the gravest first; `ITEMS` at most.
        title: one line.
        text: fewer than 1,000 characters.
        link: where to look, or None.
        more: how many things it tells beyond `items`.
    """

    id: str
    rule: str
    made: Moment
    kind: Kind
    items: tuple[Item, ...]
    title: str
    text: str
    link: str | None = None
    more: int = 0


class How(StrEnum):
    """By what a message is sent."""

    APPRISE = "apprise"
    WEBHOOK = "webhook"
    COMMAND = "command"


@frozen
class Target:
    """One place that a message goes to: one URL, one webhook or one command of a rule.

    Attributes:
        rule: the name of its `[[to]]`.
        name: how it is called in logs and answers: "phone, line 2 (ntfy)"; never an address.
        how: by what.
        url: of Apprise or the webhook. A secret.
        key: with which a webhook is signed, "" for none. A secret.
        command: program and arguments, of a command.
    """

    rule: str
    name: str
    how: How
    url: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    command: tuple[str, ...] = ()


class Why(StrEnum):
    """Why a message was not delivered. Values may be added, none changes."""

    REFUSED = "refused"  # the service answered and said no
    REDIRECTED = "redirected"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    SLEEP = "sleep"  # the library wanted to wait: `retry_after` says how long
    NOT_ACCEPTED = "not-accepted"  # the library does not take the URL
    NO_APPRISE = "no-apprise"  # it is not installed
    COMMAND = "command"  # the command ended with another code than 0, or cannot be started
    STOPPED = "stopped"  # we were asked to end meanwhile
    FAULT = "fault"  # of ours: the child gave no answer


@frozen
class Outcome:
    """What came of one try.

    Attributes:
        delivered: whether the service took it.
        why: if not, why.
        final: whether another try would end alike (a few are made all the same).
        sent: whether it may have arrived although it is not known to have: a time-out.
        status: the HTTP or SMTP code, or the exit code of a command.
        words: what the service said, one line, at most 300 characters, without secrets.
        retry_after: seconds to wait, where the service named them.
    """

    delivered: bool
    why: Why | None = None
    final: bool = False
    sent: bool = False
    status: int | None = None
    words: str = ""
    retry_after: float | None = None
