"""Criteria on what a value is when it is read as something else: JSON, a number, a text, bytes, its length."""

import base64
import binascii
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final

from understudy_server.core.matching.criteria import Criterion
from understudy_server.core.matching.mismatch import Code, Judged, Mismatch, cut
from understudy_server.core.matching.values import Content, Json, Text, Value, encoded, is_number, read_json
from understudy_server.core.steps import Steps

_DECODED_IN_A_STEP: Final = 32
_ALPHABETS: Final = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True)
class _Read(Criterion):
    """A criterion on another value that is made of the value."""

    criterion: Criterion

    name: ClassVar[str]
    said: ClassVar[str]
    """Stands before what that value must be."""

    @abstractmethod
    def read(self, value: Value, steps: Steps) -> Value | Code:
        """Make it, or say why there is none. Raises TooManySteps."""

    @cached_property
    def leaves(self) -> int:
        """Those of the criterion on it."""
        return self.criterion.leaves

    def holds(self, value: Value, steps: Steps) -> bool:
        found = self.read(value, steps)
        return not isinstance(found, Code) and self.criterion.holds(found, steps)

    def judge(self, value: Value, steps: Steps) -> Judged:
        found = self.read(value, steps)
        if not isinstance(found, Code):
            return self.criterion.judge(found, steps).within(f".{self.name}", self.said)
        return Judged(1.0, (Mismatch(f".{self.name}", self.words(), value.shown(), found.value, 1.0),))

    def words(self) -> str:
        return cut(self.said + self.criterion.words())


@dataclass(frozen=True)
class AsJson(_Read):
    """The value read as JSON. A text within JSON is read once more; what is no text there is JSON as it is."""

    name = "json"
    said = "read as JSON, it "

    def read(self, value: Value, steps: Steps) -> Value | Code:
        found = _json(value, steps)
        return found if isinstance(found, Code) else Json(found)


@dataclass(frozen=True)
class AsNumber(_Read):
    """The number that the text is, as JSON writes numbers."""

    name = "number"
    said = "as a number, it "

    def read(self, value: Value, steps: Steps) -> Value | Code:
        found = _json(value, steps)
        if isinstance(found, Code):
            return found
        return Json(found) if is_number(found) else Code.ILL_TYPED


@dataclass(frozen=True)
class AsText(_Read):
    """The value as a text that is never read as JSON. Bytes that are no UTF-8 are no text."""

    name = "text"
    said = "as text, it "

    def read(self, value: Value, steps: Steps) -> Value | Code:
        found = value.haystack()
        if isinstance(found, Code):
            return found
        steps.take(len(found) // _DECODED_IN_A_STEP)
        if isinstance(found, str):
            return Json(found)
        try:
            return Json(found.decode())
        except UnicodeDecodeError:
            return Code.UNREADABLE


@dataclass(frozen=True)
class FromBase64(_Read):
    """The bytes that the text stands for in base64: of either alphabet, padded or not, in lines or not."""

    name = "base64"
    said = "read as base64, it "

    def read(self, value: Value, steps: Steps) -> Value | Code:
        text = _bytes(value, steps)
        if isinstance(text, Code):
            return text
        steps.take(len(text) // _DECODED_IN_A_STEP)
        text = text.translate(_ALPHABETS, b" \t\r\n").rstrip(b"=")
        try:
            return Content(base64.b64decode(text + b"=" * (-len(text) % 4), validate=True))
        except binascii.Error:
            return Code.UNREADABLE


@dataclass(frozen=True)
class Length(_Read):
    """How long the value is."""

    name = "length"
    said = "its length "

    def read(self, value: Value, _steps: Steps) -> Value | Code:
        found = value.length()
        return found if isinstance(found, Code) else Json(found)


def _json(value: Value, steps: Steps) -> Any:
    found = value.json(steps)
    return read_json(encoded(found), steps) if isinstance(value, Json) and isinstance(found, str) else found


def _bytes(value: Value, steps: Steps) -> bytes | Code:
    """The bytes of a text; within JSON only a text has any."""
    if isinstance(value, Text | Content) or isinstance(value.json(steps), str | Code):
        return value.content()
    return Code.ILL_TYPED
