"""Steps that change flags and sessions over the control plane, at random, and evaluations among them: each is what the
model of what was acknowledged says, and of no other session.
"""

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from google.protobuf.message import Message
from support.dispatching import World
from support.flag_doors import Doors, Said
from support.flag_model import OVERRIDE, Answer, Carried, Model, Place, ProjectSession, Session
from understudy.v1 import flag_service_pb2 as flags
from understudy.v1 import project_session_service_pb2 as of_project
from understudy.v1 import session_service_pb2 as sessions
from understudy.v1.flags_pb2 import FLAG_KIND_STRING, Flag, FlagState
from understudy_server.app.sweep import sweep

KEYS = ("a", "b", "c", "__proto__")
SESSIONS = ("s1", "s2", "s3")
BY_HEADER_NAME = ("team-a", "team-b")
NOBODY = ("gone", "sess_none_x")

_TTLS_SECONDS = (1, 5, 60, 600)
_TOKENS_LIVING, _TOKENS_KEPT = 4, 8


class _End(NamedTuple):
    """When a session of a project or of one of its environments ends, and what names it; 0: never."""

    at_ms: int
    project: str
    carried: Carried


@dataclass
class Play:
    """``differences`` are answers that the model does not give; ``leaks`` those with a value of somebody else's.

    ``asked`` counts evaluations by door, ``named`` some of them by what named the session.
    """

    here: World
    doors: Doors
    dice: random.Random
    places: tuple[Place, ...]
    model: Model
    done: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    number: int = 0

    @property
    def now_ms(self) -> int:
        return self.here.clock.now_ms

    async def step(self) -> None:
        """Do one thing. Time goes on now and then."""
        steps = {
            self.evaluate: 60,
            self.set_state: 9,
            self.put_session: 9,
            self.set_token: 6,
            self.make_or_remove_flag: 3,
            self.freeze: 3,
            self.freeze_again: 1,
            self.unfreeze: 1,
            self.end: 3,
            self.come_to_an_end: 2,
            self.sweep: 1,
        }
        does = self.dice.choices(list(steps), list(steps.values()))[0]
        self.done[does.__name__] += 1
        self.number += 1
        await does()
        self.here.clock.now_ms += self.dice.choice([0, 0, 0, 1, 500])

    # Evaluations.

    async def evaluate(self) -> None:
        await self.evaluate_in(self.dice.choice(self.places), self._carried())

    async def evaluate_in(self, place: Place, carried: Carried) -> None:
        """Ask over one of the doors, and look at what is said, and at what is put on record."""
        session = self.model.session_of(place, carried, self.now_ms)
        wanted = tuple(self.dice.sample(KEYS, 2))
        door = self.dice.choice(["one", "one", "some", "all", "bridge one", "bridge some", "open one", "open all"])
        self.asked[door] += 1
        self.here.journal.exchanges.clear()
        match door:
            case "one":
                said, expected = await self.doors.one(place, wanted[0], carried), wanted[:1]
            case "some":
                said, expected = await self.doors.some(place, wanted, carried), wanted
            case "all":
                said, expected = await self.doors.some(place, (), carried), tuple(self.model.seen(place, session))
            case "bridge one":
                said, expected = await self.doors.bridge_one(place, wanted[0], carried), wanted[:1]
            case "bridge some":
                said, expected = await self.doors.bridge_some(place, wanted, carried), wanted
            case "open one":
                said, expected = await self.doors.open_one(place, wanted[0], carried), wanted[:1]
            case _:
                said, expected = await self.doors.open_all(place, carried), tuple(self.model.seen(place, session))
        about = f"{door} of {place} with {carried}"
        self._compare(about, said, {key: self.model.said(place, key, session) for key in expected}, session)
        self._look_for_leaks(about, place, said, session)
        self._look_at_the_record(about, place, session)

    def _compare(self, about: str, said: Said, expected: dict[str, Answer], session: Session | None) -> None:
        is_another = said.session not in (None, session.key if session else "")
        if said.answers != expected or is_another:
            self.differences.append(f"{about}: {said}, not {expected} of {session}")

    def _look_for_leaks(self, about: str, place: Place, said: Said, session: Session | None) -> None:
        own = ("/".join(place), session.owner if session else "")
        for key, answer in said.answers.items():
            if answer.value and answer.value.rpartition(" #")[0] not in own:
                self.leaks.append(f"{about}: {key} is {answer.value}")

    def _look_at_the_record(self, about: str, place: Place, session: Session | None) -> None:
        """What a session was told is on its record, with what it would have been; what nobody was told on none."""
        rows = self.here.journal.exchanges
        if [each.session_key for each in rows] != ([session.key] if session else []):
            self.differences.append(f"{about}: on record of {[each.session_key for each in rows]}, not of {session}")
            return
        for each in rows:
            told = json.loads(each.response_body.content if each.response_body else b"{}")
            for one in told.get("evaluations", [told]):
                if one["reason"] != OVERRIDE:
                    continue
                without = one["wouldHaveBeen"]
                answer = self.model.without_values(place, one["flagKey"], session)
                if (without["reason"], answer.value or without.get("value")) != (answer.reason, without.get("value")):
                    self.differences.append(f"{about}: {without} on record, not {answer}")

    def _carried(self) -> Carried:
        """Mostly one thing that names a session, and sometimes several, or none."""
        # An id is no token where that has a secret part, and another part is none either.
        tokens = [*self.model.tokens, *NOBODY]
        tokens += [each for of in self.model.tokens.values() for each in (of.key, f"{of.key}_x")]
        keys = [*SESSIONS, *SESSIONS, *BY_HEADER_NAME, *tokens]
        # A session that is found by its key is not found by a header of that name.
        teams = self.dice.sample([*BY_HEADER_NAME, SESSIONS[0]], self.dice.choice([1, 1, 1, 2]))
        what: dict[str, dict[str, object]] = {
            "token": {"token": self.dice.choice(tokens)},
            "key": {"key": self.dice.choice(keys)},
            "baggage": {"baggage": self.dice.choice(keys)},
            "header": {"header": self.dice.choice(keys)},
            "header's name": {"named": tuple(teams)},
        }
        ways = self.dice.sample(list(what), self.dice.choices([0, 1, 2, 3], [10, 70, 15, 5])[0])
        self.named[ways[0] if len(ways) == 1 else "several" if ways else "nothing"] += 1
        found: dict[str, object] = {}
        for each in ways:
            found |= what[each]
        return Carried(**found)  # type: ignore[arg-type]

    # Flags.

    async def make_or_remove_flag(self) -> None:
        project, key = self.dice.choice(self.places)[0], self.dice.choice(KEYS)
        if (project, key) in self.model.flags:
            await self.here.call("FlagService.DeleteFlag", flags.DeleteFlagRequest(project=project, flag_key=key))
            self.model.remove_flag(project, key)
            return
        request = flags.CreateFlagRequest(project=project, flag=Flag(key=key, kind=FLAG_KIND_STRING))
        await self.here.call("FlagService.CreateFlag", request)
        self.model.flags.add((project, key))

    async def set_state(self) -> None:
        await self.set_state_in(self.dice.choice(self.places))

    async def set_state_in(self, place: Place) -> None:
        there = self.model.keys_of(place[0])
        if not there:
            return
        key, value = self.dice.choice(there), None if self.dice.random() < 0.3 else self._value("/".join(place))
        state = FlagState(enabled=value is not None, value=json.dumps(value) if value else None)
        await self._call_in(place, "FlagService.PutFlagState", flags.PutFlagStateRequest(flag_key=key, state=state))
        self.model.states[place, key] = value

    # Sessions of environments.

    async def put_session(self) -> None:
        """Make a session, or set its flags exactly, take them away, or leave them; some come to an end."""
        place, key = self.dice.choice(self.places), self.dice.choice([*SESSIONS, *BY_HEADER_NAME])
        session = self._session(place, key)
        request = sessions.PutSessionRequest(session_key=key, label=f"#{self.number}")
        if session.by_header_name:
            request.found_by = sessions.FOUND_BY_HEADER_NAME
        match self.dice.choice(["flags", "flags", "flags", "none", "as they are"]):
            case "flags":
                session.values = self._values(session.owner)
                request.flags = json.dumps(session.values)
            case "none":
                session.values = {}
                request.update_mask.paths.extend(["flags", "label"])
        if self.dice.random() < 0.3 and not request.update_mask.paths:
            request.ttl_seconds = self.dice.choice(_TTLS_SECONDS)
            session.ends_ms = self.now_ms + request.ttl_seconds * 1000
        await self._call_in(place, "SessionService.PutSession", request)
        self.model.sessions[place, key] = session

    async def freeze(self) -> None:
        place, key = self.dice.choice(self.places), self.dice.choice(SESSIONS)
        session = self._session(place, key)
        await self._call_in(place, "SessionService.FreezeSession", sessions.FreezeSessionRequest(session_key=key))
        session.pinned = self.model.pin(place)
        self.model.sessions[place, key] = session

    async def freeze_again(self) -> None:
        """Freeze, look, change, look, and freeze anew, perhaps after a reset; also what is found by a header's name."""
        place, key = self.dice.choice(self.places), self.dice.choice([*SESSIONS, *BY_HEADER_NAME])
        if self.model.living(place, key, self.now_ms) is None:
            return
        carried = Carried(named=(key,)) if key in BY_HEADER_NAME else Carried(key=key)
        for _ in range(3):
            session = self.model.sessions[place, key]
            request = sessions.FreezeSessionRequest(session_key=key.title() if session.by_header_name else key)
            await self._call_in(place, "SessionService.FreezeSession", request)
            session.pinned = self.model.pin(place)
            await self.evaluate_in(place, carried)
            await self.set_state_in(place)
            await self.evaluate_in(place, carried)
            if self.dice.random() < 0.3:
                await self._end(place, key, sessions.DELETE_MODE_RESET)

    async def unfreeze(self) -> None:
        pinned = [(place, key) for (place, key), each in self.model.sessions.items() if each.pinned is not None]
        if not pinned:
            return
        place, key = self.dice.choice(pinned)
        if session := self.model.living(place, key, self.now_ms):
            request = sessions.UnfreezeSessionRequest(session_key=key)
            await self._call_in(place, "SessionService.UnfreezeSession", request)
            session.pinned = None

    async def end(self) -> None:
        """Reset or remove a session of an environment, or remove one of a project."""
        living = list(self.model.living_tokens(self.now_ms))
        if living and self.dice.random() < 0.3:
            session = self.model.tokens.pop(self.dice.choice(living))
            request = of_project.DeleteProjectSessionRequest(project=session.project, session_id=session.key)
            await self.here.call("ProjectSessionService.DeleteProjectSession", request)
            return
        place, key = self.dice.choice(self.places), self.dice.choice([*SESSIONS, *BY_HEADER_NAME])
        if self.model.living(place, key, self.now_ms):
            await self._end(place, key, self.dice.choice((sessions.DELETE_MODE_RESET, sessions.DELETE_MODE_DELETE)))

    async def _end(self, place: Place, key: str, mode: sessions.DeleteMode) -> None:
        request = sessions.DeleteSessionRequest(session_key=key, mode=mode)
        await self._call_in(place, "SessionService.DeleteSession", request)
        if mode == sessions.DELETE_MODE_DELETE:
            del self.model.sessions[place, key]
        else:
            session = self.model.sessions[place, key]
            session.values, session.pinned = {}, None

    # Sessions of projects.

    async def set_token(self) -> None:
        """Make a session of a project, or set some of its flags, and take others away."""
        living = list(self.model.living_tokens(self.now_ms))
        if len(living) < _TOKENS_LIVING:
            await self._make_token()
            return
        session = self.model.tokens[self.dice.choice(living)]
        values: dict[str, str | None] = {**self._values(session.owner)}
        values |= {key: None for key in KEYS if self.dice.random() < 0.2}
        session.values |= {key: value for key, value in values.items() if value is not None}
        for key in [key for key, value in values.items() if value is None]:
            session.values.pop(key, None)
        request = of_project.SetProjectSessionFlagsRequest(project=session.project, session_id=session.key)
        request.flags = json.dumps(values)
        await self.here.call("ProjectSessionService.SetProjectSessionFlags", request)
        if session.values and self.dice.random() < 0.3:
            gone = self.dice.choice(list(session.values))
            del session.values[gone]
            removal = of_project.RemoveProjectSessionFlagRequest(project=session.project, session_id=session.key)
            removal.flag_key = gone
            await self.here.call("ProjectSessionService.RemoveProjectSessionFlag", removal)

    async def _make_token(self) -> None:
        owner, project = f"token {self.number}", self.dice.choice(self.places)[0]
        values, seconds = self._values(owner), self.dice.choice(_TTLS_SECONDS)
        request = of_project.CreateProjectSessionRequest(
            project=project,
            flags=json.dumps(values),
            ttl_seconds=seconds,
            without_secret=self.dice.random() < 0.3,
        )
        made = await self.here.call("ProjectSessionService.CreateProjectSession", request)
        assert isinstance(made, of_project.CreateProjectSessionResponse)
        ends_ms = self.now_ms + seconds * 1000
        session = ProjectSession(made.session.id, owner, values, ends_ms=ends_ms, project=project)
        self.model.tokens[made.session.token] = session
        ended = [token for token, each in self.model.tokens.items() if not each.lives(self.now_ms)]
        for token in ended[: max(0, len(self.model.tokens) - _TOKENS_KEPT)]:
            del self.model.tokens[token]

    # Time.

    async def come_to_an_end(self) -> None:
        """Look at a session in the last millisecond in which it lives, and in the next."""
        ends = [
            _End(each.ends_ms or 0, each.project, Carried(token=token)) for token, each in self.model.tokens.items()
        ]
        for ((project, _), key), each in self.model.sessions.items():
            carried = Carried(named=(key,)) if each.by_header_name else Carried(key=key)
            ends.append(_End(each.ends_ms or 0, project, carried))
        coming = [each for each in ends if each.at_ms > self.now_ms]
        if not coming:
            return
        # Others live on, so that there is something to see.
        at, project, carried = min(coming, key=lambda each: each.at_ms)
        for now_ms in (at - 1, at):
            self.here.clock.now_ms = now_ms
            for place in self.places:
                if place[0] == project:
                    await self.evaluate_in(place, carried)

    async def sweep(self) -> None:
        """What has expired is cleared away: nobody notices."""
        await sweep(self.here.store, self.here.presence, self.here.state, self.now_ms, 0)

    # What they share.

    def _session(self, place: Place, key: str) -> Session:
        """The session that lives, or a new one."""
        owner = f"{'/'.join(place)}/{key}"
        new = Session(key, owner, by_header_name=key in BY_HEADER_NAME)
        return self.model.living(place, key, self.now_ms) or new

    def _values(self, owner: str) -> dict[str, str]:
        return {key: self._value(owner) for key in KEYS if self.dice.random() < 0.4}

    def _value(self, owner: str) -> str:
        return f"{owner} #{self.number}"

    async def _call_in(self, place: Place, rpc: str, request: Message) -> None:
        request.project, request.environment = place  # type: ignore[attr-defined]
        await self.here.call(rpc, request)
