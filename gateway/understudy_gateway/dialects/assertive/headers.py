"""Headers that a stub sends, as the product takes them and as ours are written."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from understudy.v1.actions_pb2 import Header

from understudy_gateway.dialects.assertive.validation import Loc, Problems, mapping
from understudy_gateway.dialects.assertive.wire import is_number

OF_THE_PROXY: Final = frozenset(
    (
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""Names in lower case of headers that the proxy alone writes: a stub that sends one has it left out."""

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}", re.ASCII)
_VALUE: Final = re.compile(r"[\x20-\x7e\t]{0,8192}", re.ASCII)


def headers(given: Any, loc: Loc, problems: Problems) -> Any:
    """Check an object of headers: names and values that can be sent.

    A number, true and false have one spelling, and are sent in it; the product would break on them when it answers.
    """
    if not isinstance(given, dict):
        return mapping(given, loc, problems)
    for name, value in given.items():
        if not _NAME.fullmatch(name):
            problems.add_value_error((*loc, name), "A header has a name of letters, digits and dashes.", name)
        elif not (isinstance(value, str | bool) or is_number(value)):
            problems.add("string_type", (*loc, name), "Input should be a valid string", value)
        elif not _VALUE.fullmatch(_text(value)):
            message = "A header has a value of at most 8192 visible characters of ASCII, in one line."
            problems.add_value_error((*loc, name), message, value)
    return given


def written(given: Mapping[str, Any]) -> list[Header]:
    """Write headers that were checked, but for those that the proxy alone writes."""
    return [
        Header(name=name, value=_text(value).strip(" \t"))
        for name, value in given.items()
        if name.lower() not in OF_THE_PROXY
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
