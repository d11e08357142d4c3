"""One environment as the proxy sees it: its mocks, scenarios and sessions, and the indexes made of them."""

from collections.abc import Iterable, Mapping
from itertools import chain, islice
from typing import Final
from weakref import WeakValueDictionary

from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.core.giving_way import giving_way
from understudy_server.core.matching.index import EMPTY, Index
from understudy_server.core.matching.mock import Layer
from understudy_server.core.precedence import Layers
from understudy_server.core.session_key import key_of
from understudy_server.live.mock import LiveMock
from understudy_server.live.mocks import Mocks
from understudy_server.live.places import Members, Place
from understudy_server.live.prepared import EnvironmentChange, MockChanges, Rebuilt
from understudy_server.live.rebuilding import InUse, rebuilt_for
from understudy_server.live.seats import Seat, Seats
from understudy_server.live.session_indexes import SessionIndexes
from understudy_server.live.source import EnvironmentRow, SessionRow

_NO_SESSION: Final = ""
_NO_SCENARIO: Final = ""

# They are looked through in less than a millisecond.
_RECENT_SESSIONS: Final = 5_000


class LiveEnvironment:
    """Takes in what changed, and compiles an index when it is first asked for.

    ``row`` holds the environment's settings as they are now; only `set_row` changes it.

    What is on for a session is put together of indexes that many sessions share, and kept until a part of it changes.
    An index goes only when a mock in it does, so putting together anew costs about as much as looking up three times;
    and what changes for one session, or for those in one scenario, is of no concern to the others. Sessions that have
    the same on have the same layers: one object, by which that can be told.

    What is set is in force after `settle`: until then nothing may be asked.
    """

    def __init__(self, row: EnvironmentRow) -> None:
        self.row = row
        self._mocks = Mocks()
        self._by_key: dict[str, SessionRow] = {}
        # Those that are found by a header, by its name in lower case as it is in a head.
        self.by_header_name: dict[bytes, SessionRow] = {}
        self._by_id: dict[str, SessionRow] = {}
        self._everywhere: Place | None = None
        self._in_scenarios: dict[str, Place] = {}
        self._in_sessions = SessionIndexes()
        # By scenario and session.
        self._layers: dict[str, dict[str, Layers]] = {}
        # By what they are made of, by identity: as long as the layers are there, so is that, and nothing else has its
        # identity.
        self._shared: WeakValueDictionary[tuple[int, ...], Layers] = WeakValueDictionary()
        self.seats = Seats()
        self._changed: set[str] = set()
        self._changed_scenarios: set[str] = set()
        self._changed_sessions: set[str] = set()
        self._replaced: list[object] = []

    # What is taken in.

    def set_row(self, row: EnvironmentRow) -> None:
        """Take in the environment's new settings. The profile stays for ever: the indexes are ordered by it."""
        self.row = row

    def set_mocks(self, changed: MockChanges) -> None:
        """Take in mocks as they are now. Those of a session that is not there are let go: sessions come first."""
        scenarios, replaced = self._mocks.set(changed)
        self._replaced += replaced
        self._changed |= changed.ids
        self._changed_scenarios |= scenarios
        for session_id, own in changed.own.items():
            if session_id in self._by_id:
                self._replaced += self._mocks.set_own(session_id, own)
                self._changed_sessions.add(session_id)

    def set_scenario(self, scenario_id: str, message: Scenario | None) -> None:
        """Take in a scenario as it is now. ``None``: sessions that name it have none from now on."""
        self._mocks.set_scenario(scenario_id, message)
        self._changed_scenarios.add(scenario_id)

    def set_session(self, row: SessionRow) -> None:
        """Take in a session as it is now."""
        known = self._known(row)
        if known is not None and known.id == row.id:
            self._drop_layers(known)
            if known.overrides != row.overrides:
                self._changed_sessions.add(row.id)
        elif known is not None:
            self.remove_session(known)
        self._by_id[row.id] = row
        if row.by_header_name:
            self.by_header_name[row.key.encode()] = row
        else:
            self._by_key[row.key] = row

    def _known(self, row: SessionRow) -> SessionRow | None:
        return self.by_header_name.get(row.key.encode()) if row.by_header_name else self._by_key.get(row.key)

    def remove_session(self, row: SessionRow) -> None:
        """Let go of a session and what it owns, unless another incarnation has its key already."""
        known = self._by_id.pop(row.id, None)
        if known is not None:
            self._drop_layers(known)
            if self._known(known) is known:
                if known.by_header_name:
                    del self.by_header_name[known.key.encode()]
                else:
                    del self._by_key[known.key]
                    self.seats.forget(known.key)
        self._in_sessions.drop(row.id)
        self._replaced += self._mocks.forget_own(row.id)

    def settle(self, rebuilt: Iterable[Rebuilt] = ()) -> list[object]:
        """Put all that was taken in in force. Returns what it replaces: to free many takes longer than the rest.

        ``rebuilt`` are indexes that were made for it beforehand, and need not be made now.
        """
        ready = {(each.place.layer, each.name): each.place for each in rebuilt}
        self._settle_everywhere(ready.get((Layer.ENVIRONMENT, "")))
        self._settle_scenarios({name: place for (layer, name), place in ready.items() if layer is Layer.SCENARIO})
        self._settle_sessions({name: place for (layer, name), place in ready.items() if layer is Layer.SESSION})
        self._changed, self._changed_scenarios, self._changed_sessions = set(), set(), set()
        self._replaced += self.seats.replace()
        replaced, self._replaced = self._replaced, []
        return replaced

    def _settle_everywhere(self, made: Place | None) -> None:
        place = self._everywhere
        if place is not None and made is None:
            members = place.members.followed_by(self.row.active_mocks)
            if not place.is_touched(members, self._changed):
                return
            made = place.changed(members, self._changed, self._mocks.finder())
        self._everywhere = made
        self._replaced.append(place)
        for by_session in self._layers.values():
            self._replaced += by_session.values()
        self._layers = {}

    def _settle_scenarios(self, made: Mapping[str, Place]) -> None:
        for scenario_id in self._changed_scenarios:
            self._drop_layers_in(scenario_id)
        for scenario_id, place in list(self._in_scenarios.items()):
            is_changed = scenario_id in self._changed_scenarios
            members = self._mocks.members(scenario_id) if is_changed else place.members
            if scenario_id in made or not place.is_touched(members, self._changed):
                continue
            self._drop_layers_in(scenario_id)
            self._replaced.append(self._in_scenarios.pop(scenario_id))
            changed = place.changed(members, self._changed, self._mocks.finder(scenario_id))
            if changed is not None and self._mocks.has_scenario(scenario_id):
                self._in_scenarios[scenario_id] = changed
        for scenario_id, place in made.items():
            self._drop_layers_in(scenario_id)
            self._replaced.append(self._in_scenarios.get(scenario_id))
            self._in_scenarios[scenario_id] = place

    def _settle_sessions(self, made: Mapping[str, Place]) -> None:
        for session_id in self._in_sessions.with_any(self._changed) | self._changed_sessions:
            row = self._by_id.get(session_id)
            if row is not None:
                self._drop_layers(row)
                self._in_sessions.drop(session_id)
        for session_id in made.keys() & self._by_id.keys():
            self._in_sessions.keep(session_id, made[session_id].index, made[session_id].members.ids)

    def _drop_layers(self, session: SessionRow) -> None:
        self._layers.get(session.scenario_id, {}).pop(session.id, None)

    def _drop_layers_in(self, scenario_id: str) -> None:
        self._replaced += self._layers.pop(scenario_id, {}).values()

    # What is asked.

    def session(self, key: str, now_ms: int) -> SessionRow | None:
        """The session of a normalised key, unless it has expired by ``now_ms``."""
        row = self._by_key.get(key)
        if row is None or (row.expires_at_ms is not None and row.expires_at_ms <= now_ms):
            return None
        return row

    def named(self, name: bytes, now_ms: int) -> SessionRow | None:
        """The session that is found by a header of that name, in lower case, unless it has expired."""
        row = self.by_header_name.get(name)
        return row if row is not None and self.has_session(row.id, now_ms) else None

    def session_of(self, key: str, now_ms: int) -> SessionRow | None:
        """The session that has a key, however requests find it, unless it has expired."""
        return self.session(key, now_ms) or self.named(key.encode(), now_ms)

    def seat(self, raw: bytes, now_ms: int) -> Seat:
        """What requests of this environment have that carry these bytes as their session key, and no other."""
        seats = self.seats
        seat = seats.by_raw.get(raw)
        if seat is not None and now_ms < seat.until_ms:
            return seat
        key = key_of(raw)
        session = self.session(key, now_ms) if key else None
        # Where something else of the request says whose it is, too, or this must, that is for each to be found out.
        row = self.row
        shares = not (row.carriers or self.by_header_name or (row.strict and not key))
        return seats.keep(raw, key, session, self.layers(session), shares=shares)

    def sessions_with_mocks(self, now_ms: int, most: int) -> list[SessionRow]:
        """Sessions for which anything may be on that is not on for everybody, those that were made last first.

        Of those that were made before the last 5000 none is looked at: that would take long.
        """
        rows = chain(reversed(self.by_header_name.values()), reversed(self._by_key.values()))
        recent = islice(rows, _RECENT_SESSIONS)
        found = (row for row in recent if row.scenario_id or row.overrides or self._mocks.has_own(row.id))
        return list(islice((row for row in found if row.expires_at_ms is None or row.expires_at_ms > now_ms), most))

    def has_session(self, session_id: str, now_ms: int) -> bool:
        """Whether a session has not ended by ``now_ms``. May be asked in another thread."""
        row = self._by_id.get(session_id)
        return row is not None and (row.expires_at_ms is None or row.expires_at_ms > now_ms)

    def layers(self, session: SessionRow | None) -> Layers:
        """What is on now for requests of a session, or of none. A session that has gone has nothing of its own on."""
        if session is None:
            scenario_id, session_id = _NO_SCENARIO, _NO_SESSION
        else:
            scenario_id, session_id = session.scenario_id, session.id
        by_session = self._layers.get(scenario_id)
        layers = None if by_session is None else by_session.get(session_id)
        return self._put_together(session) if layers is None else layers

    def _put_together(self, session: SessionRow | None) -> Layers:
        # The row as it is now: the one given may have been looked up before it was changed, and must not be kept.
        row = self._by_id.get(session.id) if session else None
        scenario_id = row.scenario_id if row else _NO_SCENARIO
        indexes = (self._activated(row) if row else EMPTY, self._scenario(scenario_id), self._everywhere_index())
        made_of = tuple(map(id, indexes))
        layers = self._shared.get(made_of)
        if layers is None:
            layers = self._shared[made_of] = Layers(*indexes, self.row.profile)
        self._layers.setdefault(scenario_id, {})[row.id if row else _NO_SESSION] = layers
        return layers

    def published(self) -> list[LiveMock]:
        """All mocks that can be on, those of scenarios among them, but not those that sessions own."""
        return self._mocks.all()

    def has_needed(self, mock_id: str) -> bool:
        """Whether an index has needed a mock of the library as it was until now."""
        return self._mocks.has_needed(mock_id)

    # What is built.

    def rebuilt(self, change: EnvironmentChange) -> list[Rebuilt]:
        """Build the indexes that a change will make necessary, and compile what they need: see `rebuilt_for`."""
        in_use = InUse(self.row, self._mocks, self._by_id, self._everywhere, self._in_scenarios.copy())
        return rebuilt_for(in_use, change)

    def warm(self) -> None:
        """Build what is likely to be asked for first: what is on for all, and the scenarios that sessions are in."""
        self._everywhere_index().make()
        for scenario_id in giving_way({row.scenario_id for row in self._by_id.values()}):
            self._scenario(scenario_id).make()

    def _everywhere_index(self) -> Index:
        if self._everywhere is None:
            members = Members.in_order(self.row.active_mocks)
            self._everywhere = Place.of(Layer.ENVIRONMENT, self.row.profile, members, self._mocks.finder())
        return self._everywhere.index

    def _scenario(self, scenario_id: str) -> Index:
        if not self._mocks.has_scenario(scenario_id):
            return EMPTY
        place = self._in_scenarios.get(scenario_id)
        if place is None:
            members, find = self._mocks.members(scenario_id), self._mocks.finder(scenario_id)
            place = self._in_scenarios[scenario_id] = Place.of(Layer.SCENARIO, self.row.profile, members, find)
        return place.index

    def _activated(self, session: SessionRow) -> Index:
        if not (session.overrides or self._mocks.has_own(session.id)):
            return EMPTY
        index = self._in_sessions.get(session.id)
        if index is None:
            index = self._in_sessions.made_of(self._mocks.of_session(session), self.row.profile)
            self._in_sessions.keep(session.id, index, session.overrides)
        return index
