"""One value that a criterion tests: a text, bytes, a JSON value, or none at all.

Each kind says what it is as a text, as JSON and so on, or why it is not (`Code`). Texts and bytes are read as JSON by
whoever asks for JSON; a text within JSON is not, unless a criterion says so.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

from understudy_server.core.matching import json_values
from understudy_server.core.matching.mismatch import Code, cut
from understudy_server.core.matching.request import Request
from understudy_server.core.matching.wording import shown_bytes, shown_json
from understudy_server.core.steps import Steps

_NOT_READ: Final = object()

# Asked of each value: with a union in its place that takes three times as long.
_NUMBERS: Final = (int, float)
_SIZED: Final = (str, list, dict)

# Bytes that are read as JSON, or decoded, for one step; and what it takes to find out that they are no JSON.
_READ_IN_A_STEP: Final = 16
_STEPS_TO_READ: Final = 80
# Of a text of other characters than those of ASCII: each byte that is no UTF-8 is put right by itself.
_DECODED_IN_A_STEP: Final = 24

# From here on JavaScript writes whole numbers with an exponent, and so do we.
_WRITTEN_WHOLE: Final = 1e21


class Value:
    """One value. This one is not there: the name was not sent, the member is missing, nothing was selected."""

    __slots__ = ()

    is_present = False

    def text(self) -> str | Code:
        """The value as text."""
        return Code.ABSENT

    def steps_to_decode(self) -> int:
        """What it is still to take to make a text of it."""
        return 0

    def haystack(self) -> str | bytes | Code:
        """The value as text, to be searched: bytes stay bytes."""
        return self.text()

    def content(self) -> bytes | Code:
        """The bytes of the value, of a text in UTF-8."""
        text = self.text()
        return text if isinstance(text, Code) else encoded(text)

    def json(self, _steps: Steps) -> Any:
        """The value as JSON, or a `Code`. Raises TooManySteps."""
        return Code.ABSENT

    def elements(self, _steps: Steps) -> Sequence[Any] | Code:
        """The elements of a list, or the characters of a text, in what is JSON or is none. Raises TooManySteps."""
        return Code.ABSENT

    def length(self) -> int | Code:
        """Characters of a text, bytes, elements of a list, or members of an object."""
        return Code.ABSENT

    def is_empty(self) -> bool:
        """Tell whether there is nothing in it."""
        return True

    def shown(self) -> str:
        """The value for people: at most 200 characters of it."""
        return ""


MISSING: Final = Value()


class Text(Value):
    """A text of a request's head: of a query parameter, header, cookie, path, host or method."""

    __slots__ = ("_json", "_text")

    is_present = True

    def __init__(self, text: str) -> None:
        self._text = text
        self._json: Any = _NOT_READ

    def text(self) -> str | Code:
        return self._text

    def json(self, steps: Steps) -> Any:
        if self._json is _NOT_READ:
            self._json = read_json(encoded(self._text), steps)
        return self._json

    def elements(self, steps: Steps) -> Sequence[Any] | Code:
        value = self.json(steps)
        return self._text if value is Code.UNREADABLE else _elements(value)

    def length(self) -> int | Code:
        return len(self._text)

    def is_empty(self) -> bool:
        return not self._text

    def shown(self) -> str:
        return cut(self._text)


class Content(Value):
    """Bytes: what a text stands for in base64, and, with the request's own readers, a body."""

    __slots__ = ("_content", "_json", "_text")

    is_present = True

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._json: Any = _NOT_READ
        self._text: str | None = None

    def text(self) -> str | Code:
        if self._text is None:
            self._text = self._content.decode("utf-8", "surrogateescape")
        return self._text

    def steps_to_decode(self) -> int:
        return 0 if self._text is not None or self._content.isascii() else len(self._content) // _DECODED_IN_A_STEP

    def haystack(self) -> str | bytes | Code:
        return self._content

    def content(self) -> bytes | Code:
        return self._content

    def json(self, steps: Steps) -> Any:
        if self._json is _NOT_READ:
            self._json = read_json(self._content, steps)
        return self._json

    def elements(self, steps: Steps) -> Sequence[Any] | Code:
        value = self.json(steps)
        if value is not Code.UNREADABLE:
            return _elements(value)
        steps.take(len(self._content) // _READ_IN_A_STEP + self.steps_to_decode())
        return self.text()

    def length(self) -> int | Code:
        return len(self._content)

    def is_empty(self) -> bool:
        return not self._content

    def shown(self) -> str:
        return shown_bytes(self._content)


class Body(Content):
    """A body that is here whole. It is read as JSON once for all criteria on it.

    ``read`` is what else was read of it, for criteria that read the same: by whatever they know it by.
    """

    __slots__ = ("_request", "read")

    def __init__(self, content: bytes, request: Request) -> None:
        super().__init__(content)
        self._request = request
        self.read: dict[object, Any] = {}

    @staticmethod
    def of(request: Request) -> "Body | None":
        """The body of a request; ``None`` when it is too long to be matched. Raises BodyWanted."""
        content = request.content()
        if not isinstance(content, bytes):
            return None
        found: Body | None = request.body_value
        if found is None:
            found = request.body_value = Body(content, request)
        return found

    @property
    def is_present(self) -> bool:  # type: ignore[override]
        """A request without a body has an empty one."""
        return bool(self._content)

    def of_request(self, request: Request) -> "Body":
        """The same body, now of another object for the same request."""
        self._request = request
        return self

    def json(self, _steps: Steps) -> Any:
        # It is read once for all, and so at the expense of none.
        value = self._request.json()
        return Code.UNREADABLE if value is json_values.UNREADABLE else value


class Json(Value):
    """A value within JSON, or one that is kept between requests."""

    __slots__ = ("_value",)

    is_present = True

    def __init__(self, value: Any) -> None:
        self._value = value

    def text(self) -> str | Code:
        value = self._value
        return value if isinstance(value, str) else _written(value)

    def json(self, _steps: Steps) -> Any:
        return self._value

    def elements(self, _steps: Steps) -> Sequence[Any] | Code:
        return _elements(self._value)

    def length(self) -> int | Code:
        value = self._value
        return len(value) if isinstance(value, _SIZED) else Code.ILL_TYPED

    def is_empty(self) -> bool:
        value = self._value
        return value is None or (isinstance(value, _SIZED) and not value)

    def shown(self) -> str:
        return shown_json(self._value)


def read_json(text: bytes, steps: Steps) -> Any:
    """Read a JSON value, or say that it is none. Raises TooManySteps."""
    steps.take(_STEPS_TO_READ + len(text) // _READ_IN_A_STEP)
    value = json_values.read(text)
    return Code.UNREADABLE if value is json_values.UNREADABLE else value


def encoded(text: str) -> bytes:
    """A text in UTF-8. Bytes that were no UTF-8 when it was decoded are as they were. Never fails."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        try:
            return text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            # Half of a pair, which JSON can spell and UTF-8 cannot.
            return text.encode("utf-8", "surrogatepass")


def is_number(value: Any) -> bool:
    """Tell whether a JSON value is a number: true and false are none, although Python says so."""
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def _elements(value: Any) -> Sequence[Any] | Code:
    return value if isinstance(value, list | str) else Code.ILL_TYPED


def _written(value: Any) -> str | Code:
    """A value without others in it as JSON writes it; numbers that are equal are written alike."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() and abs(value) < _WRITTEN_WHOLE else repr(value)
    if isinstance(value, int):
        try:
            return str(value)
        except ValueError:
            # More digits than Python writes.
            return Code.ILL_TYPED
    return Code.ILL_TYPED
