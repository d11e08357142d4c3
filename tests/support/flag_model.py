"""What is acknowledged about flags and the sessions that set them, as dictionaries: whose a request is, what flags are
for it.

Every value names who set it: a place, a session of one, or a session of a project.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Place = tuple[str, str]
"""Slugs of a project and of an environment of it."""

NOT_FOUND, DISABLED, ENABLED, OVERRIDE = "flag_not_found", "flag_disabled", "flag_enabled", "test_override"


class Answer(NamedTuple):
    """What is said of a flag: the reason, and the value, empty where it is off or there is none."""

    reason: str
    value: str = ""


class Carried(NamedTuple):
    """What of a request names sessions. ``named`` are headers whose name is a session's."""

    token: str = ""
    key: str = ""
    baggage: str = ""
    header: str = ""
    named: tuple[str, ...] = ()


@dataclass
class Session:
    """``owner`` is what its values name. ``pinned`` are flags as they were; ``ends_ms`` is ``None`` without an end."""

    key: str
    owner: str
    values: dict[str, str] = field(default_factory=dict)
    pinned: Mapping[str, Answer] | None = None
    ends_ms: int | None = None
    by_header_name: bool = False

    def lives(self, now_ms: int) -> bool:
        return self.ends_ms is None or now_ms < self.ends_ms


@dataclass
class ProjectSession(Session):
    """``key`` is its id."""

    project: str = ""


@dataclass
class Model:
    """``states`` has ``None`` where a flag is off. ``has_carrier`` are the places in which a header is a carrier.

    ``tokens`` are also those of sessions that have expired; what was deleted is in none of these.
    """

    has_carrier: frozenset[Place]
    flags: set[tuple[str, str]] = field(default_factory=set)
    states: dict[tuple[Place, str], str | None] = field(default_factory=dict)
    sessions: dict[tuple[Place, str], Session] = field(default_factory=dict)
    tokens: dict[str, ProjectSession] = field(default_factory=dict)

    def living(self, place: Place, key: str, now_ms: int) -> Session | None:
        """The session of a key, however it is found."""
        found = self.sessions.get((place, key))
        return found if found and found.lives(now_ms) else None

    def keys_of(self, project: str) -> list[str]:
        return sorted(key for of, key in self.flags if of == project)

    def session_of(self, place: Place, carried: Carried, now_ms: int) -> Session | None:
        """The first that lives of what names one."""
        header = carried.header if place in self.has_carrier else ""
        for name in (carried.token, carried.key, carried.baggage, header):
            if found := self._named(place, name, now_ms):
                return found
        if carried.key or carried.baggage or header:
            return None
        found_by_header = [
            session
            for name in set(carried.named)
            if (session := self.living(place, name, now_ms)) and session.by_header_name
        ]
        return found_by_header[0] if len(found_by_header) == 1 else None

    def without_session(self, place: Place, key: str) -> Answer:
        """What a flag is for everybody."""
        if (place[0], key) not in self.flags:
            return Answer(NOT_FOUND)
        value = self.states.get((place, key))
        return Answer(DISABLED) if value is None else Answer(ENABLED, value)

    def without_values(self, place: Place, key: str, session: Session | None) -> Answer:
        """What a flag would be if the session did not set it."""
        if session is None or session.pinned is None:
            return self.without_session(place, key)
        return session.pinned.get(key, Answer(NOT_FOUND))

    def said(self, place: Place, key: str, session: Session | None) -> Answer:
        """What a flag is in a session."""
        if session is not None and key in session.values:
            return Answer(OVERRIDE, session.values[key])
        return self.without_values(place, key, session)

    def seen(self, place: Place, session: Session | None) -> list[str]:
        """The keys of all flags that a session sees, or sets."""
        pinned = None if session is None else session.pinned
        there = self.keys_of(place[0]) if pinned is None else pinned
        return sorted({*there, *(session.values if session else ())})

    def pin(self, place: Place) -> dict[str, Answer]:
        """All flags as they are now."""
        return {key: self.without_session(place, key) for key in self.keys_of(place[0])}

    def remove_flag(self, project: str, key: str) -> None:
        self.flags.remove((project, key))
        for place, of in list(self.states):
            if (place[0], of) == (project, key):
                del self.states[place, of]

    def living_tokens(self, now_ms: int) -> Iterator[str]:
        return (token for token, session in self.tokens.items() if session.lives(now_ms))

    def _named(self, place: Place, name: str, now_ms: int) -> Session | None:
        own = self.living(place, name, now_ms)
        if own is not None and not own.by_header_name:
            return own
        of_project = self.tokens.get(name)
        is_it = of_project is not None and of_project.project == place[0] and of_project.lives(now_ms)
        return of_project if is_it else None
