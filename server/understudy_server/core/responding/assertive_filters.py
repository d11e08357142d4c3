"""Filters of Assertive's templates that are not ours, or not as ours: they print what Jinja's do.

Source: Jinja 3.1, the list of builtin filters, and its policies for JSON.
"""

import html
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from understudy_server.core.templating import text_filters
from understudy_server.core.templating.faults import Fault
from understudy_server.core.templating.filters import FILTERS, each_by
from understudy_server.core.templating.running import Run
from understudy_server.core.templating.values import text_of, walk, whole

_INDENT_MAX: Final = 16
_INDENT_STEPS: Final = 20
# In JSON these stand in texts alone, so that each can be written as an escape of its own.
_UNSAFE: Final = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&'"})


def to_json(run: Run, value: Any, indent: Any = None) -> str:
    """A value as JSON in ASCII that may stand in HTML: keys in order, a space behind each comma and colon."""
    plain = walk(run, value)
    written = json.dumps(plain, sort_keys=True)
    if indent is not None:
        # That is done in Python, item by item.
        run.take_for_text(2 * len(written))
        run.take(_INDENT_STEPS * (written.count(",") + written.count("[") + written.count("{")))
        written = json.dumps(plain, sort_keys=True, indent=_indent(indent))
    run.take_for_text(len(written))
    run.take(len(written) // 16)
    written = written.translate(_UNSAFE)
    run.take_for_text(len(written))
    return written


def _indent(given: Any) -> int | str:
    size = len(given) if isinstance(given, str) else whole(given)
    if size > _INDENT_MAX:
        raise Fault(f"indent is at most {_INDENT_MAX}")
    return given if isinstance(given, str) else size


def urlencode(run: Run, value: Any) -> str:
    """Percent-encoded; of a mapping or a list of pairs, a whole query, in which a space is a plus."""
    written = text_filters.urlencode(run, value)
    return written if isinstance(value, str) else written.replace("%20", "+")


def striptags(run: Run, value: Any) -> str:
    """Without comments and tags, each run of white space one space, and what HTML escapes as it is."""
    given = text_of(run, value)
    run.take_for_text(4 * len(given))
    run.take(len(given) // 8 + given.count("<"))
    return html.unescape(" ".join("".join(_between_tags(given)).split()))


def _between_tags(given: str) -> Iterator[str]:
    """What stands before, between and behind tags and comments. What follows one without an end is not looked at."""
    seen = 0
    while (begin := given.find("<", seen)) >= 0:
        opening, closing = ("<!--", "-->") if given.startswith("<!--", begin) else ("<", ">")
        end = given.find(closing, begin + len(opening))
        if end < 0:
            break
        yield given[seen:begin]
        seen = end + len(closing)
    yield given[seen:]


def _named(name: str) -> Callable[..., Any]:
    function = None if name in WITHOUT_FILTERS else OWN_FILTERS.get(name) or FILTERS.get(name)
    if function is None:
        raise Fault(f"No filter named {name!r}.")
    return function


OWN_FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "forceescape": text_filters.escape,
    "map": each_by(_named),
    "striptags": striptags,
    "tojson": to_json,
    "urlencode": urlencode,
}
"""By the name behind the bar."""

WITHOUT_FILTERS: Final = frozenset(
    {
        "base64",
        "base64_decode",
        "base64url",
        "bool",
        "fromjson",
        "hex",
        "keys",
        "lines",
        "md5",
        "sha256",
        "split",
        "values",
        "zip",
    }
)
"""Those that Jinja has not."""
