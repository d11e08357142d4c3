"""The session that an evaluation is for: found by token, by key, by a carrier of the environment, by a header's name.

In this order, as the proxy has it. Where the request carries a key, no session is found by a header's name, unless the
environment is one of Assertive's: there a key that is no session's is a header like any other.
"""

import hmac
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from understudy.v1.evaluation_service_pb2 import RequestHeader
from understudy.v1.session_service_pb2 import FOUND_BY_HEADER_NAME

from understudy_server.app.call import Call
from understudy_server.app.flag_ports import ProjectSessionRecord
from understudy_server.app.ports import SessionRecord, Transaction
from understudy_server.app.session_values import NO_VALUES, Values
from understudy_server.app.sessions import has_expired
from understudy_server.app.times import milliseconds
from understudy_server.core.carriers import Carrier, find_key
from understudy_server.core.flags.compiled import CompiledFlag
from understudy_server.core.profiles import Profile
from understudy_server.core.session_key import normalise
from understudy_server.definitions.environments import compile_carriers, compile_profile

SESSION_HEADER: Final = "x-flowmock-session"
TOKEN_HEADER: Final = "x-flagbridge-session"  # noqa: S105 - the name of a header
_OWN_HEADERS: Final = frozenset((TOKEN_HEADER, SESSION_HEADER))


class Named(Protocol):
    """What of a request names its session."""

    session_key: str
    session_token: str
    baggage: str

    @property
    def headers(self) -> Sequence[RequestHeader]: ...


class EvaluationSession(NamedTuple):
    """A session as evaluations know it.

    ``key`` is its key, or its id when it is a project's; ``id`` its incarnation. ``snapshot_id`` is what it has pinned.
    """

    key: str = ""
    id: str = ""
    revision: int = 0
    values: Values = NO_VALUES
    snapshot_id: int | None = None


NO_SESSION: Final = EvaluationSession()


async def find_session(tx: Transaction, call: Call, named: Named) -> EvaluationSession:
    """The first session that lives of those that are named; none is no error. Raises NotYet."""
    for name in (named.session_token, named.session_key):
        if name and (found := await _session(tx, call, name)):
            return found
    if named.headers or named.baggage:
        carriers = await _carriers(tx, call)
        token, *keys = _carried(named, carriers.carriers)
        for name in (token, *keys):
            if name and (found := await _session(tx, call, name)):
                return found
        if carriers.is_assertive or not any(map(normalise, (named.session_key, *keys))):
            return await _by_header_name(tx, call, named)
    return NO_SESSION


async def flags_for(
    tx: Transaction, call: Call, session: EvaluationSession, keys: Sequence[str] | None
) -> Mapping[str, CompiledFlag]:
    """The flags that a session sees, of some keys or all (``None``): those of now, or those that it has pinned.

    As `flag_cache.FlagCache` gives them. Raises NotYet.
    """
    cache, place = call.world.flags, call.place
    if session.snapshot_id is not None:
        return await cache.pinned(tx, session.snapshot_id, keys)
    if keys is None:
        return await cache.all(tx, place.project_id, place.environment_id)
    return await cache.some(tx, place.project_id, place.environment_id, keys)


async def _session(tx: Transaction, call: Call, name: str) -> EvaluationSession | None:
    key = normalise(name)
    if not key:
        return None
    record = await tx.session(call.place.environment_id, key)
    if record and not has_expired(record, call.now_ms) and record.message.found_by != FOUND_BY_HEADER_NAME:
        return await _of_environment(tx, call, record)
    return await _of_project(tx, call, key)


async def _of_environment(tx: Transaction, call: Call, record: SessionRecord) -> EvaluationSession:
    session, snapshot_id = record.message, None
    if session.HasField("frozen_at"):
        snapshot_id = await tx.snapshot_of(record.id)
    values = call.world.session_values.of(session.flags)
    return EvaluationSession(session.session_key, record.id, session.revision, values, snapshot_id)


async def _of_project(tx: Transaction, call: Call, token: str) -> EvaluationSession | None:
    # The id is what stands before the secret part, or all of it.
    for session_id in (token.rpartition("_")[0], token):
        record = await _project_session(tx, call.place.project_id, session_id)
        if record is None:
            continue
        session = record.message
        is_it = hmac.compare_digest(session.token.encode(), token.encode())
        if is_it and milliseconds(session.expires_at) > call.now_ms:
            values = call.world.session_values.of(session.flags)
            return EvaluationSession(session.id, session.id, session.revision, values)
    return None


async def _project_session(tx: Transaction, project_id: str, session_id: str) -> ProjectSessionRecord | None:
    question = ("project_session", project_id, session_id)
    return await tx.recall(question, lambda: tx.project_session(project_id, session_id)) if session_id else None


async def _by_header_name(tx: Transaction, call: Call, named: Named) -> EvaluationSession:
    """The session that is found by a header of its name. Of two that live none can be chosen."""
    environment_id = call.place.environment_id
    known = await tx.header_names(environment_id)
    if not known:
        return NO_SESSION
    names = dict.fromkeys(each.name.lower() for each in named.headers)
    records = [await tx.session(environment_id, name) for name in names if name in known]
    living = [each for each in records if each and not has_expired(each, call.now_ms)]
    return await _of_environment(tx, call, living[0]) if len(living) == 1 else NO_SESSION


class _Carriers(NamedTuple):
    """What an environment says of where requests carry their keys."""

    carriers: Sequence[Carrier] = ()
    is_assertive: bool = False


async def _carriers(tx: Transaction, call: Call) -> _Carriers:
    environment_id = call.place.environment_id

    async def look_up() -> _Carriers:
        record = await tx.environment_by_id(environment_id)
        if record is None:
            return _Carriers()
        is_assertive = compile_profile(record.message.profile) is Profile.ASSERTIVE
        return _Carriers(compile_carriers(record.message.carriers), is_assertive)

    return await tx.recall(("carriers", environment_id), look_up)


def _carried(named: Named, carriers: Sequence[Carrier]) -> Sequence[str]:
    """What the headers of a request hold of sessions: the token, the key, and what the carriers say, in their order."""
    own: dict[str, str] = {}
    for each in named.headers:
        if (name := each.name.lower()) in _OWN_HEADERS:
            # One that is sent twice counts the first time.
            own.setdefault(name, each.value)
    found = own.get(TOKEN_HEADER, ""), own.get(SESSION_HEADER, "")
    if not carriers:
        return found
    headers = [(each.name.encode(), each.value.encode()) for each in named.headers]
    if named.baggage:
        headers.append((b"baggage", named.baggage.encode()))
    return *found, *(find_key((), (each,), headers, "").key for each in carriers)
