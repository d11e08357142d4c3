"""Indexes that a change will make necessary, built before it counts."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from understudy_server.core.giving_way import giving_way
from understudy_server.core.matching.mock import Layer
from understudy_server.live.mocks import Mocks
from understudy_server.live.places import Find, Members, Place, index_of_session
from understudy_server.live.prepared import EnvironmentChange, MockChanges, Rebuilt
from understudy_server.live.source import EnvironmentRow, SessionRow

# An index of so many mocks takes about half a millisecond to build; a smaller one is built when it is asked for.
REBUILT_AHEAD_MIN = 100


class InUse(NamedTuple):
    """An environment as it is before a change. ``scenarios`` are those of which an index is in use."""

    row: EnvironmentRow
    mocks: Mocks
    sessions: Mapping[str, SessionRow]
    everywhere: Place | None
    scenarios: Mapping[str, Place]


def rebuilt_for(in_use: InUse, change: EnvironmentChange) -> list[Rebuilt]:
    """Build what takes long to build, and compile the mocks that it takes.

    That are indexes in use that change, and those of sessions that change and of their scenarios, which are about to be
    used. May run in another thread: what it gives is good if nothing else is taken in meanwhile.
    """
    found = _everywhere(in_use, change)
    scenarios = {session.scenario_id for session in change.sessions} - in_use.scenarios.keys()
    if change.mocks.ids or change.scenarios:
        scenarios |= in_use.scenarios.keys()
    for scenario_id in scenarios:
        found += _scenario(in_use, scenario_id, change)
    sessions = {session.id: session for session in change.sessions}
    owners = [in_use.sessions.get(session_id) for session_id in change.mocks.own if session_id not in sessions]
    for session in (*sessions.values(), *[owner for owner in owners if owner]):
        found += _session(in_use, session, change.mocks)
    return found


def _everywhere(in_use: InUse, change: EnvironmentChange) -> list[Rebuilt]:
    place, row, mocks = in_use.everywhere, change.row or in_use.row, change.mocks
    if place is None or len(row.active_mocks) < REBUILT_AHEAD_MIN:
        return []
    members = place.members.followed_by(row.active_mocks)
    if not place.is_touched(members, mocks.ids):
        return []
    return [Rebuilt("", place.rebuilt(members, mocks.ids, in_use.mocks.finder("", mocks)))]


def _scenario(in_use: InUse, scenario_id: str, change: EnvironmentChange) -> list[Rebuilt]:
    place, mocks, message = in_use.scenarios.get(scenario_id), change.mocks, change.scenarios.get(scenario_id)
    is_there = message is not None or (scenario_id not in change.scenarios and in_use.mocks.has_scenario(scenario_id))
    if not is_there:
        return []
    members = in_use.mocks.members(scenario_id, mocks, message)
    find = in_use.mocks.finder(scenario_id, mocks)
    if len(members.ids) < REBUILT_AHEAD_MIN:
        _compile(members.ids, find)
        return []
    if place is None:
        made = Place.of(Layer.SCENARIO, in_use.row.profile, members, find)
        made.index.make()
    elif place.is_touched(members, mocks.ids):
        made = place.rebuilt(members, mocks.ids, find)
    else:
        return []
    return [Rebuilt(scenario_id, made)]


def _session(in_use: InUse, session: SessionRow, mocks: MockChanges) -> list[Rebuilt]:
    known = in_use.sessions.get(session.id)
    if known is not None and known.overrides == session.overrides and session.id not in mocks.own:
        return []
    on = in_use.mocks.of_session(session, mocks)
    if len(on) < REBUILT_AHEAD_MIN:
        return []
    index = index_of_session(on, in_use.row.profile)
    index.make()
    members = Members.in_order(session.overrides)
    return [Rebuilt(session.id, Place(Layer.SESSION, in_use.row.profile, members, index))]


def _compile(mock_ids: Iterable[str], find: Find) -> None:
    """Compile mocks now, so that no request has to wait for it."""
    for mock_id in giving_way(mock_ids):
        find(mock_id)
