"""Flags, their states and contexts, made up so that they often have to do with each other."""

from typing import Any

from hypothesis import strategies as st
from understudy_server.core.flags.model import (
    ABSENT,
    Condition,
    Flag,
    FlagKind,
    FlagState,
    Join,
    Operator,
    Rule,
    Variant,
)
from understudy_server.core.flags.operators import SYNONYMS

KEYS = ("new-checkout", "dark-mode", "__proto__")
ATTRIBUTES = ("plan", "age", "userId", "user_id", "targetingKey", "geo", "geo.country", "geo.city.zip", "constructor")

_TEXTS = ("", "beta", "be", "ta", "10", "9", "9.0", "1e1", "true", "false", "null", "NaN", "Ω", "a", "b")
_NUMBERS = (0, 1, 9, 10, -3, 9.0, 9.5, 1e21, 10**21, 10**30, float("inf"), float("nan"))

scalars: st.SearchStrategy[Any] = st.sampled_from([*_TEXTS, *_NUMBERS, True, False, None])
values: st.SearchStrategy[Any] = st.one_of(
    scalars,
    st.lists(scalars, max_size=3),
    st.dictionaries(st.sampled_from(("country", "city", "zip")), scalars, max_size=2),
)
maybe_values = st.just(ABSENT) | values
listed_texts = st.sampled_from(('["beta","10"]', "[10, true]", "[]", "not json", '{"a": 1}', "[NaN]"))
operators = st.sampled_from([*map(str, Operator), *SYNONYMS, "matches", ""])

conditions = st.builds(
    Condition, st.sampled_from(ATTRIBUTES), operators, st.one_of(maybe_values, listed_texts, st.lists(scalars))
)
variants = st.lists(
    st.builds(Variant, st.sampled_from(("a", "b", "beta", "10")), maybe_values, st.sampled_from((None, 0, 1, 2.5, 60))),
    max_size=3,
    unique_by=lambda each: each.key,
)
flags = st.builds(Flag, st.sampled_from(KEYS), st.sampled_from(FlagKind), maybe_values, variants)
rules = st.builds(
    Rule,
    st.sampled_from(("rule_1", "rule_2", "rule_3")),
    st.lists(conditions, max_size=3),
    st.sampled_from(Join),
    maybe_values,
    st.none() | st.sampled_from(("a", "b", "other")),
    st.integers(-1, 1),
    st.booleans(),
)
states = st.builds(FlagState, st.booleans(), maybe_values, st.none() | st.integers(0, 100), st.lists(rules, max_size=5))
contexts: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(ATTRIBUTES),
    st.one_of(values, st.dictionaries(st.just("city"), st.dictionaries(st.just("zip"), scalars))),
)
