"""Values as they are kept: the JSON text that was given, read when somebody asks what it means."""

import json
from typing import Any, Final

from understudy_server.core.json_reading import read
from understudy_server.core.state import NotANumber

_UNREAD: Final = object()
_REMEMBERED_BYTES_MAX: Final = 4096
"""What a longer text means is read again each time: it may take ten times the room of the text."""
# Made once: it costs more than writing a small value does.
_WRITE: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_WRITE_ASCII: Final = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


class Kept:
    """A value. ``size`` is that of its text, in bytes of UTF-8."""

    __slots__ = ("_value", "size", "text")

    def __init__(self, text: str, value: Any = _UNREAD) -> None:
        """``text`` holds no lone surrogate; ``value`` is what it means, where that is known already."""
        self.text = text
        self.size = bytes_of(text)
        self._value = value if self.size <= _REMEMBERED_BYTES_MAX else _UNREAD

    @property
    def value(self) -> Any:
        """What it means: as criteria read a body, and so ``UNREADABLE`` where it is longer than what they read."""
        value = self._value
        if value is _UNREAD:
            value = read(self.text.encode())
            if self.size <= _REMEMBERED_BYTES_MAX:
                self._value = value
        return value


def bytes_of(text: str) -> int:
    """How many bytes a text has in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def write(value: Any) -> str:
    """Write a value as JSON, as short as can be. What is not ASCII stays as it is, where that can be written.

    Raises ValueError for what JSON cannot say, and for integers of more digits than Python writes (4300).
    """
    if type(value) is int:
        # What is counted, and a tenth of the time.
        return str(value)
    text = _WRITE(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        # Half a surrogate pair: a body may hold one, escaped, and so it is kept.
        text = _WRITE_ASCII(value)
    return text


def add(kept: Kept | None, by: int) -> Kept:
    """Add to a number; nothing counts as 0. Raises NotANumber."""
    number = 0 if kept is None else kept.value
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise NotANumber
    total = number + by
    try:
        return Kept(write(total), total)
    except ValueError:
        # Python writes no integer of more than 4300 digits.
        raise NotANumber from None
