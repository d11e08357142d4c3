"""Criteria as they travel: an object whose key is an operator. Read into operations, and refused where they are none.

A criterion is `{"$gt": {"value": 5}}`: the operator, and its arguments by name. What stands beside an operator is
ignored, and an object without one is a plain object, in whose values there may be criteria again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from understudy_gateway.dialects.assertive.validation import Loc


@dataclass(frozen=True, slots=True)
class Operation:
    """A criterion. ``given`` has the arguments that its operator takes; those that are values may hold criteria."""

    operator: str
    given: Mapping[str, Any]


Node = Any
"""A JSON value in which an `Operation` may stand in place of any value: what `parse` returns."""


class WrongCriterion(ValueError):
    """A criterion cannot be used. ``loc`` leads to it from where it was read, ``given`` is what stands there."""

    def __init__(self, loc: Loc, message: str, given: Any) -> None:
        super().__init__(message)
        self.loc = loc
        self.given = given


def parse(value: Any, loc: Loc = ()) -> Node:
    """Read a JSON value. Raises WrongCriterion."""
    if isinstance(value, dict):
        plain = {}
        for key, inner in value.items():
            if key in OPERATORS:
                return _operation(key, inner, (*loc, key))
            plain[key] = parse(inner, (*loc, key))
        return plain
    if isinstance(value, list):
        return [parse(each, (*loc, at)) for at, each in enumerate(value)]
    return value


def has_operations(node: Node) -> bool:
    """Tell whether there is a criterion in a node, or it is one."""
    if isinstance(node, dict):
        return any(map(has_operations, node.values()))
    if isinstance(node, list):
        return any(map(has_operations, node))
    return isinstance(node, Operation)


def _operation(operator: str, arguments: Any, loc: Loc) -> Operation:
    takes = OPERATORS[operator]
    if not isinstance(arguments, dict) or not OPERATORS.keys().isdisjoint(arguments):
        raise WrongCriterion(loc, f"{operator} takes an object of arguments: {takes.shown}", arguments)
    missing = [name for name in takes.required if name not in arguments]
    if missing:
        raise WrongCriterion(loc, f"{operator} needs {missing[0]}: it takes {takes.shown}", arguments)
    unknown = [name for name in arguments if name not in takes.names]
    if unknown and not takes.ignores_others:
        raise WrongCriterion(loc, f"{operator} has no argument {unknown[0]!r}: it takes {takes.shown}", arguments)
    given = {name: parse(arguments[name], (*loc, name)) for name in takes.names if name in arguments}
    complaint = takes.complain(given)
    if complaint:
        raise WrongCriterion(loc, f"{operator} {complaint}", arguments)
    return Operation(operator, {**takes.defaults, **given})


@dataclass(frozen=True, slots=True)
class _Takes:
    """What arguments an operator takes. ``complain`` says what is wrong with them, or nothing."""

    required: tuple[str, ...]
    complain: Callable[[Mapping[str, Any]], str]
    defaults: Mapping[str, Any]
    ignores_others: bool

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.required, *self.defaults)

    @property
    def shown(self) -> str:
        return "{" + ", ".join([f'"{name}": ...' for name in self.names]) + "}"


def _any_will_do(_given: Mapping[str, Any]) -> str:
    return ""


def _takes(
    *required: str,
    complain: Callable[[Mapping[str, Any]], str] = _any_will_do,
    defaults: Mapping[str, Any] | None = None,
    ignores_others: bool = False,
) -> _Takes:
    return _Takes(required, complain, defaults or {}, ignores_others)


def is_number(value: Any) -> bool:
    """Tell whether a JSON value is a number: true and false are none, although Python says so."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ordered(given: Mapping[str, Any]) -> str:
    value = given["value"]
    return "" if isinstance(value, str) or is_number(value) else "compares with a number or a text"


def _range(given: Mapping[str, Any]) -> str:
    lower, upper = given["lower"], given["upper"]
    if not isinstance(given.get("is_inclusive", True), bool):
        return "takes true or false for is_inclusive"
    if (is_number(lower) and is_number(upper)) or (isinstance(lower, str) and isinstance(upper, str)):
        return ""
    return "takes two numbers, or two texts"


def _all_operations(*names: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda given: "" if all(isinstance(given[name], Operation) for name in names) else "takes criteria"


def _list_of_operations(given: Mapping[str, Any]) -> str:
    items = given["items"]
    found = isinstance(items, list) and all(isinstance(each, Operation) for each in items)
    return "" if found else "takes a list of criteria"


def _items(given: Mapping[str, Any]) -> str:
    # A text is the list of its characters, as it is to the product.
    return "" if isinstance(given["items"], list | str) else "takes a list of items"


def _text(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda given: "" if isinstance(given[name], str) else f"takes a text as its {name}"


def _object(given: Mapping[str, Any]) -> str:
    return "" if isinstance(given["key_values"], dict) else "takes an object of key_values"


OPERATORS: Final[Mapping[str, _Takes]] = {
    "$eq": _takes("value"),
    "$neq": _takes("value"),
    **{operator: _takes("value", complain=_ordered) for operator in ("$gt", "$gte", "$lt", "$lte")},
    "$between": _takes("lower", "upper", complain=_range, defaults={"is_inclusive": True}, ignores_others=True),
    "$and": _takes("items", complain=_list_of_operations),
    "$or": _takes("items", complain=_list_of_operations),
    "$xor": _takes("left", "right", complain=_all_operations("left", "right")),
    "$not": _takes("value", complain=_all_operations("value")),
    "$json": _takes("inner_criteria"),
    "$contains": _takes("items", complain=_items, ignores_others=True),
    "$contains_exactly": _takes("items", complain=_items, ignores_others=True),
    "$regex": _takes("pattern", complain=_text("pattern")),
    "$length": _takes("value"),
    "$key_values": _takes("key_values", complain=_object),
    "$exact_key_values": _takes("key_values", complain=_object),
    "$even": _takes(),
    "$odd": _takes(),
    "$ignore_case": _takes("value", complain=_text("value")),
}
"""Every operator that there is."""
