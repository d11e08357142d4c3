"""Getting ready for a change before it counts, in the thread of the store's writer.

Applying a manifest changes thousands of mocks in one version, and no request may be judged by half of them. Whoever
loads them, compiles those that are on, and builds the indexes anew, takes a tenth of a second and more; done by the
event loop, nobody is answered meanwhile. Here it is done while the write is not acknowledged yet and requests may still
be judged by the version before.

The environments are read while the event loop may be changing them. So nothing here is iterated that is not copied in
one step, and what was built on them is thrown away unless they are then as they were (`Prepared.since`).
"""

from collections import defaultdict
from collections.abc import Mapping

from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.core.giving_way import giving_way
from understudy_server.live.contents import Contents
from understudy_server.live.environment import LiveEnvironment
from understudy_server.live.prepared import NO_MOCKS, EnvironmentChange, MockChanges, Prepared, sorted_mocks
from understudy_server.live.source import Changes, SessionRow


def prepare(since: int, changes: Changes, contents: Contents) -> Prepared:
    """Sort out what changed, compile what will be asked for, and build what takes long to build."""
    if changes.complete:
        return _begun_anew(since, changes)
    mocks = sorted_mocks(changes, contents.home_of, contents.files_of, contents.profile_of)
    environments = contents.environments.copy()
    _compile_what_is_on(changes, mocks, environments)
    scenarios: dict[str, dict[str, Scenario | None]] = defaultdict(dict)
    for (environment_id, scenario_id), scenario in changes.scenarios.items():
        scenarios[environment_id][scenario_id] = scenario
    sessions: dict[str, list[SessionRow]] = defaultdict(list)
    for session in changes.sessions.values():
        if session is not None:
            sessions[session.environment_id].append(session)
    indexes = {}
    for environment_id in {*mocks, *scenarios, *sessions, *changes.environments}:
        live, row = environments.get(environment_id), changes.environments.get(environment_id)
        if live is not None and (row is not None or environment_id not in changes.environments):
            changed = mocks.get(environment_id, NO_MOCKS)
            change = EnvironmentChange(row, changed, scenarios[environment_id], sessions[environment_id])
            indexes[environment_id] = live.rebuilt(change)
    return Prepared(since, changes, mocks, indexes)


def _begun_anew(since: int, changes: Changes) -> Prepared:
    """All there is, taken in here and now: what is left is to put it in the place of what was."""
    contents = Contents()
    mocks = sorted_mocks(changes, contents.home_of, contents.files_of, contents.profile_of)
    _compile_what_is_on(changes, mocks, {})
    contents.take_in(changes, mocks, {})
    for live in giving_way(contents.environments.values()):
        live.warm()
    return Prepared(since, changes, mocks, contents=contents)


def _compile_what_is_on(
    changes: Changes, mocks: Mapping[str, MockChanges], environments: Mapping[str, LiveEnvironment]
) -> None:
    """Compile what an index is likely to need: what is on or listed by what changed too, and what was needed before.

    What is missed costs no more than the compiling, by the first request that needs it.
    """
    listed = _listed(changes)
    for environment_id, changed in mocks.items():
        live, named = environments.get(environment_id), listed[environment_id]
        for mock_id, mock in giving_way(changed.library.items()):
            message = changes.mocks[environment_id, mock_id]
            if (message and message.active) or mock_id in named or (live and live.has_needed(mock_id)):
                mock.compiled()
        for local in changed.local.values():
            for mock in giving_way(local.values()):
                mock.compiled()
        for own in changed.own.values():
            for owned in giving_way(own.values()):
                if owned is not None:
                    owned.compiled()


def _listed(changes: Changes) -> dict[str, set[str]]:
    """The mocks that changed scenarios and sessions name, by environment."""
    listed: dict[str, set[str]] = defaultdict(set)
    for (environment_id, _), scenario in changes.scenarios.items():
        if scenario:
            listed[environment_id].update(scenario.mocks)
    for session in changes.sessions.values():
        if session:
            listed[session.environment_id].update(session.overrides)
    return listed
