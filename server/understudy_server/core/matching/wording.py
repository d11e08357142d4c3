"""Values in words, for explanations: short, on one line where they can be, and always text that can be sent."""

import json
from collections.abc import Iterator
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
        for piece in _pieces(value):
            written += piece
            if len(written) > CHARACTERS_MAX:
                break
    except ValueError:
        # A whole number may be too long to be written at all.
        written += "…"
    return cut(written)


def _pieces(value: Any) -> Iterator[str]:
    """A value as JSON, piece by piece, of long texts the beginning; it stops when enough is written.

    The encoder's own way has a generator for each level, and hands each piece through all of them: 200 characters of
    lists in lists take it milliseconds.
    """
    open_ones: list[tuple[Iterator[Any], str]] = []
    while True:
        if isinstance(value, dict) and value:
            yield "{"
            open_ones.append((iter(value.items()), "}"))
        elif isinstance(value, list) and value:
            yield "["
            open_ones.append((iter(value), "]"))
        else:
            yield _ENCODER.encode(value[: CHARACTERS_MAX + 1] if isinstance(value, str) else value)
        is_first = bool(value) and isinstance(value, dict | list)
        while open_ones:
            items, end = open_ones[-1]
            try:
                value = next(items)
            except StopIteration:
                yield end
                open_ones.pop()
                is_first = False
                continue
            if not is_first:
                yield ","
            if end == "}":
                name, value = value
                yield f"{_ENCODER.encode(name[: CHARACTERS_MAX + 1])}:"
            break
        else:
            return


def shown_bytes(content: bytes) -> str:
    """The beginning of some bytes as text, with what is no UTF-8 escaped."""
    return cut(content[: 4 * (CHARACTERS_MAX + 1)].decode("utf-8", "backslashreplace"))


def step(name: str) -> str:
    """The step to a name in a path: with a dot, or in brackets when it is no plain word."""
    if name.isascii() and len(name) <= _WORD_MAX and name.replace("-", "_").isidentifier():
        return f".{name}"
    return f"[{cut(name)!r}]"
