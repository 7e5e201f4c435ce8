"""What comes back over HTTP: an answer, or why there is none that can be used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.jsontext import loads
from kaspad_taskd.core.observation import Hint, Json, Refused, Scalar, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.client import NodeError

IN_LOOP: Final = 65_536
"""Bytes of an answer that is read in the loop; what is larger is read in a thread."""
REJECTED: Final = 401, 403, 407
NOT_READY: Final = 502, 503, 504

_OURS: Final = {"file": "file", "certificates": "file", "client": "file", "socket": "socket"}
"""Parameters of CREDENTIALS that name what of ours cannot be used, and what its hint calls that."""
_BOM: Final = b"\xef\xbb\xbf"

T = TypeVar("T")


class HttpError(Exception):
    """No usable answer: `reason` says why, `params` are for its sentence, all in our own words.

    `absent`: the service answers, and has nothing at this path.
    """

    def __init__(
        self, reason: Reason, params: Mapping[str, Scalar] | None = None, absent: bool = False
    ) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.params: Mapping[str, Scalar] = params or {}
        self.absent = absent

    def observation(self) -> Unreachable | Refused:
        """What a look that ended so brought back."""
        if self.reason is not Reason.CREDENTIALS:
            return Unreachable(self.reason, self.params)
        own = next((key for key in _OURS if key in self.params), None)
        known = self.params if own is None else {_OURS[own]: self.params[own]}
        kind = Refused if own is None else Unreachable
        return kind(self.reason, self.params, (Hint("credentials", known),))


def of_connection(found: NodeError) -> HttpError:
    """The error of a connection, as that of a question over it."""
    return HttpError(found.reason, found.params)


def bad_answer(detail: str) -> HttpError:
    """The error for an answer that is none; `detail` says why, without a full stop."""
    return HttpError(Reason.BAD_ANSWER, {"detail": detail})


@frozen
class Answer:
    """A status of 200 to 299, or one of NOT_READY, and the body that came with it."""

    status: int
    body: bytes

    @property
    def good(self) -> bool:
        """Whether it is an answer of a service that is up."""
        return self.status not in NOT_READY

    async def read(self, understand: Callable[[Json], T]) -> T:
        """Return what `understand` makes of the body's JSON; a large one is read in a thread.

        `understand` raises ValueError where it cannot; its words are ours.

        Raises:
            HttpError: bad-answer, or not-ready where the status says so and the body nothing.
        """
        if len(self.body) <= IN_LOOP:
            return self._read(understand)
        return await asyncio.to_thread(self._read, understand)

    def _read(self, understand: Callable[[Json], T]) -> T:
        try:
            return understand(self._json())
        except ValueError as fault:
            if self.good:
                raise bad_answer(str(fault)) from fault
            raise HttpError(Reason.NOT_READY, {"status": self.status}) from None

    def _json(self) -> Json:
        try:
            return loads(self.body.removeprefix(_BOM))
        except ValueError:
            raise ValueError("it is no JSON") from None


def check_status(status: int, challenge: bool = True) -> None:
    """Let a status pass whose body is worth reading; `challenge`: it says how to be let in.

    Raises:
        HttpError: for any other.
    """
    if 200 <= status < 300 or status in NOT_READY:
        return
    if status == 403 and not challenge:  # a rule about addresses, or a page of a firewall
        raise bad_answer("it lets nobody in, or nobody from here (HTTP 403)")
    if status in REJECTED:
        raise HttpError(Reason.CREDENTIALS, {"status": status})
    if status == 408:
        raise HttpError(Reason.TIMEOUT, {"status": status})
    if status == 429:
        raise HttpError(Reason.BUSY, {"status": status})
    if status in (404, 410):
        detail = f"there is nothing at this path (HTTP {status})"
        raise HttpError(Reason.BAD_ANSWER, {"detail": detail}, absent=True)
    if 300 <= status < 400:
        raise bad_answer(f"it leads elsewhere (HTTP {status}), which is not followed")
    raise bad_answer(f"HTTP {status}")
