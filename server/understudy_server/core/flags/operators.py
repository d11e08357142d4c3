"""The operators of conditions: their names, and what each holds of a value that is there.

An attribute that is missing, or null, is not there: no operator holds of it but the negative ones. Each negative
operator is the exact opposite of its positive one.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from understudy_server.core.flags.model import ABSENT, JsonValue, MaybeJson, Operator
from understudy_server.core.flags.values import number_of, same, text_of
from understudy_server.core.strict_json import MalformedJson, parse

Check: TypeAlias = Callable[[JsonValue], bool]
"""Tells whether a positive operator holds of a value that is there."""

POSITIVE: Final[Mapping[Operator, Operator]] = {
    Operator.NOT_EQUALS: Operator.EQUALS,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_CONTAINS: Operator.CONTAINS,
    Operator.NOT_EXISTS: Operator.EXISTS,
}
"""The negative operators, each with the one it is the opposite of."""

SYNONYMS: Final[Mapping[str, Operator]] = {
    "eq": Operator.EQUALS,
    "neq": Operator.NOT_EQUALS,
    "startsWith": Operator.STARTS_WITH,
    "endsWith": Operator.ENDS_WITH,
    "greater_than": Operator.GREATER_THAN,
    "less_than": Operator.LESS_THAN,
}
"""Other names that clients write. The names of `Operator` itself are not among them."""

_NAMES: Final[Mapping[str, Operator]] = {**{str(each): each for each in Operator}, **SYNONYMS}


def operator_of(name: str) -> Operator | None:
    """The operator of this name or synonym; ``None`` for an unknown one, with which no condition ever holds."""
    return _NAMES.get(name)


def never(_: JsonValue) -> bool:
    """The check of an operator that can hold of nothing, because of what it compares with."""
    return False


def check_of(positive: Operator, wanted: MaybeJson) -> Check:
    """What a positive operator holds of, compared with ``wanted``; `never` when that is nothing it can compare with."""
    return _CHECKS[positive](None if wanted is ABSENT else wanted)


def texts_of(positive: Operator, wanted: MaybeJson) -> frozenset[str] | None:
    """The texts of which an operator holds, where it is all about being one of some; ``None`` for other operators."""
    if positive is Operator.IN:
        return _texts(_listed(wanted) or [])
    if positive is Operator.EQUALS:
        return _texts([wanted])
    return None


def _equals(wanted: JsonValue) -> Check:
    if isinstance(wanted, list | dict):
        return lambda value: same(value, wanted)
    text = text_of(wanted)
    return never if text is None else lambda value: text_of(value) == text


def _in(wanted: JsonValue) -> Check:
    listed = _listed(wanted)
    texts = _texts(listed or [])

    def check(value: JsonValue) -> bool:
        if isinstance(value, list):
            return not texts.isdisjoint(_texts(value))
        return text_of(value) in texts

    return never if listed is None else check


def _listed(wanted: JsonValue) -> list[JsonValue] | None:
    """A list, also one that was sent as a text of JSON; ``None`` for anything else."""
    if isinstance(wanted, str):
        try:
            wanted = parse(wanted)
        except MalformedJson:
            return None
    return wanted if isinstance(wanted, list) else None


def _texts(values: list[JsonValue]) -> frozenset[str]:
    return frozenset(text for text in map(text_of, values) if text is not None)


def _contains(wanted: JsonValue) -> Check:
    text = text_of(wanted)
    if text is None:
        return never

    def check(value: JsonValue) -> bool:
        if isinstance(value, list):
            return text in map(text_of, value)
        found = text_of(value)
        return found is not None and text in found

    return check


def _text_check(compared: Callable[[str, str], bool]) -> Callable[[JsonValue], Check]:
    """An operator on texts."""

    def compile_it(wanted: JsonValue) -> Check:
        text = text_of(wanted)

        def check(value: JsonValue) -> bool:
            found = value if isinstance(value, str) else text_of(value)
            return found is not None and text is not None and compared(found, text)

        return never if text is None else check

    return compile_it


def _compares(compared: Callable[[Any, Any], bool]) -> Callable[[JsonValue], Check]:
    """An operator of order: between numbers where both sides are such, else between texts, by code points."""

    def compile_it(wanted: JsonValue) -> Check:
        wanted_number, wanted_text = number_of(wanted), text_of(wanted)

        def check(value: JsonValue) -> bool:
            if wanted_number is not None:
                number = number_of(value)
                if number is not None:
                    return compared(number, wanted_number)
            text = text_of(value)
            return text is not None and wanted_text is not None and compared(text, wanted_text)

        return never if wanted_number is None and wanted_text is None else check

    return compile_it


def _is_true(_: JsonValue) -> Check:
    return lambda value: value is True or value == "true"


def _is_false(_: JsonValue) -> Check:
    return lambda value: value is False or value == "false"


def _exists(_: JsonValue) -> Check:
    return lambda _: True


_CHECKS: Final[Mapping[Operator, Callable[[JsonValue], Check]]] = {
    Operator.EQUALS: _equals,
    Operator.IN: _in,
    Operator.CONTAINS: _contains,
    Operator.STARTS_WITH: _text_check(str.startswith),
    Operator.ENDS_WITH: _text_check(str.endswith),
    Operator.GREATER_THAN: _compares(operator.gt),
    Operator.AT_LEAST: _compares(operator.ge),
    Operator.LESS_THAN: _compares(operator.lt),
    Operator.AT_MOST: _compares(operator.le),
    Operator.IS_TRUE: _is_true,
    Operator.IS_FALSE: _is_false,
    Operator.EXISTS: _exists,
}
