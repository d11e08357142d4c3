"""From nodes to JSON text: any YAML that means one thing to every reader, by the rules of JSON and YAML 1.2.

A word or number without quotes that readers of YAML 1.1 and 1.2 take for different values is refused, since nobody can
know which was meant. Digits of numbers and the order of keys are kept.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring

from yaml import MappingNode, Node, ScalarNode

from understudy_server.manifest.composing import mark_of
from understudy_server.manifest.json_as_written import JsonAsWritten
from understudy_server.manifest.limits import JSON_DEPTH_MAX_LEVELS, JSON_NUMBER_CHARACTERS_MAX
from understudy_server.manifest.mappings import Mappings
from understudy_server.manifest.paths import Path, written
from understudy_server.manifest.problems import BadValue, Problem, Problems, shown
from understudy_server.manifest.size import Size

_LITERALS: Mapping[str, str] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), "null"),
    **dict.fromkeys(("true", "True", "TRUE"), "true"),
    **dict.fromkeys(("false", "False", "FALSE"), "false"),
}
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_SWITCHES = {**dict.fromkeys(("yes", "on", "y"), "true"), **dict.fromkeys(("no", "off", "n"), "false")}
_OTHER_NUMBER = re.compile(
    r"""(?P<sexagesimal>[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?)
    | (?P<other_base>[-+]?0(?:[xX][0-9a-fA-F_]+|[oO][0-7_]+|[bB][01_]+))
    | (?P<infinite>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))
    | (?P<loose>[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?)""",
    re.VERBOSE,
)
_IN_QUOTES = "put it in quotes for text"


class JsonWriter:
    """Writes nodes as JSON text and notes what is wrong with them."""

    def __init__(self, mappings: Mappings, problems: Problems, size: Size) -> None:
        self._mappings = mappings
        self._problems = problems
        self._size = size
        self._as_written = JsonAsWritten()

    def write(self, node: Node, path: Path) -> str:
        """The JSON text of a node. Where there was a problem it is noted, and the text is no use. Raises TooLarge."""
        written = self._as_written.of(node)
        if written is not None:
            self._size.add(len(written))
            return written
        parts: list[str] = []
        self._write(node, path, 0, parts.append)
        return "".join(parts)

    def _write(self, node: Node, path: Path, depth: int, put: Callable[[str], None]) -> None:
        if depth > JSON_DEPTH_MAX_LEVELS:
            self._add(node, path, BadValue(f"the JSON is nested deeper than {JSON_DEPTH_MAX_LEVELS} levels"))
        elif isinstance(node, ScalarNode):
            put(self._scalar(node, path))
        elif isinstance(node, MappingNode):
            before = "{"
            for key, value in self._mappings.pairs(node, path):
                self._size.add(len(key.value))
                put(f"{before}{encode_basestring(key.value)}:")
                self._write(value, (path, key.value), depth + 1, put)
                before = ","
            put("{}" if before == "{" else "}")
        else:
            self._list(node.value, path, depth, put)

    def _list(self, values: Sequence[Node], path: Path, depth: int, put: Callable[[str], None]) -> None:
        put("[")
        for index, value in enumerate(values):
            if index:
                put(",")
            self._write(value, (path, index), depth + 1, put)
        put("]")

    def _scalar(self, node: ScalarNode, path: Path) -> str:
        self._size.add(len(node.value))
        if node.style:
            return encode_basestring(node.value)
        try:
            return plain_as_json(node.value)
        except BadValue as bad:
            self._add(node, path, bad)
            return "null"

    def _add(self, node: Node, path: Path, bad: BadValue) -> None:
        self._problems.add(Problem(mark_of(node), written(path), bad.message, bad.advice))


def plain_as_json(text: str) -> str:
    """The JSON text of a word or number without quotes. Raises BadValue."""
    if text in _LITERALS:
        return _LITERALS[text]
    if _JSON_NUMBER.fullmatch(text):
        _check_number(text)
        return text
    meant = _SWITCHES.get(text.lower())
    if meant:
        raise BadValue(
            f"{text} without quotes is true or false to some readers of YAML", f"{_IN_QUOTES}, or write {meant}"
        )
    found = _OTHER_NUMBER.fullmatch(text)
    if found:
        raise BadValue(f"{shown(text)} without quotes is a number to some readers of YAML", _number_advice(found))
    return encode_basestring(text)


def _check_number(text: str) -> None:
    """Refuse numbers that the server's reader of JSON refuses."""
    if len(text) > JSON_NUMBER_CHARACTERS_MAX:
        raise BadValue(f"a number of more than {JSON_NUMBER_CHARACTERS_MAX} characters", _IN_QUOTES)
    if abs(float(text)) == float("inf") and not text.removeprefix("-").isdigit():
        raise BadValue(f"the number {shown(text)} is out of range", _IN_QUOTES)


def _number_advice(found: re.Match[str]) -> str:
    plain = found[0].replace("_", "").removeprefix("+")
    match found.lastgroup:
        case "sexagesimal" if "." not in plain:
            value = 0
            for part in plain.lstrip("-").split(":"):
                value = value * 60 + int(part)
            return f"{_IN_QUOTES}, or write {'-' * plain.startswith('-')}{value}"
        case "other_base":
            return f"{_IN_QUOTES}, or write {int(plain.lower(), 0)}"
        case "loose":
            return f"{_IN_QUOTES}, or write {_decimal(plain)}"
        case _:
            return _IN_QUOTES


def _decimal(text: str) -> str:
    """A loose number as JSON has it: ``.5`` is ``0.5``, ``017`` is ``17``, or ``15`` for those who read it in octal."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, rest = re.fullmatch(r"([0-9]*)(.*)", digits, re.DOTALL).groups()  # type: ignore[union-attr]
    decimal = f"{sign}{whole.lstrip('0') or '0'}{re.sub(r'^[.](?![0-9])', '', rest)}"
    is_octal = not rest and whole.startswith("0") and re.fullmatch("[0-7]+", whole)
    return f"{sign}{int(whole, 8)} or {decimal}" if is_octal else decimal
