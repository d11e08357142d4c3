"""Criteria as Assertive's clients send them, and values for them, made up so that they meet often."""

from typing import Any

from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "b", "A", "é", "$foo"])
WORDS = st.sampled_from(["", "a", "A", "ab", "b", "ba", "é", "É", "1", "12", "null", "[1]", '"a"', "a b", "true"])
NUMBERS: st.SearchStrategy[Any] = st.sampled_from([0, 1, 2, 3, 10, -1, 1.0, 1.5, 2**60])
PATTERNS = st.sampled_from(["a", "[0-9]+", "", "a|b", "^a", "(?:ab)*", "[^a]", "é", "ab"])
SCALARS = st.none() | st.booleans() | NUMBERS | WORDS


def json_values(scalars: st.SearchStrategy[Any], *, objects: bool = True) -> st.SearchStrategy[Any]:
    """JSON values that are made of these."""
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
            if objects
            else st.lists(inner, max_size=3)
        ),
        max_leaves=6,
    )


JSON = json_values(SCALARS)


def operation(operator: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One operator, with arguments made up."""
    return st.fixed_dictionaries(arguments).map(lambda given: {operator: given})


def _ranges(ends: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({"lower": ends, "upper": ends}, optional={"is_inclusive": st.booleans()}).map(
        lambda given: {"$between": given}
    )


def _leaves(values: st.SearchStrategy[Any]) -> list[st.SearchStrategy[Any]]:
    return [
        *[operation(each, value=values) for each in ("$eq", "$neq")],
        *[operation(each, value=NUMBERS | WORDS) for each in ("$gt", "$gte", "$lt", "$lte")],
        _ranges(NUMBERS),
        _ranges(WORDS),
        operation("$regex", pattern=PATTERNS),
        operation("$ignore_case", value=WORDS),
        operation("$length", value=st.integers(0, 3) | WORDS),
        operation("$even"),
        operation("$odd"),
    ]


def _nested(
    inner: st.SearchStrategy[Any], values: st.SearchStrategy[Any], *, elements: bool, exact_items: bool
) -> list[st.SearchStrategy[Any]]:
    several = st.lists(inner, max_size=3)
    either = inner | values
    items = st.lists(either, max_size=3)
    members = st.dictionaries(NAMES, either, max_size=3)
    plain_items = st.lists(SCALARS, max_size=3)
    return [
        *[operation(each, items=several) for each in ("$and", "$or")],
        operation("$xor", left=inner, right=inner),
        operation("$not", value=inner),
        operation("$json", inner_criteria=either),
        *([operation("$contains", items=items)] if elements else []),
        *([operation("$contains_exactly", items=items if exact_items else plain_items)] if elements else []),
        operation("$length", value=inner),
        *[operation(each, key_values=members) for each in ("$key_values", "$exact_key_values")],
        *[operation(each, value=either | items | members) for each in ("$eq", "$neq")],
    ]


def criteria(
    values: st.SearchStrategy[Any] = JSON, *, elements: bool = True, exact_items: bool = True
) -> st.SearchStrategy[Any]:
    """Criteria of every operator.

    ``elements``: also those on elements. ``exact_items``: with criteria, too, in what `$contains_exactly` lists.
    """
    flat = st.one_of(_leaves(values))
    deep = st.one_of(_nested(flat, values, elements=elements, exact_items=exact_items))
    deeper = st.one_of(_nested(flat | deep, values, elements=elements, exact_items=exact_items))
    return st.sampled_from([flat, deep, deeper]).flatmap(lambda chosen: chosen)


def describing(value: Any) -> st.SearchStrategy[Any]:
    """Criteria that hold for a JSON value, or nearly: made of what it is."""
    ways = [st.just({"$eq": {"value": value}}), st.just(value)]
    if isinstance(value, dict):
        members = st.fixed_dictionaries({}, optional={name: describing(each) for name, each in value.items()})
        ways += [operation(each, key_values=members) for each in ("$key_values", "$exact_key_values")]
        ways.append(st.fixed_dictionaries({name: describing(each) for name, each in value.items()}))
    if isinstance(value, list):
        items = st.tuples(*map(describing, value)).map(list)
        ways += [operation(each, items=items) for each in ("$contains", "$contains_exactly")]
        ways.append(items)
    if isinstance(value, str):
        ways.append(st.just({"$contains_exactly": {"items": list(value)}}))
        ways.append(st.just({"$ignore_case": {"value": value.upper()}}))
    if isinstance(value, str | list | dict):
        ways.append(st.just({"$length": {"value": {"$lte": {"value": len(value)}}}}))
    return st.one_of(ways)
