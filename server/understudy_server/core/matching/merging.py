"""One order out of several: the groups of candidates that fit a request, each in order, met as if they were one."""

import heapq
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Final

from understudy_server.core.matching.mock import Candidate
from understudy_server.core.matching.request import Request
from understudy_server.core.profiles import Key

Entry = tuple[Key, Candidate, Callable[[Request], bool] | None]
"""A candidate with the key by which it is ordered, empty where nothing is merged, and the test of what it asks for
beyond method and path, if it asks for anything."""

Group = tuple[Entry, ...]
"""Candidates in order."""

_key: Final = itemgetter(0)

# Up to so many, sorting them all at once takes less time than merging takes to begin.
_SORTED_MAX: Final = 64


def in_order(entries: Iterable[Entry]) -> Group:
    """Sort entries that have their keys."""
    return tuple(sorted(entries, key=_key))


def merged(groups: list[Group]) -> Iterable[Entry]:
    """Meet groups, whose entries have their keys, as one. What is not asked for is not merged."""
    if len(groups) == 1:
        return groups[0]
    if sum(map(len, groups)) <= _SORTED_MAX:
        return sorted([entry for group in groups for entry in group], key=_key)
    return heapq.merge(*groups, key=_key)
