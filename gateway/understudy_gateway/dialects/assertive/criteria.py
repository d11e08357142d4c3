"""Criteria of the wire, made into criteria of ours.

What an operator becomes depends on what it is put to (`Subject`): a text of the head and a body are read as JSON by
`$json` alone, while ours would read them wherever JSON is asked for. A criterion that cannot be put to a value (a
number compared with a text, a pattern with a list) does not hold for it, and `$not` turns that round.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from enum import Enum, auto
from typing import Any, Final

from understudy.v1.matching_pb2 import Between, Criteria, Criterion, FieldsCriterion, Remainder

from understudy_gateway.dialects.assertive.wire import Node, Operation, has_operations

_TOGETHER_MAX: Final = 100
"""So many criteria stand side by side in one of ours."""


class Subject(Enum):
    """What a criterion is put to."""

    HEAD = auto()
    """A text of a request's head: path, method or host."""

    BODY = auto()
    """A body: bytes, which are a text if they are UTF-8."""

    MAP = auto()
    """All headers, or all of the query: an object of texts."""

    TEXT = auto()
    """A value within JSON that is known to be a text: what HEAD and BODY are within `text`, and the members of MAP."""

    JSON = auto()
    """Any value within JSON."""


def criterion(node: Node, subject: Subject) -> Criterion:
    """Make the criterion of a node; of one that is plain, that the value is equal to it."""
    if isinstance(node, Operation):
        return _OPERATIONS[node.operator](node.given, subject)
    return _equal(node, subject)


def subset(members: Node) -> Criterion:
    """Make the criterion that `headers` and `query` are: of what is no criterion, that its members are there."""
    wanted = members if isinstance(members, Operation) else Operation("$key_values", {"key_values": members})
    return criterion(wanted, Subject.MAP)


def never() -> Criterion:
    """Make a criterion that holds for no value at all, not even for one that is not there."""
    return _all([Criterion(present=True), Criterion(present=False)])


def both(one: Criterion, other: Criterion) -> Criterion:
    """Make the criterion that holds where two do."""
    return _all([one, other])


def _always() -> Criterion:
    return _any([Criterion(present=True), Criterion(present=False)])


# Equality.


def _equal(node: Node, subject: Subject) -> Criterion:
    if isinstance(node, Operation):
        return criterion(node, subject)
    if subject is Subject.JSON:
        if not has_operations(node):
            return Criterion(json_equals=_json(node))
        if isinstance(node, dict):
            return _fields(node, subject, only=True)
        return _elements([criterion(each, subject) for each in node])
    if subject is Subject.MAP:
        return _fields(node, subject, only=True) if isinstance(node, dict) else never()
    return Criterion(equals=node) if isinstance(node, str) else never()


def _not_equal(given: Mapping[str, Any], subject: Subject) -> Criterion:
    return _not(_equal(given["value"], subject))


# Criteria on the same value. They stand outside of what reads it as a text: a body that is none is not equal to any.


def _listed(join: Callable[[Iterable[Criterion]], Criterion], empty: Callable[[], Criterion]) -> "_Maker":
    def make(given: Mapping[str, Any], subject: Subject) -> Criterion:
        found = [criterion(each, subject) for each in given["items"]]
        return join(found) if found else empty()

    return make


def _exactly_one(given: Mapping[str, Any], subject: Subject) -> Criterion:
    pair = [criterion(given[name], subject) for name in ("left", "right")]
    return Criterion(exactly_one=Criteria(criteria=pair))


def _inverted(given: Mapping[str, Any], subject: Subject) -> Criterion:
    return _not(criterion(given["value"], subject))


# Criteria that read the value.


def _within_text(make: "_Maker") -> "_Maker":
    """Of a head or a body, put it to the text that it is."""

    def made(given: Mapping[str, Any], subject: Subject) -> Criterion:
        if subject in (Subject.HEAD, Subject.BODY):
            return Criterion(text=make(given, Subject.TEXT))
        return make(given, subject)

    return made


def _of_texts(make: Callable[[Mapping[str, Any]], Criterion]) -> "_Maker":
    """Put it to texts alone: within JSON, ours would take a number for the text that it is written as."""

    def made(given: Mapping[str, Any], subject: Subject) -> Criterion:
        match subject:
            case Subject.HEAD | Subject.TEXT:
                return make(given)
            case Subject.BODY:
                return Criterion(text=make(given))
            case Subject.MAP:
                return never()
            case _:
                # Every text is at least the empty one, and nothing else is.
                return _all([Criterion(at_least='""'), make(given)])

    return made


def _comparison(test: str) -> "_Maker":
    return _within_text(lambda given, _subject: _made(test, _json(given["value"])))


def _between(given: Mapping[str, Any], _subject: Subject) -> Criterion:
    lower, upper = given["lower"], given["upper"]
    if upper < lower:
        return never()
    return Criterion(between=Between(lower=_json(lower), upper=_json(upper), exclusive=not given["is_inclusive"]))


def _remainder(left: int) -> "_Maker":
    return _within_text(lambda _given, _subject: Criterion(remainder=Remainder(divisor=2, remainder=left)))


def _length(given: Mapping[str, Any], _subject: Subject) -> Criterion:
    return Criterion(length=criterion(given["value"], Subject.JSON))


def _read_as_json(given: Mapping[str, Any], subject: Subject) -> Criterion:
    read = Criterion(json=criterion(given["inner_criteria"], Subject.JSON))
    return read if subject in (Subject.HEAD, Subject.BODY) else _of_texts(lambda _: read)(given, subject)


def _contains(given: Mapping[str, Any], subject: Subject) -> Criterion:
    if not given["items"]:
        return Criterion(length=Criterion(at_least="0"))
    return _all([Criterion(some=criterion(each, subject)) for each in given["items"]])


def _contains_exactly(given: Mapping[str, Any], subject: Subject) -> Criterion:
    items = [_wanted(each) for each in given["items"]]
    if not items:
        return Criterion(length=Criterion(json_equals="0"))
    is_a_text = all(isinstance(each, str) and len(each) == 1 for each in items)
    # The elements of a text are its characters, and those in order are the text.
    as_text = [_equal("".join(items), subject)] if is_a_text else []
    if subject is Subject.TEXT:
        return as_text[0] if as_text else never()
    return _any([_elements([criterion(each, Subject.JSON) for each in items]), *as_text])


def _wanted(node: Node) -> Node:
    """What a node is equal to: clients send what is plain within `$eq`."""
    while isinstance(node, Operation) and node.operator == "$eq":
        node = node.given["value"]
    return node


def _key_values(*, only: bool) -> "_Maker":
    return lambda given, subject: _fields(given["key_values"], subject, only=only)


# What they are made of.


def _fields(members: Mapping[str, Node], subject: Subject, *, only: bool) -> Criterion:
    inner = Subject.TEXT if subject is Subject.MAP else Subject.JSON
    found = [(name, _of_what_is_there(criterion(each, inner))) for name, each in members.items()]
    if len(found) <= _TOGETHER_MAX:
        return Criterion(fields=FieldsCriterion(fields=dict(found), only=only))
    parts = [FieldsCriterion(fields=dict(found[at : at + _TOGETHER_MAX])) for at in range(0, len(found), _TOGETHER_MAX)]
    # With as many members as are asked for there are no others.
    count = [Criterion(length=Criterion(json_equals=str(len(found))))] if only else []
    return _all([*count, *[Criterion(fields=part) for part in parts]])


def _of_what_is_there(inner: Criterion) -> Criterion:
    """Of a member that is not there nothing holds, and what is not equal to 1 must be there, too."""
    return _all([Criterion(present=True), inner]) if _holds_for_nothing(inner) else inner


def _holds_for_nothing(inner: Criterion) -> bool:
    """Tell whether one of ours holds for a value that is not there."""
    match inner.WhichOneof("test"):
        case "present":
            return not inner.present
        case "not":
            return not _holds_for_nothing(getattr(inner, "not"))
        case "all":
            return all(map(_holds_for_nothing, inner.all.criteria))
        case "any":
            return any(map(_holds_for_nothing, inner.any.criteria))
        case "exactly_one":
            return sum(map(_holds_for_nothing, inner.exactly_one.criteria)) == 1
        case _:
            return False


def _made(test: str, value: Any) -> Criterion:
    return Criterion(**{test: value})


def _elements(found: list[Criterion]) -> Criterion:
    return Criterion(elements=Criteria(criteria=found))


def _not(inner: Criterion) -> Criterion:
    return _made("not", inner)


def _all(criteria: Iterable[Criterion]) -> Criterion:
    return _joined("all", list(criteria))


def _any(criteria: Iterable[Criterion]) -> Criterion:
    return _joined("any", list(criteria))


def _joined(test: str, criteria: list[Criterion]) -> Criterion:
    """Join one or more of them; of more than may stand together, some at a time."""
    while len(criteria) > _TOGETHER_MAX:
        criteria = [_joined(test, criteria[at : at + _TOGETHER_MAX]) for at in range(0, len(criteria), _TOGETHER_MAX)]
    return criteria[0] if len(criteria) == 1 else _made(test, Criteria(criteria=criteria))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


_Maker = Callable[[Mapping[str, Any], Subject], Criterion]
"""Makes the criterion of an operation, from its arguments and what it is put to."""

_OPERATIONS: Final[Mapping[str, _Maker]] = {
    "$eq": lambda given, subject: _equal(given["value"], subject),
    "$neq": _not_equal,
    "$gt": _comparison("greater_than"),
    "$gte": _comparison("at_least"),
    "$lt": _comparison("less_than"),
    "$lte": _comparison("at_most"),
    "$between": _within_text(_between),
    "$and": _listed(_all, _always),
    "$or": _listed(_any, never),
    "$xor": _exactly_one,
    "$not": _inverted,
    "$json": _read_as_json,
    "$contains": _within_text(_contains),
    "$contains_exactly": _within_text(_contains_exactly),
    "$regex": _of_texts(lambda given: Criterion(pattern_at_start=given["pattern"])),
    "$length": _within_text(_length),
    "$key_values": _within_text(_key_values(only=False)),
    "$exact_key_values": _within_text(_key_values(only=True)),
    "$even": _remainder(0),
    "$odd": _remainder(1),
    "$ignore_case": _of_texts(lambda given: Criterion(equals=given["value"], ignore_case=True)),
}
