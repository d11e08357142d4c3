"""Reading the values that sessions give to flags.

A session may set a megabyte of them, which takes up to 70 ms to be read. For evaluation they are read beside the event
loop where they are long, and remembered.
"""

from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, Final

from understudy_server.app.beside import beside
from understudy_server.app.not_yet import NotYet
from understudy_server.core import strict_json

Values = Mapping[str, Any]
"""Values of flags by key. Shared: nobody changes them."""

NO_VALUES: Final[Values] = {}

# What a test sets is short, and read again with each evaluation.
_SHORT_CHARACTERS: Final = 4_096
_AT_ONCE_CHARACTERS: Final = 16_384
# Of the longest, four.
_REMEMBERED_CHARACTERS: Final = 4_194_304


def read_kept(text: str) -> Values:
    """Values that were kept; the empty text has none."""
    if not text:
        return NO_VALUES
    return _read_short(text) if len(text) <= _SHORT_CHARACTERS else _read(text)


class SessionValues:
    """Values by the text in which they are kept. Used on the event loop alone."""

    def __init__(self) -> None:
        self._long: OrderedDict[str, Values] = OrderedDict()
        self._characters = 0

    def of(self, text: str) -> Values:
        """What a text has. Raises NotYet."""
        if len(text) <= _AT_ONCE_CHARACTERS:
            return read_kept(text)
        values = self._long.get(text)
        if values is None:
            raise _Unread(self, text)
        self._long.move_to_end(text)
        return values

    def remember(self, text: str, values: Values) -> None:
        """Keep what a long text has, in place of what was asked for longest ago."""
        if text not in self._long:
            self._characters += len(text)
        self._long[text] = values
        while self._characters > _REMEMBERED_CHARACTERS:
            gone, _ = self._long.popitem(last=False)
            self._characters -= len(gone)


class _Unread(NotYet):
    def __init__(self, values: SessionValues, text: str) -> None:
        super().__init__()
        self._values = values
        self._text = text

    async def work(self) -> None:
        self._values.remember(self._text, await beside(partial(read_kept, self._text)))


def _read(text: str) -> Values:
    values: Values = strict_json.parse(text)
    return values


_read_short = lru_cache(maxsize=1024)(_read)
