"""Criteria and values made up so that they meet often: few words, few numbers, and what is odd about each."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from support.plain_criteria import JSON_PATHS, JSON_SCHEMAS, PATTERNS
from understudy.v1.matching_pb2 import (
    SELECTION_EACH,
    SELECTION_LIST,
    SELECTION_SOME,
    SELECTION_UNSPECIFIED,
    Between,
    Criteria,
    Criterion,
    FieldsCriterion,
    FormCriterion,
    JsonPathCriterion,
    Remainder,
)

NAMES = st.sampled_from(["a", "b", "A", "é"])
WORDS = st.sampled_from(
    ["", "a", "A", "ab", "b", "ba", "é", "É", "ß", "ss", "1", "12", "a.b", "null", "[1]", '"a"', "YQ=="]
)
NUMBERS: st.SearchStrategy[int | float] = st.sampled_from([0, 1, 2, 3, 10, -1, 1.0, 1.5, -0.0, 2**53, 2**53 + 1, 1e300])
_SCALARS = st.none() | st.booleans() | NUMBERS | WORDS
JSON: st.SearchStrategy[Any] = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
_JSON_TEXTS = JSON.map(json.dumps)


def _ends(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Between]:
    pairs = st.tuples(strategy, strategy).map(sorted)
    return st.builds(
        lambda ends, exclusive: Between(lower=json.dumps(ends[0]), upper=json.dumps(ends[1]), exclusive=exclusive),
        pairs,
        st.booleans(),
    )


_REMAINDERS = st.integers(1, 3).flatmap(
    lambda divisor: st.integers(0, divisor - 1).map(lambda left: Remainder(divisor=divisor, remainder=left))
)


def _made(test: str, value: Any, **options: Any) -> Criterion:
    return Criterion(**{test: value}, **options)


def _one(test: str, values: st.SearchStrategy[Any], option: str = "") -> st.SearchStrategy[Criterion]:
    if not option:
        return values.map(lambda value: _made(test, value))
    return st.builds(lambda value, flag: _made(test, value, **{option: flag}), values, st.booleans())


_BOUNDS = (NUMBERS | WORDS).map(json.dumps)
_PATHS = st.sampled_from(list(JSON_PATHS))
_SELECTIONS = st.sampled_from([SELECTION_UNSPECIFIED, SELECTION_SOME, SELECTION_EACH, SELECTION_LIST])

# In any case of letters patterns fold as RE2 does, and Python does not: the tests of patterns have that.
_LEAVES: Mapping[str, st.SearchStrategy[Criterion]] = {
    **{test: _one(test, WORDS, "ignore_case") for test in ("equals", "contains", "prefix", "suffix")},
    **{test: _one(test, st.sampled_from(PATTERNS)) for test in ("pattern", "pattern_at_start", "pattern_within")},
    **{test: _one(test, _JSON_TEXTS, "ignore_order") for test in ("json_subset", "json_equals")},
    **{test: _one(test, _BOUNDS) for test in ("greater_than", "at_least", "less_than", "at_most")},
    "equals_bytes": _one("equals_bytes", WORDS.map(str.encode)),
    "present": _one("present", st.booleans()),
    "empty": _one("empty", st.booleans()),
    "between": _one("between", _ends(NUMBERS) | _ends(WORDS)),
    "remainder": _one("remainder", _REMAINDERS),
    "json_schema": _one("json_schema", st.sampled_from(list(JSON_SCHEMAS))),
    "json_path": _one("json_path", _PATHS.map(lambda path: JsonPathCriterion(path=path))),
}


def _nested(inner: st.SearchStrategy[Criterion]) -> Mapping[str, st.SearchStrategy[Criterion]]:
    several = st.lists(inner, min_size=1, max_size=3).map(lambda criteria: Criteria(criteria=criteria))
    named = st.dictionaries(NAMES, inner, max_size=2)
    paths = st.builds(
        lambda path, criterion, select: JsonPathCriterion(path=path, criterion=criterion, select=select),
        _PATHS,
        inner,
        _SELECTIONS,
    )
    fields = st.builds(lambda found, only: FieldsCriterion(fields=found, only=only), named, st.booleans())
    forms = st.dictionaries(NAMES, inner, min_size=1, max_size=2).map(lambda found: FormCriterion(fields=found))
    return {
        **{test: _one(test, inner) for test in ("not", "each", "some", "json", "number", "text", "base64", "length")},
        **{test: _one(test, several) for test in ("all", "any", "exactly_one", "elements")},
        "json_path": _one("json_path", paths),
        "fields": _one("fields", fields),
        "form": _one("form", forms),
    }


def _any_of(tests: Mapping[str, st.SearchStrategy[Criterion]]) -> st.SearchStrategy[Criterion]:
    """As often one test as another: hypothesis would rather have what is simple, or what is nested, again and again."""
    return st.sampled_from(list(tests)).flatmap(tests.__getitem__)


_FLAT = _any_of(_LEAVES)
TESTS = {*_LEAVES, *_nested(_FLAT)}
"""The tests that are made up here."""

_ONE_DEEP = _any_of(_nested(_FLAT))
_TWO_DEEP = _any_of(_nested(_FLAT | _ONE_DEEP))
CRITERIA: st.SearchStrategy[Criterion] = st.sampled_from([_FLAT, _ONE_DEEP, _TWO_DEEP]).flatmap(lambda chosen: chosen)
"""Criteria that can be compiled, of every test there is."""

TEXTS = st.one_of(
    WORDS,
    _JSON_TEXTS,
    st.sampled_from(
        ["a=1&b=2", "a=%C3%A9&a=a+b", "&&", "a", "YWI", "eyJhIjoxfQ", "_-8", "{", "NaN", "\udcff", "a\udcff"]
    ),
    st.text(max_size=5),
)
"""Texts of a head."""

CONTENTS = st.one_of(
    TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary(max_size=5), st.just(b"\xff\xfe")
)
"""Bodies."""


def describing(value: Any) -> st.SearchStrategy[Criterion]:
    """Criteria that hold for a JSON value, or nearly: made of what it is."""
    ways = [st.just(Criterion(json_equals=json.dumps(value))), _shuffled(value), _FLAT]
    if isinstance(value, dict):
        ways.append(_fields_of(value))
    elif isinstance(value, list):
        ways.append(_length_of(value))
        if value:
            ways.append(_elements_of(value))
            ways.append(st.sampled_from(value).flatmap(describing).map(lambda inner: Criterion(some=inner)))
    elif isinstance(value, str):
        ways += [_length_of(value), st.just(Criterion(equals=value)), st.just(Criterion(equals_bytes=value.encode()))]
    elif not isinstance(value, bool) and value is not None:
        ways += [st.just(_made(test, json.dumps(value))) for test in ("at_least", "at_most", "less_than")]
    return st.one_of(ways)


def _length_of(value: Any) -> st.SearchStrategy[Criterion]:
    return st.just(Criterion(length=Criterion(json_equals=str(len(value)))))


def _fields_of(value: dict[str, Any]) -> st.SearchStrategy[Criterion]:
    return st.builds(
        lambda fields, only: Criterion(fields=FieldsCriterion(fields=fields, only=only)),
        st.fixed_dictionaries({}, optional={name: describing(inner) for name, inner in value.items()}),
        st.booleans(),
    )


def _elements_of(value: list[Any]) -> st.SearchStrategy[Criterion]:
    return st.tuples(*map(describing, value)).map(lambda found: Criterion(elements=Criteria(criteria=found)))


def _shuffled(value: Any) -> st.SearchStrategy[Criterion]:
    """The same in another order, as all of it or as part of it."""
    return st.builds(
        lambda other, test, flag: _made(test, json.dumps(other), ignore_order=flag),
        _reordered(value),
        st.sampled_from(["json_equals", "json_subset"]),
        st.booleans(),
    )


def _reordered(value: Any) -> st.SearchStrategy[Any]:
    if isinstance(value, list) and value:
        return st.tuples(*map(_reordered, value)).map(list).flatmap(st.permutations).flatmap(_perhaps_fewer)
    if isinstance(value, dict):
        return st.fixed_dictionaries({name: _reordered(inner) for name, inner in value.items()})
    return st.just(value)


def _perhaps_fewer(values: list[Any]) -> st.SearchStrategy[list[Any]]:
    return st.integers(0, 3).map(lambda left_out: values[1:] if left_out == 0 else values)
