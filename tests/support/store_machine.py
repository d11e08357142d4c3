"""Random operations on a store against plain dictionaries, and a mirror that takes in nothing but what changed."""

import asyncio
import contextlib
import tempfile
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from support import records
from support.mirror import Mirror, full
from support.records import PROJECT
from support.store_steps import Change, FullStore, Opener, Refused, change, fail
from understudy_server.app.ports import EnvironmentRecord, MockQuery, SessionQuery, Transaction
from understudy_server.live.source import EnvironmentRow, SessionRow

T = TypeVar("T")

_PLACES = st.sampled_from(["env_0", "env_1"])
_MOCKS = st.sampled_from(["ovr_0", "ovr_1", "ovr_2"])
_SOME_MOCKS = st.lists(_MOCKS, unique=True)
_SCENARIOS = st.sampled_from(["scn_0", "scn_1"])
_KEYS = st.sampled_from(["ci-0", "ci-1", "ci-2"])
_HOSTS = st.sampled_from(["a.test", "b.test"])
_SOME_HOSTS = st.lists(_HOSTS, unique=True)
_NUMBERS = st.integers(0, 3)


@dataclass
class _Place:
    """What an environment holds, in the plainest form: names, and lists of names."""

    upstream: str
    hosts: tuple[str, ...] = ()
    active: list[str] = field(default_factory=list)
    mocks: dict[str, tuple[str, str]] = field(default_factory=dict)  # id -> (name, scenario)
    scenarios: dict[str, list[str]] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)  # of scenarios
    sessions: dict[str, SessionRow] = field(default_factory=dict)  # key -> session

    def let_go_of(self, *mock_ids: str) -> None:
        """Take mocks from everything that uses them, which is one change of it."""
        self.active = [each for each in self.active if each not in mock_ids]
        for scenario_id, listed in self.scenarios.items():
            if not set(listed).isdisjoint(mock_ids):
                listed[:] = [each for each in listed if each not in mock_ids]
                self.revisions[scenario_id] += 1
        for key, row in self.sessions.items():
            if not set(row.overrides).isdisjoint(mock_ids):
                left = tuple(each for each in row.overrides if each not in mock_ids)
                self.sessions[key] = replace(row, overrides=left, revision=row.revision + 1)


class StoreMachine(RuleBasedStateMachine):
    """Set ``opener`` in a subclass."""

    opener: Opener

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._loop = asyncio.new_event_loop()
        self._store: FullStore = self._run(type(self).opener(self._path))
        self._places: dict[str, _Place] = {}
        # One takes in every change at once, the other many together.
        self._follower, self._laggard = Mirror(), Mirror()
        self._incarnation = 0
        self._version = self._run(self._store.version())

    @property
    def _path(self) -> Path:
        return Path(self._folder.name) / "data"

    def teardown(self) -> None:
        self._run(self._store.close())
        self._loop.close()
        self._folder.cleanup()

    def _run(self, work: Awaitable[T]) -> T:
        async def waited() -> T:
            return await work

        # A loop of its own, and no runner: that minds signals with each call, of which there are tens of thousands.
        return self._loop.run_until_complete(waited())

    def _change(self, *changes: Change, moves: bool = True) -> None:
        self._run(change(self._store, *changes))
        self._version += moves

    @initialize()
    def furnish(self) -> None:
        self._change(lambda tx: tx.put_project(records.project()))
        for place in ("env_0", "env_1"):
            self.put_environment(place, 0, ["a.test"])
            for mock_id in ("ovr_0", "ovr_1", "ovr_2"):
                self.put_mock(place, mock_id, 0, None)
            self.put_scenario(place, "scn_0", ["ovr_0"])
            self.put_session(place, "ci-0", ["ovr_1"], "scn_0", 0)

    @rule(place=_PLACES, upstream=_NUMBERS, hosts=_SOME_HOSTS)
    def put_environment(self, place: str, upstream: int, hosts: list[str]) -> None:
        taken = {host for other, known in self._places.items() if other != place for host in known.hosts}
        self._put_environment(place, f"http://{upstream}", [host for host in hosts if host not in taken])

    @rule(place=_PLACES)
    def pass_hosts_on(self, place: str) -> None:
        """An environment gives its hosts to the other, in one unit."""
        other = "env_1" if place == "env_0" else "env_0"
        known, heir = self._places.get(place), self._places.get(other)
        if not known or not heir:
            return
        bare = _record(place, known.upstream, ())
        hosts, known.hosts = known.hosts, ()
        self._put_environment(other, heir.upstream, (*heir.hosts, *hosts), lambda tx: tx.put_environment(bare))

    @rule(place=_PLACES)
    def remove_environment(self, place: str) -> None:
        known = self._places.pop(place, None)
        self._change(lambda tx: tx.remove_environment(place), moves=known is not None)

    @rule(place=_PLACES, mock_id=_MOCKS, name=_NUMBERS, home=st.none() | _SCENARIOS)
    def put_mock(self, place: str, mock_id: str, name: int, home: str | None) -> None:
        known = self._places.get(place)
        if known is None:
            return
        home = home if home in known.scenarios else None
        made = records.mock(mock_id, name=str(name), scenario=home or "")
        self._change(lambda tx: tx.put_mock(place, made))
        known.mocks[mock_id] = (str(name), home or "")

    @rule(place=_PLACES, mock_id=_MOCKS)
    def remove_mock(self, place: str, mock_id: str) -> None:
        known = self._places.get(place)
        moves = known is not None and mock_id in known.mocks
        self._change(lambda tx: tx.remove_mock(place, mock_id), moves=moves)
        if known:
            known.mocks.pop(mock_id, None)
            known.let_go_of(mock_id)

    @rule(place=_PLACES, mock_ids=_SOME_MOCKS)
    def remove_mocks(self, place: str, mock_ids: list[str]) -> None:
        known = self._places.get(place)
        moves = known is not None and not known.mocks.keys().isdisjoint(mock_ids)
        self._change(lambda tx: tx.remove_mocks(place, mock_ids), moves=moves)
        if known:
            known.mocks = {each: mock for each, mock in known.mocks.items() if each not in mock_ids}
            known.let_go_of(*mock_ids)

    @rule(place=_PLACES, mock_id=_MOCKS)
    def switch_off(self, place: str, mock_id: str) -> None:
        known = self._places.get(place)
        before = repr(known)
        if known:
            known.let_go_of(mock_id)
        self._change(lambda tx: tx.switch_off(place, mock_id), moves=repr(known) != before)

    @rule(place=_PLACES, mock_id=_MOCKS, active=st.booleans())
    def set_active(self, place: str, mock_id: str, active: bool) -> None:
        known = self._places.get(place)
        if known is None or mock_id not in known.mocks:
            return
        moves = (mock_id in known.active) != active
        self._change(lambda tx: tx.set_active(place, mock_id, active=active), moves=moves)
        if moves:
            known.active = [*known.active, mock_id] if active else [each for each in known.active if each != mock_id]

    @rule(place=_PLACES, scenario_id=_SCENARIOS, mocks=_SOME_MOCKS)
    def put_scenario(self, place: str, scenario_id: str, mocks: list[str]) -> None:
        known = self._places.get(place)
        if known is None:
            return
        mocks = [each for each in mocks if each in known.mocks]
        made = records.scenario(scenario_id, mocks)
        self._change(lambda tx: tx.put_scenario(place, made))
        known.scenarios[scenario_id] = mocks
        known.revisions[scenario_id] = made.revision

    @rule(place=_PLACES, scenario_id=_SCENARIOS)
    def remove_scenario(self, place: str, scenario_id: str) -> None:
        known = self._places.get(place)
        moves = known is not None and scenario_id in known.scenarios
        self._change(lambda tx: tx.remove_scenario(place, scenario_id), moves=moves)
        if known is None or not moves:
            return
        del known.scenarios[scenario_id]
        local = [each for each, (_, home) in known.mocks.items() if home == scenario_id]
        for mock_id in local:
            del known.mocks[mock_id]
        known.let_go_of(*local)
        for key, row in known.sessions.items():
            if row.scenario_id == scenario_id:
                known.sessions[key] = replace(row, scenario_id="", revision=row.revision + 1)

    @rule(place=_PLACES, key=_KEYS, overrides=_SOME_MOCKS, scenario_id=st.none() | _SCENARIOS, delay=_NUMBERS)
    def put_session(self, place: str, key: str, overrides: list[str], scenario_id: str | None, delay: int) -> None:
        known = self._places.get(place)
        if known is None:
            return
        row = known.sessions.get(key)
        session_id = row.id if row else self._new_session_id()
        self._put_session(known, place, session_id, key, overrides, scenario_id, delay)

    @rule(place=_PLACES, key=_KEYS, overrides=_SOME_MOCKS)
    def pass_key_on(self, place: str, key: str, overrides: list[str]) -> None:
        """A session ends and another has its key, in one unit."""
        known = self._places.get(place)
        row = known and known.sessions.get(key)
        if not known or not row:
            return
        old = row.id
        self._put_session(
            known, place, self._new_session_id(), key, overrides, None, 0, lambda tx: tx.remove_session(old)
        )

    @rule(place=_PLACES, key=_KEYS)
    def remove_session(self, place: str, key: str) -> None:
        known = self._places.get(place)
        row = known.sessions.pop(key, None) if known else None
        self._change(lambda tx: tx.remove_session(row.id if row else "ses_unknown"), moves=row is not None)

    @rule(place=_PLACES, key=_KEYS)
    def fail_halfway(self, place: str, key: str) -> None:
        if place not in self._places:
            return
        half = records.session("ses_never", f"{key} never", of=place)
        with contextlib.suppress(Refused):
            self._run(change(self._store, lambda tx: tx.remove_environment(place), fail))
        with contextlib.suppress(Refused):
            self._run(change(self._store, lambda tx: tx.put_session(half), fail))

    @rule()
    def catch_up(self) -> None:
        self._run(self._laggard.catch_up(self._store))
        assert self._laggard == self._expected()

    @rule(kept=_NUMBERS)
    def trim(self, kept: int) -> None:
        self._run(self._store.trim(kept))

    @rule()
    def open_again(self) -> None:
        self._run(self._store.close())
        self._store = self._run(type(self).opener(self._path))

    @invariant()
    def everything_is_as_expected(self) -> None:
        self._run(self._follower.catch_up(self._store))
        assert self._follower == self._expected()
        assert self._run(full(self._store)) == self._follower

    @invariant()
    def sessions_are_read_as_expected(self) -> None:
        """Asked for as use cases ask, again and again: a store that remembers answers must know when they are old."""
        for place in ("env_0", "env_1"):
            known = self._places.get(place)
            for key in ("ci-0", "ci-1", "ci-2"):
                row = known.sessions.get(key) if known else None
                found = self._run(self._store.read(partial(_session, place=place, key=key)))
                assert (row and (row.id, row.overrides, row.scenario_id)) == found

    @invariant()
    def environments_are_found_by_their_hosts(self) -> None:
        for host in ("a.test", "b.test"):
            found = self._run(self._store.read(partial(_environment, host=host)))
            assert found == next((place for place, known in self._places.items() if host in known.hosts), None)

    @invariant()
    def filtered_lists_are_as_expected(self) -> None:
        for place in ("env_0", "env_1"):
            known = self._places.get(place) or _Place("")
            for mock_id in ("ovr_0", "ovr_1"):
                found = self._run(self._store.read(partial(_users_of_mock, place=place, mock_id=mock_id)))
                home = known.mocks.get(mock_id, ("", ""))[1]
                assert found == (
                    sorted(key for key, row in known.sessions.items() if mock_id in row.overrides),
                    {each for each, listed in known.scenarios.items() if mock_id in listed} | ({home} - {""}),
                )
            for scenario_id in ("scn_0", "scn_1"):
                held = self._run(self._store.read(partial(_users_of_scenario, place=place, scenario_id=scenario_id)))
                assert held == (
                    sorted(key for key, row in known.sessions.items() if row.scenario_id == scenario_id),
                    sorted(mock_id for mock_id, (_, home) in known.mocks.items() if home == scenario_id),
                )
            active = self._run(self._store.read(partial(_mock_ids, place=place, query=MockQuery(active=True))))
            library = self._run(self._store.read(partial(_mock_ids, place=place, query=MockQuery(library_only=True))))
            assert active == sorted(known.active)
            assert library == sorted(mock_id for mock_id, (_, home) in known.mocks.items() if not home)

    def _new_session_id(self) -> str:
        self._incarnation += 1
        return f"ses_{self._incarnation:04}"

    def _put_environment(self, place: str, upstream: str, hosts: Sequence[str], *first: Change) -> None:
        made = _record(place, upstream, hosts)
        self._change(*first, lambda tx: tx.put_environment(made))
        known = self._places.setdefault(place, _Place(""))
        known.upstream, known.hosts = upstream, tuple(hosts)

    def _put_session(
        self,
        known: _Place,
        place: str,
        session_id: str,
        key: str,
        overrides: list[str],
        scenario_id: str | None,
        delay: int,
        *first: Change,
    ) -> None:
        overrides = [each for each in overrides if each in known.mocks]
        scenario_id = scenario_id if scenario_id in known.scenarios else None
        made = records.session(session_id, key, overrides=overrides, scenario_id=scenario_id, delay_ms=delay, of=place)
        self._change(*first, lambda tx: tx.put_session(made))
        known.sessions[key] = SessionRow(
            session_id, place, key, scenario_id or "", tuple(overrides), delay, 0, None, 1, None, f"{session_id}.1"
        )

    def _expected(self) -> Mirror:
        mirror = Mirror(self._version)
        for place, known in self._places.items():
            mirror.environments[place] = EnvironmentRow(
                place, PROJECT, "checkout", place.replace("_", "-"), known.upstream, tuple(known.active), known.hosts
            )
            for mock_id, (name, home) in known.mocks.items():
                mock = records.mock(mock_id, name=name, scenario=home)
                mock.active = mock_id in known.active
                mirror.mocks[place, mock_id] = mock
            for scenario_id, mocks in known.scenarios.items():
                scenario = records.scenario(scenario_id, mocks)
                scenario.revision = known.revisions[scenario_id]
                scenario.local_mocks[:] = sorted(each for each, (_, home) in known.mocks.items() if home == scenario_id)
                mirror.scenarios[place, scenario_id] = scenario
            mirror.sessions.update({row.id: row for row in known.sessions.values()})
        return mirror


def _record(place: str, upstream: str, hosts: Sequence[str]) -> EnvironmentRecord:
    return records.environment(place, place.replace("_", "-"), upstream=upstream, hosts=hosts)


async def _environment(tx: Transaction, host: str) -> str | None:
    record = await tx.environment_by_host(host)
    return record.id if record else None


async def _mock_ids(tx: Transaction, place: str, query: MockQuery) -> list[str]:
    return [each.id for each in await tx.mocks(place, query, "", 99)]


async def _session_keys(tx: Transaction, place: str, query: SessionQuery) -> list[str]:
    return [each.message.session_key for each in await tx.sessions(place, query, "", 99)]


async def _users_of_mock(tx: Transaction, place: str, mock_id: str) -> tuple[list[str], set[str]]:
    """Keys of sessions for which it is on by itself, and ids of scenarios that have it."""
    scenarios = await tx.scenarios(place, "", None, 99, mock_id)
    return await _session_keys(tx, place, SessionQuery(override=mock_id)), {each.id for each in scenarios}


async def _users_of_scenario(tx: Transaction, place: str, scenario_id: str) -> tuple[list[str], list[str]]:
    """Keys of sessions that are in it, and ids of mocks that are its alone."""
    keys = await _session_keys(tx, place, SessionQuery(scenario=scenario_id))
    return keys, await _mock_ids(tx, place, MockQuery(scenario=scenario_id))


async def _session(tx: Transaction, place: str, key: str) -> tuple[str, tuple[str, ...], str] | None:
    record = await tx.session(place, key)
    if record is None:
        return None
    return record.id, tuple(record.message.overrides), record.message.scenario
