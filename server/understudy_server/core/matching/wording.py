"""Values in words, for explanations: short, on one line where they can be, and always text that can be sent."""

import json
from typing import Any

from understudy_server.core.matching.mismatch import CHARACTERS_MAX, cut

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_WORD_MAX = 64


def quoted(text: str) -> str:
    """A text between quotes, as JSON writes it."""
    return cut(_ENCODER.encode(text[: CHARACTERS_MAX + 1]))


def shown_json(value: Any) -> str:
    """The beginning of a value, as JSON. Never fails, and never writes more of it than is shown."""
    if isinstance(value, str):
        return quoted(value)
    written = ""
    try:
        # A generator: it stops when enough is written. A whole number may be too long to be written at all.
        for piece in _ENCODER.iterencode(value):
            written += piece[: CHARACTERS_MAX + 1]
            if len(written) > CHARACTERS_MAX:
                break
    except (ValueError, RecursionError):
        written += "…"
    return cut(written)


def shown_bytes(content: bytes) -> str:
    """The beginning of some bytes as text, with what is no UTF-8 escaped."""
    return cut(content[: 4 * (CHARACTERS_MAX + 1)].decode("utf-8", "backslashreplace"))


def step(name: str) -> str:
    """The step to a name in a path: with a dot, or in brackets when it is no plain word."""
    if name.isascii() and len(name) <= _WORD_MAX and name.replace("-", "_").isidentifier():
        return f".{name}"
    return f"[{cut(name)!r}]"
