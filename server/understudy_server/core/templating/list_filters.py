# ruff: noqa: ARG001, FBT002 - the signatures are those that templates see
"""Filters of lists and mappings. Each is given the run, what is before the bar, and what is in its brackets."""

from collections.abc import Callable
from functools import cmp_to_key
from math import log2
from operator import itemgetter
from typing import Any

from understudy_server.core.templating.faults import Fault
from understudy_server.core.templating.operations import COMPARISONS, ordered
from understudy_server.core.templating.running import Run
from understudy_server.core.templating.values import (
    ITEM_STEPS,
    KEYS,
    Group,
    Undefined,
    attribute,
    bounded,
    dig,
    equal,
    items_of,
    number,
    pairs_of,
    size_of,
    text_of,
    truth,
    whole,
)

# A comparison made in Python costs so many steps.
_COMPARISON = 4


def length(run: Run, value: Any) -> int:
    """How many items, keys or characters it has."""
    return size_of(value)


def first(run: Run, value: Any) -> Any:
    """The first item."""
    if isinstance(value, str | list | tuple | range):
        return attribute(value, 0, "the first of an empty list")
    return attribute(items_of(run, value), 0, "the first of an empty list")


def last(run: Run, value: Any) -> Any:
    """The last item."""
    if isinstance(value, str | list | tuple | range):
        return attribute(value, -1, "the last of an empty list")
    return attribute(items_of(run, value), -1, "the last of an empty list")


def join(run: Run, value: Any, separator: Any = "", attribute: Any = None) -> str:
    """The items as text, with something between them."""
    items = items_of(run, value)
    run.take(ITEM_STEPS * len(items))
    if attribute is not None:
        items = [dig(run, item, attribute) for item in items]
    parts = [text_of(run, item) for item in items]
    between = text_of(run, separator)
    run.take_for_text(sum(map(len, parts)) + len(between) * max(len(parts) - 1, 0))
    return between.join(parts)


def to_list(run: Run, value: Any) -> list[Any]:
    """As a list of its own: the characters of a text, the keys of a mapping."""
    return items_of(run, value)


def reverse(run: Run, value: Any) -> Any:
    """From behind."""
    if isinstance(value, str):
        run.take_for_text(8 * len(value))
        return value[::-1]
    return items_of(run, value)[::-1]


def items(run: Run, value: Any) -> list[Any]:
    """The keys and values of a mapping, in pairs."""
    return list(pairs_of(run, value))


def keys(run: Run, value: Any) -> list[Any]:
    """The keys of a mapping."""
    return [key for key, _ in pairs_of(run, value)]


def values(run: Run, value: Any) -> list[Any]:
    """The values of a mapping."""
    return [item for _, item in pairs_of(run, value)]


def dictsort(run: Run, value: Any, case_sensitive: Any = False, by: Any = "key", reverse: Any = False) -> list[Any]:
    """The keys and values of a mapping, in pairs, in order."""
    if by not in ("key", "value"):
        raise Fault("dictsort is by key or by value")
    place = 0 if by == "key" else 1
    return _sorted(run, list(pairs_of(run, value)), lambda pair: _cased(run, pair[place], case_sensitive), reverse)


def sort(run: Run, value: Any, reverse: Any = False, case_sensitive: Any = False, attribute: Any = None) -> list[Any]:
    """In order; ``attribute`` says by what of each item, several between commas."""
    paths = [] if attribute is None else [path.strip() for path in text_of(run, attribute).split(",")]

    def key(item: Any) -> Any:
        if not paths:
            return _cased(run, item, case_sensitive)
        found = [_cased(run, dig(run, item, path), case_sensitive) for path in paths]
        return found[0] if len(found) == 1 else found

    return _sorted(run, items_of(run, value), key, reverse)


def unique(run: Run, value: Any, case_sensitive: Any = False, attribute: Any = None) -> list[Any]:
    """The first of each that are equal."""
    seen: list[Any] = []
    quick: set[Any] = set()
    found: list[Any] = []
    given = items_of(run, value)
    run.take(ITEM_STEPS * len(given))
    for item in given:
        key = _cased(run, item if attribute is None else dig(run, item, attribute), case_sensitive)
        if isinstance(key, Undefined):
            raise key.fault()
        if isinstance(key, KEYS):
            if isinstance(key, str):
                run.take_for_text(len(key))
            if key in quick:
                continue
            quick.add(key)
        elif any(equal(run, key, other) for other in seen):
            continue
        else:
            seen.append(key)
        found.append(item)
    return found


def least(run: Run, value: Any, case_sensitive: Any = False, attribute: Any = None) -> Any:
    """The least of the items."""
    found = sort(run, value, case_sensitive=case_sensitive, attribute=attribute)
    return found[0] if found else Undefined("the least of an empty list")


def greatest(run: Run, value: Any, case_sensitive: Any = False, attribute: Any = None) -> Any:
    """The greatest of the items."""
    found = sort(run, value, case_sensitive=case_sensitive, attribute=attribute)
    return found[-1] if found else Undefined("the greatest of an empty list")


def total(run: Run, value: Any, attribute: Any = None, start: Any = 0) -> Any:
    """The sum of the items."""
    given = items_of(run, value)
    if attribute is not None:
        run.take(ITEM_STEPS * len(given))
        given = [dig(run, item, attribute) for item in given]
    run.take(2 * len(given))
    return bounded(sum([number(item) for item in given], number(start)))


def batch(run: Run, value: Any, count: Any, fill_with: Any = None) -> list[Any]:
    """In lists of so many items each; the last one filled up."""
    given, size = items_of(run, value), whole(count)
    if size < 1:
        raise Fault("batch needs at least one item for each list")
    run.take(ITEM_STEPS * (len(given) // size + 1))
    found = [given[start : start + size] for start in range(0, len(given), size)]
    if found and fill_with is not None:
        run.take(size)
        found[-1] += [fill_with] * (size - len(found[-1]))
    return found


def slice_filter(run: Run, value: Any, slices: Any, fill_with: Any = None) -> list[Any]:
    """In so many lists, as long as each other but for one item."""
    given, count = items_of(run, value), whole(slices)
    if count < 1:
        raise Fault("slice needs at least one list")
    run.take(ITEM_STEPS * count)
    each, more = divmod(len(given), count)
    found: list[Any] = []
    start = 0
    for number_of in range(count):
        stop = start + each + (1 if number_of < more else 0)
        part = given[start:stop]
        if fill_with is not None and more and number_of >= more:
            part.append(fill_with)
        found.append(part)
        start = stop
    return found


def groupby(run: Run, value: Any, attribute: Any, default: Any = None, case_sensitive: Any = False) -> list[Any]:
    """The items with the same attribute together: pairs of it and a list, by ``grouper`` and ``list``, too."""

    def key(item: Any) -> Any:
        found = dig(run, item, attribute)
        return _cased(run, default if isinstance(found, Undefined) and default is not None else found, case_sensitive)

    groups: list[tuple[Any, Any, list[Any]]] = []
    for item in _sorted(run, items_of(run, value), key, backwards=False):
        own = key(item)
        if groups and equal(run, groups[-1][0], own):
            groups[-1][2].append(item)
        else:
            shown = dig(run, item, attribute)
            groups.append((own, default if isinstance(shown, Undefined) else shown, [item]))
    return [Group((shown, found)) for _, shown, found in groups]


def chosen(
    run: Run, value: Any, test: Callable[[Any], bool] | None, attribute: str | None, *, wanted: bool
) -> list[Any]:
    """The items of which something holds, or does not: what `select` and its like have in common."""
    found = []
    given = items_of(run, value)
    run.take(ITEM_STEPS * len(given))
    for item in given:
        asked = item if attribute is None else dig(run, item, attribute)
        holds = test(asked) if test else not isinstance(asked, Undefined) and truth(asked)
        if holds is wanted:
            found.append(item)
    return found


def mapped(run: Run, value: Any, attribute: Any, default: Any = None) -> list[Any]:
    """An attribute of each item."""
    given = items_of(run, value)
    run.take(ITEM_STEPS * len(given))
    found = [dig(run, item, attribute) for item in given]
    return [default if isinstance(item, Undefined) and default is not None else item for item in found]


def attr(run: Run, value: Any, name: Any) -> Any:
    """What a mapping holds under a name."""
    return attribute(value, name)


def zipped(run: Run, value: Any, *others: Any) -> list[Any]:
    """Lists of the first items, the second items, and so on."""
    return [
        tuple(each) for each in zip(items_of(run, value), *[items_of(run, other) for other in others], strict=False)
    ]


def compare(name: str) -> Callable[..., bool]:
    """A test that compares."""

    def test(run: Run, value: Any, other: Any) -> bool:
        return COMPARISONS[name](run, value, other)

    return test


def _cased(run: Run, value: Any, case_sensitive: Any) -> Any:
    if isinstance(value, str) and not case_sensitive:
        run.take_for_text(len(value))
        return value.lower()
    return value


def _sorted(run: Run, given: list[Any], key: Callable[[Any], Any], backwards: Any) -> list[Any]:
    run.take(ITEM_STEPS * len(given))
    keyed: list[tuple[Any, Any]] = [(key(item), item) for item in given]
    comparisons = len(given) * log2(len(given) + 1)
    kinds = {type(own) for own, _ in keyed}
    if kinds <= {int, float, bool} or kinds == {str}:
        longest = max([len(own) for own, _ in keyed if isinstance(own, str)], default=0)
        run.take(int(comparisons * (1 + longest // 1024) / 4) + len(given))
        if any(own != own for own, _ in keyed if isinstance(own, float)):
            raise Fault("what is no number has no order")
        keyed.sort(key=itemgetter(0), reverse=bool(backwards))
    else:
        run.take(int(comparisons * _COMPARISON))

        def compare_keys(left: tuple[Any, Any], right: tuple[Any, Any]) -> int:
            return ordered(run, left[0], right[0])

        keyed.sort(key=cmp_to_key(compare_keys), reverse=bool(backwards))
    return [item for _, item in keyed]
