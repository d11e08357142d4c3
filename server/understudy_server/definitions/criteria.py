"""Criteria, compiled.

What no field's own limits show is refused here, with the path to the fault: tests of the wrong type, patterns that are
none, options beside a test that they are not for, and more of it all than one request can be tested by.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from understudy.v1 import matching_pb2
from understudy.v1.matching_pb2 import Criterion as CriterionMessage

from understudy_server.core import json_paths, json_schema, patterns, strict_json
from understudy_server.core.giving_way import give_way
from understudy_server.core.matching.criteria import Criterion, Equals, json_subset
from understudy_server.core.matching.criteria_combined import AllOf, AnyOf, ExactlyOne, Not
from understudy_server.core.matching.criteria_json import (
    JsonEquals,
    JsonEqualsInAnyOrder,
    JsonSubsetInAnyOrder,
    ValidBySchema,
)
from understudy_server.core.matching.criteria_members import Each, Elements, Fields, Some
from understudy_server.core.matching.criteria_ordering import Between, Compares, Ordered, Remainder
from understudy_server.core.matching.criteria_presence import Empty, Present
from understudy_server.core.matching.criteria_reading import AsJson, AsNumber, AsText, FromBase64, Length
from understudy_server.core.matching.criteria_selecting import AtJsonPath, Form, Selection
from understudy_server.core.matching.criteria_texts import (
    Contains,
    EqualsBytes,
    EqualsInAnyCase,
    Matches,
    Prefix,
    Suffix,
)
from understudy_server.definitions.unusable import Unusable

CRITERIA_MAX: Final = 1000
"""All criteria of one mock together are at most so many."""

DEPTH_MAX: Final = 24
"""Criteria are nested at most so deep. Over gRPC, whose own limit is 100 messages, no reader of ours goes further."""

NAME_MAX: Final = 1024
"""Names that criteria are on have at most so many characters."""

_CASES: Final = frozenset(("equals", "contains", "prefix", "suffix", "pattern", "pattern_at_start", "pattern_within"))
_ORDERS: Final = frozenset(("json_equals", "json_subset"))

_SELECTIONS: Final = {
    matching_pb2.SELECTION_UNSPECIFIED: Selection.SOME,
    matching_pb2.SELECTION_SOME: Selection.SOME,
    matching_pb2.SELECTION_EACH: Selection.EACH,
    matching_pb2.SELECTION_LIST: Selection.LIST,
}


class Tally:
    """Counts the criteria of one mock. ``prepares``: they are to be ready for long values at once (`prepare`)."""

    __slots__ = ("count", "prepares")

    def __init__(self, *, prepares: bool = False) -> None:
        self.count = 0
        self.prepares = prepares


def compile_criterion(message: CriterionMessage, path: str, tally: Tally | None = None, *, depth: int = 1) -> Criterion:
    """Compile one criterion and those in it. ``path`` is that of the message. Raises Unusable.

    ``tally`` counts it among others; ``depth``: how deep it stands, from 1.
    """
    tally = tally or Tally()
    tally.count += 1
    if tally.count > CRITERIA_MAX:
        raise Unusable(path, "max_items", f"{path} is one too many: {CRITERIA_MAX} criteria in one mock are the most")
    if depth > DEPTH_MAX:
        raise Unusable(path, "depth", f"{path} is nested too deep: {DEPTH_MAX} criteria in each other are the most")
    test = message.WhichOneof("test")
    if test is None:
        raise Unusable(path, "required", f"{path} says nothing to test")
    if message.ignore_case or message.ignore_order:
        _check_options(message, test, path)
    give_way()
    found = _COMPILERS[test](message, f"{path}.{test}", _Place(tally, depth))
    if tally.prepares:
        found.prepare()
    return found


def _check_options(message: CriterionMessage, test: str, path: str) -> None:
    for option, tests in (("ignore_case", _CASES), ("ignore_order", _ORDERS)):
        if getattr(message, option) and test not in tests:
            fitting = ", ".join(sorted(tests))
            complaint = f"{path}.{option} does not go with {test}; it goes with {fitting}"
            raise Unusable(f"{path}.{option}", "unfit", complaint)


class _Place:
    """Where a criterion stands, for those that it holds."""

    __slots__ = ("_depth", "_tally")

    def __init__(self, tally: Tally, depth: int) -> None:
        self._tally = tally
        self._depth = depth

    def one(self, message: CriterionMessage, path: str) -> Criterion:
        """Compile a criterion within."""
        return compile_criterion(message, path, self._tally, depth=self._depth + 1)

    def several(self, message: matching_pb2.Criteria, path: str) -> tuple[Criterion, ...]:
        """Compile a list of them: of one, at least."""
        path += ".criteria"
        if not message.criteria:
            raise Unusable(path, "required", f"{path} is empty: it takes one criterion, at least")
        return tuple([self.one(each, f"{path}[{at}]") for at, each in enumerate(message.criteria)])

    def named(self, messages: Mapping[str, CriterionMessage], path: str) -> tuple[tuple[str, Criterion], ...]:
        """Compile those of a map, in the order of their names: a map has none, and nothing must depend on one."""
        return named_criteria(messages, path, self.one)


def named_criteria(
    messages: Mapping[str, CriterionMessage], path: str, one: Callable[[CriterionMessage, str], Criterion]
) -> tuple[tuple[str, Criterion], ...]:
    """Compile a map of criteria with ``one``, in the order of the names. Raises Unusable."""
    found = []
    for name in sorted(messages):
        if len(name) > NAME_MAX:
            complaint = f"{path} has a name of {len(name)} characters; {NAME_MAX} are the most"
            raise Unusable(path, "max_length", complaint, str(len(name)))
        found.append((name, one(messages[name], f"{path}[{name!r}]")))
    return tuple(found)


# One for each test: from the message, the path to its test, and where it stands.
_Compiler = Callable[[CriterionMessage, str, _Place], Criterion]


def _equals(message: CriterionMessage, _path: str, _place: _Place) -> Criterion:
    return EqualsInAnyCase(message.equals) if message.ignore_case else Equals(message.equals)


def _json_subset(message: CriterionMessage, path: str, _place: _Place) -> Criterion:
    if message.ignore_order:
        return JsonSubsetInAnyOrder(_json(message.json_subset, path))
    return json_subset(message.json_subset)


def _json_equals(message: CriterionMessage, path: str, _place: _Place) -> Criterion:
    wanted = _json(message.json_equals, path)
    return JsonEqualsInAnyOrder(wanted) if message.ignore_order else JsonEquals(wanted)


def _between(message: CriterionMessage, path: str, _place: _Place) -> Criterion:
    given = message.between
    lower, upper = _ordered(given.lower, f"{path}.lower"), _ordered(given.upper, f"{path}.upper")
    if isinstance(lower, str) is not isinstance(upper, str):
        raise Unusable(f"{path}.upper", "type", f"{path} has a number at one end and a text at the other")
    if upper < lower:  # type: ignore[operator]
        raise Unusable(f"{path}.upper", "min", f"{path}.upper is less than {path}.lower: nothing lies between them")
    return Between(lower, upper, given.exclusive)


def _remainder(message: CriterionMessage, path: str, _place: _Place) -> Criterion:
    divisor, left = message.remainder.divisor, message.remainder.remainder
    if not divisor:
        raise Unusable(f"{path}.divisor", "required", f"{path}.divisor is required")
    if left >= divisor:
        complaint = f"{path}.remainder is {left}: less than that is left of a division by {divisor}"
        raise Unusable(f"{path}.remainder", "max", complaint, str(left))
    return Remainder(divisor, left)


def _json_path(message: CriterionMessage, path: str, place: _Place) -> Criterion:
    given = message.json_path
    try:
        query = json_paths.query(given.path)
    except json_paths.BadPath as bad:
        raise Unusable(f"{path}.path", "json_path", f"{path}.path is no JSONPath: {bad}", given.path) from None
    inner = place.one(given.criterion, f"{path}.criterion") if given.HasField("criterion") else None
    return AtJsonPath(query, inner, _SELECTIONS[given.select])


def _json_schema(message: CriterionMessage, path: str, _place: _Place) -> Criterion:
    try:
        return ValidBySchema(json_schema.compile(message.json_schema))
    except json_schema.BadSchema as bad:
        raise Unusable(path, "json_schema", f"{path} is no JSON Schema that can be used: {bad}") from None


def _form(message: CriterionMessage, path: str, place: _Place) -> Criterion:
    if not message.form.fields:
        raise Unusable(f"{path}.fields", "required", f"{path}.fields is empty: it takes one field, at least")
    return Form(place.named(message.form.fields, f"{path}.fields"))


def _pattern(test: str) -> _Compiler:
    def compiled(message: CriterionMessage, path: str, _place: _Place) -> Criterion:
        text = getattr(message, test)
        try:
            return Matches(patterns.compile(text, ignore_case=message.ignore_case), test)
        except patterns.BadPattern as bad:
            raise Unusable(path, "regex", f"{path} is no pattern of RE2: {bad}", text) from None

    return compiled


def _comparison(test: str) -> _Compiler:
    return lambda message, path, _place: Compares(test, _ordered(getattr(message, test), path))


def _within(test: str, kind: Callable[[Criterion], Criterion]) -> _Compiler:
    return lambda message, path, place: kind(place.one(getattr(message, test), path))


def _listed(test: str, kind: Callable[[tuple[Criterion, ...]], Criterion]) -> _Compiler:
    return lambda message, path, place: kind(place.several(getattr(message, test), path))


_COMPILERS: Final[Mapping[str, _Compiler]] = {
    "equals": _equals,
    "json_subset": _json_subset,
    "json_equals": _json_equals,
    "equals_bytes": lambda message, _path, _place: EqualsBytes(message.equals_bytes),
    "contains": lambda message, _path, _place: Contains(message.contains, message.ignore_case),
    "prefix": lambda message, _path, _place: Prefix(message.prefix, message.ignore_case),
    "suffix": lambda message, _path, _place: Suffix(message.suffix, message.ignore_case),
    **{test: _pattern(test) for test in ("pattern", "pattern_at_start", "pattern_within")},
    "present": lambda message, _path, _place: Present(message.present),
    "empty": lambda message, _path, _place: Empty(message.empty),
    **{test: _comparison(test) for test in ("greater_than", "at_least", "less_than", "at_most")},
    "between": _between,
    "remainder": _remainder,
    "length": _within("length", Length),
    "json": _within("json", AsJson),
    "json_path": _json_path,
    "json_schema": _json_schema,
    "number": _within("number", AsNumber),
    "base64": _within("base64", FromBase64),
    "text": _within("text", AsText),
    "form": _form,
    "all": _listed("all", AllOf),
    "any": _listed("any", AnyOf),
    "exactly_one": _listed("exactly_one", ExactlyOne),
    "not": _within("not", Not),
    "each": _within("each", Each),
    "some": _within("some", Some),
    "elements": _listed("elements", Elements),
    "fields": lambda message, path, place: Fields(
        place.named(message.fields.fields, f"{path}.fields"), message.fields.only
    ),
}


def _json(text: str, path: str) -> Any:
    try:
        return strict_json.parse(text)
    except strict_json.MalformedJson as malformed:
        raise Unusable(path, "json", f"{path} is not JSON: {malformed}") from None


def _ordered(text: str, path: str) -> Ordered:
    """A bound: a number or a text."""
    value = _json(text, path)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unusable(path, "type", f"{path} has no order: it takes a number or a text", text)
    return value
