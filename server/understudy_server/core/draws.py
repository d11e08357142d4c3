"""Chance that repeats: what is drawn follows from the session's seed, the mock, and which use of the mock it is.

So it does not matter in which order the requests of a run arrive, nor what other sessions do. Everything that is drawn
is noted, for the record of the exchange.
"""

import hashlib
from random import Random
from typing import Final, NamedTuple

_SEED_BYTES: Final = 8


class Draw(NamedTuple):
    """One thing that was drawn: for what, and what came out, as text."""

    name: str
    value: str


class Draws:
    """The chance of one answer. ``noted`` are the draws so far, in order."""

    __slots__ = ("_of", "_random", "noted")

    def __init__(self, seed: str, mock: str, occurrence: int) -> None:
        """``seed``: see `seed_text`; ``mock`` as in `state.Claim`; ``occurrence`` from 1."""
        self._of = seed, mock, occurrence
        self._random: Random | None = None
        self.noted: list[Draw] = []

    @property
    def random(self) -> Random:
        """A source of chance of its own, made when it is first needed. Whoever draws from it says so with `note`."""
        if self._random is None:
            text = "\0".join(map(str, self._of))
            digest = hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=_SEED_BYTES).digest()
            self._random = Random(int.from_bytes(digest))  # noqa: S311 - made to repeat, not to be secret
        return self._random

    def note(self, name: str, value: object) -> None:
        """Put on record what was drawn."""
        self.noted.append(Draw(name, str(value)))


def seed_text(seed: int | None, session_key: str, environment_id: str) -> str:
    """What draws follow from: the session's seed if it was given one, else its key, else the environment."""
    if seed is not None:
        return f"seed:{seed}"
    return f"key:{session_key}" if session_key else f"environment:{environment_id}"
