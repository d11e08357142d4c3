"""The criteria of Assertive told plainly: an interpreter of what travels, slow, to hold the translation against.

It shares nothing with the translation. A criterion that cannot be put to a value does not hold. Where the product is
not met on purpose (`deviations`), it tells what is meant here.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any


def holds(wire: Any, subject: Any) -> bool:
    """Tell whether a criterion holds for a JSON value, a text, or the bytes of a body that is no text."""
    if isinstance(wire, dict):
        for key, arguments in wire.items():
            if key in _OPERATORS:
                return _OPERATORS[key](arguments, subject)
        return isinstance(subject, dict) and wire.keys() == subject.keys() and _members(wire, subject)
    if isinstance(wire, list):
        return isinstance(subject, list) and _in_places(wire, subject)
    if isinstance(wire, bool) or isinstance(subject, bool):
        return wire is subject
    return bool(wire == subject)


def _members(wanted: Mapping[str, Any], subject: Mapping[str, Any]) -> bool:
    return all(name in subject and holds(each, subject[name]) for name, each in wanted.items())


def _in_places(wanted: list[Any], subject: list[Any]) -> bool:
    return len(wanted) == len(subject) and all(map(holds, wanted, subject))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _comparable(one: Any, other: Any) -> bool:
    return (_is_number(one) and _is_number(other)) or (isinstance(one, str) and isinstance(other, str))


def _compares(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda given, subject: _comparable(subject, given["value"]) and compare(subject, given["value"])


def _between(given: Any, subject: Any) -> bool:
    if not _comparable(subject, given["lower"]):
        return False
    if given.get("is_inclusive", True):
        return bool(given["lower"] <= subject <= given["upper"])
    return bool(given["lower"] < subject < given["upper"])


def _json(given: Any, subject: Any) -> bool:
    if not isinstance(subject, str):
        return False
    try:
        value = json.loads(subject)
    except ValueError:
        return False
    return holds(given["inner_criteria"], value)


def _contains(given: Any, subject: Any) -> bool:
    if not given["items"]:
        return isinstance(subject, str | list | dict)
    if not isinstance(subject, str | list):
        return False
    return all(any(holds(item, each) for each in subject) for item in given["items"])


def _contains_exactly(given: Any, subject: Any) -> bool:
    items = list(given["items"])
    if not items:
        return isinstance(subject, str | list | dict) and not subject
    if isinstance(subject, str):
        wanted = [_unwrapped(each) for each in items]
        return all(isinstance(each, str) and len(each) == 1 for each in wanted) and "".join(wanted) == subject
    return isinstance(subject, list) and _in_places(items, subject)


def _unwrapped(wire: Any) -> Any:
    """What is plain, also as the value of `$eq`."""
    first = next(iter(wire.items()), None) if isinstance(wire, dict) else None
    if first is not None and first[0] == "$eq":
        return _unwrapped(first[1]["value"])
    return wire


def _length(given: Any, subject: Any) -> bool:
    return isinstance(subject, str | list | dict) and holds(given["value"], len(subject))


def _key_values(given: Any, subject: Any) -> bool:
    return isinstance(subject, dict) and _members(given["key_values"], subject)


def _exact_key_values(given: Any, subject: Any) -> bool:
    return _key_values(given, subject) and len(subject) == len(given["key_values"])


def _leaves(left: int) -> Callable[[Any, Any], bool]:
    return lambda _given, subject: _is_number(subject) and subject % 2 == left


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda given, subject: holds(given["value"], subject),
    "$neq": lambda given, subject: not holds(given["value"], subject),
    "$gt": _compares(lambda one, other: bool(one > other)),
    "$gte": _compares(lambda one, other: bool(one >= other)),
    "$lt": _compares(lambda one, other: bool(one < other)),
    "$lte": _compares(lambda one, other: bool(one <= other)),
    "$between": _between,
    "$and": lambda given, subject: all(holds(each, subject) for each in given["items"]),
    "$or": lambda given, subject: any(holds(each, subject) for each in given["items"]),
    "$xor": lambda given, subject: holds(given["left"], subject) != holds(given["right"], subject),
    "$not": lambda given, subject: not holds(given["value"], subject),
    "$json": _json,
    "$contains": _contains,
    "$contains_exactly": _contains_exactly,
    "$regex": lambda given, subject: isinstance(subject, str) and re.match(given["pattern"], subject) is not None,
    "$length": _length,
    "$key_values": _key_values,
    "$exact_key_values": _exact_key_values,
    "$even": _leaves(0),
    "$odd": _leaves(1),
    "$ignore_case": lambda given, subject: isinstance(subject, str) and subject.casefold() == given["value"].casefold(),
}
