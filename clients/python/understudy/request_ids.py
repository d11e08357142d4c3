"""The id of a call, by which its answer and the lines of the logs are found again.

A caller may choose it, in the header or metadata ``x-request-id``; else the server makes one. The answer has it under
the same name.
"""

import os
import random
import re
from contextvars import ContextVar
from typing import Final

HEADER: Final = "x-request-id"

CURRENT: Final[ContextVar[str]] = ContextVar("understudy_request_id", default="")
"""The id of the call that is being served here; empty outside of one."""

# What stands in a header, in a line of a log and in a search field without being quoted.
_FORM = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


# Asking the system for chance takes as long as all else that is done with an id. Nobody gains by guessing one.
_chance = random.Random()  # noqa: S311
if hasattr(os, "register_at_fork"):
    # A child has chances of its own.
    os.register_at_fork(after_in_child=_chance.seed)


def make() -> str:
    """A new id."""
    return f"req_{_chance.getrandbits(64):016x}"


def chosen(given: object) -> str:
    """The id that a caller gave, or a new one when that is none: not a text, too long, or with other characters."""
    if isinstance(given, str) and _FORM.fullmatch(given):
        return given
    return make()
