"""Short forms that are pleasant to write by hand, each for what the contract declares at length.

    matcher: POST /api/pay          for  {method: POST, path: /api/pay}; a method or a path alone will do
    query: {currency: EUR}          for  {currency: {equals: EUR}}, wherever a criterion stands
    headers: {set-cookie: [a, b]}   for  [{name: set-cookie, value: a}, {name: set-cookie, value: b}]

A new one is a line in one of these tables, and its counterpart for writing below it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yaml import Node, ScalarNode, SequenceNode

from understudy_server.manifest.mappings import Pair
from understudy_server.manifest.problems import BadValue, shown

_METHOD_AND_PATH = re.compile(r"(?P<method>[A-Z][A-Z0-9_-]*)?(?P<space> +)?(?P<path>/.*)?", re.DOTALL)


def _read_matcher(text: str) -> Mapping[str, str]:
    found = _METHOD_AND_PATH.fullmatch(text)
    if found is None or not text or bool(found["space"]) != bool(found["method"] and found["path"]):
        raise BadValue(f"{shown(text)} is not a method and a path", _matcher_advice(text))
    return {name: value for name, value in found.groupdict().items() if value and name != "space"}


def _matcher_advice(text: str) -> str:
    method, _, path = text.strip().partition(" ")
    if re.fullmatch("[A-Za-z]+", method) and (not path or path.strip().startswith("/")):
        return f"write {' '.join((method.upper(), path.strip())).strip()}"
    return "write it like POST /api/pay"


def _write_matcher(parts: Mapping[str, str]) -> str | None:
    text = " ".join(parts[name] for name in ("method", "path") if name in parts)
    try:
        return text if parts.keys() <= {"method", "path"} and _read_matcher(text) == parts else None
    except BadValue:
        return None


@dataclass(frozen=True, slots=True)
class TextForm:
    """A message written as one text: ``read`` gives its fields (raises BadValue), ``write`` the text, if it can."""

    read: Callable[[str], Mapping[str, str]]
    write: Callable[[Mapping[str, str]], str | None]


@dataclass(frozen=True, slots=True)
class PairsForm:
    """A list of messages written as a mapping of two fields of text; a list of values repeats the key."""

    key: str
    value: str


TEXT_FORMS: Mapping[str, TextForm] = {
    "understudy.v1.RequestMatcher": TextForm(_read_matcher, _write_matcher),
    "understudy.v1.Criterion": TextForm(
        read=lambda text: {"equals": text},
        write=lambda parts: parts["equals"] if parts.keys() == {"equals"} else None,
    ),
}
"""By the name of the message."""

PAIRS_FORMS: Mapping[str, PairsForm] = {"understudy.v1.Header": PairsForm("name", "value")}
"""By the name of the message that a list holds."""


def spread(pairs: Sequence[Pair]) -> Sequence[tuple[ScalarNode, Node]]:
    """Each element of a list in short form: its key and its value."""
    elements: list[tuple[ScalarNode, Node]] = []
    for key, value in pairs:
        values: Sequence[Node] = value.value if isinstance(value, SequenceNode) else [value]
        elements += [(key, each) for each in values]
    return elements


def gather(elements: Sequence[tuple[str, Any]]) -> Mapping[str, Any] | None:
    """The short form of a list, None when it cannot say the same: when a key comes back after another."""
    found: dict[str, list[Any]] = {}
    last = None
    for key, value in elements:
        if key in found and key != last:
            return None
        found.setdefault(key, []).append(value)
        last = key
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}
