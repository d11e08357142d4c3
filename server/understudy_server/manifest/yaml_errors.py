"""What the YAML reader finds wrong, in plain words."""

import re
from collections.abc import Mapping

from yaml.error import MarkedYAMLError

_BEGINS_AS_TEXT = "put text that begins with it in quotes"
_INDENT = "begin lines that belong together at the same column, with spaces"
_COLON = "put text that holds ': ' in quotes, or begin a new line"

_SAID: Mapping[str, tuple[str, str]] = {
    "mapping values are not allowed in this context": ("a ':' where none can stand", _COLON),
    "mapping keys are not allowed in this context": ("a key where none can stand", _INDENT),
    "block sequence entries are not allowed in this context": (
        "a '-' where no list can begin",
        "begin it on a new line",
    ),
    "could not find expected ':'": ("a key without ':' behind it", "write KEY: VALUE, or put text in quotes"),
    "did not find expected key": ("this fits nothing above it", f"{_INDENT}, and close the quotes before it"),
    "did not find expected '-' indicator": ("this fits nothing in the list above it", _INDENT),
    "did not find expected <document start>": ("this fits nothing above it", _INDENT),
    "did not find expected node content": ("a value is missing before this", "write one"),
    "did not find expected ',' or ']'": ("',' or ']' is missing before this", "close the list that opens with '['"),
    "did not find expected ',' or '}'": ("',' or '}' is missing before this", "close the mapping that opens with '{'"),
    "found unexpected end of stream": ("the quote is never closed", "close it"),
    "found unexpected document indicator": ("the quote is not closed before '---' or '...'", "close it"),
    "found unknown escape character": (
        "an unknown escape in double quotes",
        r"write \\ for a backslash, or use single quotes",
    ),
    "did not find expected hexdecimal number": ("an escape without its digits", r"write it like \x41 or \u00e9"),
    "found invalid Unicode character escape code": (
        "an escape that is no character",
        r"write the character itself, or one escape such as \U0001F600",
    ),
    "found a tab character that violates indentation": ("a tab in the indentation", "indent with spaces"),
    "found a tab character where an indentation space is expected": ("a tab in the indentation", "indent with spaces"),
    "found an indentation indicator equal to 0": ("an indentation of 0", "leave the 0 out"),
    "did not find expected comment or line break": ("more text behind the sign of a block of text", "begin a new line"),
    "did not find expected alphabetic or numeric character": (
        "an alias or an anchor without a name",
        "put text that begins with '*' or '&' in quotes",
    ),
    "found undefined alias": ("there is no such anchor before this alias", "put text that begins with '*' in quotes"),
    "found duplicate anchor; first occurrence": ("two anchors have one name", "give each a name of its own"),
    "expected a single document in the stream": ("a second document begins here", "keep one document in a file"),
    "found undefined tag handle": (
        "tags are not used here",
        "leave it out, or put text that begins with '!' in quotes",
    ),
    "found duplicate %YAML directive": ("a directive is given twice", "leave it out"),
    "found incompatible YAML document": ("this version of YAML is not known", "leave the directive out"),
    "could not find expected directive name": ("text begins with '%'", _BEGINS_AS_TEXT),
    "found unknown directive name": ("text begins with '%'", _BEGINS_AS_TEXT),
}

_AT_THE_BEGINNING = frozenset(
    ("found unexpected end of stream", "found unexpected document indicator", "could not find expected ':'")
)
"""Problems whose place is where a quote or a key begins: where the rest is missed says nothing."""


def said(error: MarkedYAMLError, text: str) -> tuple[int, int, str, str]:
    """Line and column (from 0), what is wrong, and what to do. ``text`` is what was read."""
    wrong = error.problem or error.context or ""
    mark = error.problem_mark
    if error.context == "expected a single document in the stream":
        wrong = error.context
    elif wrong == "second occurrence":
        wrong = error.context or ""
    elif wrong in _AT_THE_BEGINNING and error.context_mark is not None:
        mark = error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    if wrong == "found character that cannot start any token":
        return line, column, *_no_token(text, line, column)
    message, advice = _SAID.get(wrong, (f"this is not YAML ({wrong})", "see whether quotes are missing"))
    if wrong.startswith("did not find expected ',' or"):
        has_variable = "${" in _line(text, line)[: column + 1]
        advice = 'put "${NAME}" in quotes within [...] and {...}' if has_variable else advice + _opened(error, line)
    return line, column, message, advice


def _line(text: str, number: int) -> str:
    lines = re.split("\r\n|\r|\n", text)
    return lines[number] if number < len(lines) else ""


def _opened(error: MarkedYAMLError, line: int) -> str:
    start = error.context_mark
    return "" if start is None or start.line == line else f" in line {start.line + 1}"


def _no_token(text: str, line: int, column: int) -> tuple[str, str]:
    character = _line(text, line)[column : column + 1]
    if character == "\t":
        return "a tab in the indentation", "indent with spaces"
    return f"text cannot begin with {character!r}", _BEGINS_AS_TEXT
