"""JSON text: made compact, or taken apart for writing, with every digit and the order of keys kept."""

import json
import re
from typing import Any

from understudy_server.core import strict_json

# A string, which is kept, or white space between tokens, which is not.
_STRING_OR_SPACE = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*")|[ \t\r\n]+')


class Digits(str):
    """A number as it was written."""

    __slots__ = ()


def compact(text: str) -> str:
    """JSON text without white space between its parts. Raises MalformedJson for what is not JSON."""
    strict_json.parse(text)
    return _STRING_OR_SPACE.sub(r"\1", text)


def take_apart(text: str) -> Any:
    """Read JSON text into dicts, lists, ``str``, Digits, ``bool`` and None. Raises MalformedJson."""
    strict_json.parse(text)
    return json.loads(text, parse_int=Digits, parse_float=Digits)
