"""Why it ends here."""

from __future__ import annotations


class Refusal(Exception):
    """It was not done, or not to the end; the sentence names the place and the cure."""
