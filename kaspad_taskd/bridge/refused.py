"""How somebody is not let in."""

from __future__ import annotations


class Refused(Exception):
    """Somebody is not let in: the HTTP status and a sentence with the cure.

    Attributes:
        retry_after: whole seconds until another try may do better; None: no wait helps.
        setting: the line of the settings that would let a page in; None: no setting does.
        place: where that line belongs.
    """

    def __init__(
        self,
        status: int,
        sentence: str,
        retry_after: int | None = None,
        setting: str | None = None,
        place: str = "",
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.retry_after = retry_after
        self.setting = setting
        self.place = place
