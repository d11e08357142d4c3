"""Any changes in any order: a view that took them in one by one answers as one that is built of the result."""

from collections.abc import Iterator
from enum import Enum
from itertools import permutations
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from understudy.v1.scenario_service_pb2 import Scenario
from understudy_server.core.matching.request import Request
from understudy_server.core.profiles import Profile
from understudy_server.live import places as places_module
from understudy_server.live import rebuilding as rebuilding_module
from understudy_server.live.view import LiveView

_NOW_MS = 1_000
_MOCKS, _SCENARIOS, _KEYS = ("ovr_a", "ovr_b", "ovr_c"), ("scn_1", "scn_2"), ("one", "two")
_SOME_MOCKS = st.lists(st.sampled_from(_MOCKS), unique=True, max_size=3)

_PATHS = st.sampled_from(["/x", "/y", "/:z", ""])
_PRIORITIES = st.sampled_from([0, 0, 0, 1])
_mocks = st.dictionaries(
    st.sampled_from(_MOCKS),
    st.none() | st.tuples(_PATHS, st.booleans(), st.sampled_from(["", *_SCENARIOS]), _PRIORITIES),
    max_size=3,
).map(
    lambda found: {
        name: what and mock(name, path=what[0], draft=what[1], scenario=what[2], priority=what[3])
        for name, what in found.items()
    }
)
_own = st.dictionaries(
    st.tuples(st.sampled_from([f"ses_{key}_{number}" for key in _KEYS for number in (1, 2)]), st.sampled_from(_MOCKS)),
    st.none() | st.tuples(_PATHS, _PRIORITIES, st.integers(1, 2)),
    max_size=3,
).map(
    lambda found: {
        (session_id, name): what and mock(name, path=what[0], priority=what[1], created_ms=what[2])
        for (session_id, name), what in found.items()
    }
)
_scenarios = st.dictionaries(st.sampled_from(_SCENARIOS), st.none() | _SOME_MOCKS, max_size=2).map(
    lambda found: {name: None if mocks is None else Scenario(id=name, mocks=mocks) for name, mocks in found.items()}
)
# Two incarnations of each key; what makes one removes the other, as the store would have it.
_sessions = st.dictionaries(
    st.sampled_from(_KEYS),
    st.none() | st.tuples(st.integers(1, 2), st.sampled_from(["", *_SCENARIOS]), _SOME_MOCKS),
    max_size=2,
).map(
    lambda found: {
        f"ses_{key}_{number}": session(
            key, session_id=f"ses_{key}_{number}", scenario=what[1], overrides=tuple(what[2])
        )
        if what and what[0] == number
        else None
        for key, what in found.items()
        for number in (1, 2)
    }
)
_SOME_ACTIVE = [tuple(some) for count in range(4) for some in permutations(_MOCKS, count)]
_STEPS = st.lists(
    st.fixed_dictionaries(
        {}, optional={"mocks": _mocks, "scenarios": _scenarios, "sessions": _sessions, "session_mocks": _own}
    )
    | st.sampled_from(_SOME_ACTIVE).map(lambda active: {"active": active}),
    max_size=8,
)


class _Told(Enum):
    """When a view hears of a change."""

    AFTER = "after it was made"
    BEFORE = "before it was made"
    BEHIND = "before it was made, and while it takes in another one"
    NEVER = "not until something else is asked"


_TOLD = st.lists(st.sampled_from(_Told), min_size=8, max_size=8)


@pytest.fixture(autouse=True, scope="module", params=[0, 1], ids=["built anew", "changed"])
def _every_index_is_rebuilt_ahead(request: pytest.FixtureRequest) -> Iterator[None]:
    with (
        patch.object(rebuilding_module, "REBUILT_AHEAD_MIN", 0),
        patch.object(places_module, "_CHANGED_PART_MAX", request.param * 100),
    ):
        yield


@given(_STEPS, _TOLD, st.sampled_from(Profile))
@settings(deadline=None)
async def test_a_view_that_took_in_every_change_equals_a_fresh_one(
    steps: list[dict[str, Any]], told: list[_Told], profile: Profile
) -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment(profile=profile)})
    view = await _view(source)
    there: set[str] = set()
    for step, how in zip(steps, told, strict=False):
        change = _as_a_store_has_it(step, profile, there)
        if how is _Told.AFTER:
            source.commit(**change)
        elif how is _Told.NEVER:
            source.commit(**change)
            continue
        else:
            publish = source.show(**change)
            if how is _Told.BEHIND:
                await view.catch_up()
                # Indexes of what it holds now are in use from here on.
                _answers(view)
            publish()
        await view.catch_up()
        assert _answers(view) == _answers(await _view(source))


async def _view(source: FakeSource) -> LiveView:
    view = LiveView(source)
    await view.catch_up()
    return view


def _as_a_store_has_it(step: dict[str, Any], profile: Profile, there: set[str]) -> dict[str, Any]:
    """A step as a change: what a session owns goes with it, and only one that is there owns any."""
    if "active" in step:
        return {"environments": {ENVIRONMENT_ID: environment(active_mocks=step["active"], profile=profile)}}
    sessions = step.get("sessions", {})
    gone = {session_id for session_id, row in sessions.items() if row is None}
    there |= sessions.keys()
    there -= gone
    own = {(owner, name): message for (owner, name), message in step.get("session_mocks", {}).items() if owner in there}
    return step | {"session_mocks": own | {(owner, name): None for owner in gone for name in _MOCKS}}


def _answers(view: LiveView) -> dict[tuple[str, str], list[str]]:
    live = view.live("checkout", "staging")
    assert live is not None
    return {
        (key, path): [
            found.mock.state_name for found in live.layers(live.session(key, _NOW_MS)).matching(Request("GET", path))
        ]
        for key in (*_KEYS, "")
        for path in ("/x", "/y", "/q")
    }
