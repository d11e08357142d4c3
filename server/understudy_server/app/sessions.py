"""Sessions: read, set, clear, remove, list."""

import re
from dataclasses import replace

from understudy.v1.session_service_pb2 import (
    DELETE_MODE_DELETE,
    DELETE_MODE_RESET,
    FOUND_BY_HEADER_NAME,
    DeleteSessionRequest,
    DeleteSessionResponse,
    FoundBy,
    GetSessionRequest,
    GetSessionResponse,
    ListSessionsRequest,
    ListSessionsResponse,
    PutSessionRequest,
    PutSessionResponse,
    Session,
)

from understudy_server.app import paging
from understudy_server.app.call import Call
from understudy_server.app.flag_values import kept_text, read_given, warnings_about
from understudy_server.app.masks import fields_to_set
from understudy_server.app.mocks import activatable
from understudy_server.app.ports import SessionQuery, SessionRecord, Transaction
from understudy_server.app.revisions import check_revision
from understudy_server.app.times import milliseconds, stamp
from understudy_server.core.errors import Conflict, Fault, InvalidInput, NotFound, StorageFailure
from understudy_server.core.record import Stream
from understudy_server.core.session_key import normalise

_SETTABLE = ("scenario", "overrides", "global_delay_ms", "global_delay_max_ms", "label", "ttl_seconds", "seed", "flags")
_HEADER_NAME = re.compile(r"[A-Za-z0-9_-]+")
_CLEARED_BY_RESET = ("scenario", "overrides", "global_delay_ms", "global_delay_max_ms", "flags", "frozen_at")


async def get_session(tx: Transaction, call: Call, request: GetSessionRequest) -> GetSessionResponse:
    """Read a session. Raises NotFound."""
    record = await existing_session(tx, call, session_key(request.session_key))
    response = GetSessionResponse(session_id=record.id)
    show(call, record, response.session)
    return response


async def put_session(tx: Transaction, call: Call, request: PutSessionRequest) -> PutSessionResponse:
    """Set what is present, clear what is null, keep the rest; make the session when missing.

    Raises NotFound for an unknown scenario, InvalidInput (invalid_override) for a mock that cannot be switched on, and
    Conflict (revision_mismatch), also for a session that was seen and is no more.
    """
    key = session_key(request.session_key)
    by_header_name = request.found_by == FOUND_BY_HEADER_NAME
    if by_header_name:
        key = _header_name(key)
    # Over REST the mask names whatever was sent, which is looked at for itself.
    fields = fields_to_set(request, request.update_mask, (*_SETTABLE, "found_by"))
    before = await live_session(tx, call, key)
    check_seen_revision(key, before, request.expected_revision)
    after = Session()
    if before:
        after.CopyFrom(before.message)
        _check_found_by(request, before.message)
    elif by_header_name:
        after.found_by = FOUND_BY_HEADER_NAME
    if "scenario" in fields:
        await _set_scenario(tx, call, after, request)
    if "overrides" in fields:
        await _set_overrides(tx, call, after, request)
    _set_plain_fields(call, after, request, fields)
    response = PutSessionResponse()
    show(call, await save(tx, call, key, before, after), response.session)
    if after.HasField("flags"):
        response.session.warnings.extend(await warnings_about(tx, call, after.flags))
    return response


async def delete_session(call: Call, request: DeleteSessionRequest) -> DeleteSessionResponse:
    """Clear a session (the default) or remove it, and its exchanges too if that is asked for.

    Raises NotFound and Conflict (revision_mismatch); StorageFailure says in its message what was done already.
    """
    mode = request.mode or DELETE_MODE_RESET
    record = await call.world.store.write(lambda tx: _end_session(tx, call, request, mode), brief=True)
    if request.purge_journal:
        # Only once it is durable: a session that is there after all keeps its record.
        try:
            await call.world.journal.purge(Stream(call.place.environment_id, record.message.session_key, record.id))
        except StorageFailure as error:
            done = "removed" if mode == DELETE_MODE_DELETE else "reset"
            raise StorageFailure(f"the session is {done}, but its logs are there still: {error.message}") from error
    return DeleteSessionResponse(ok=True, mode=mode)


async def _end_session(tx: Transaction, call: Call, request: DeleteSessionRequest, mode: int) -> SessionRecord:
    record = await existing_session(tx, call, session_key(request.session_key))
    check_revision(record.message.revision, request.expected_revision)
    if mode == DELETE_MODE_DELETE:
        await tx.remove_session(record.id)
    else:
        cleared = Session()
        cleared.CopyFrom(record.message)
        for field in _CLEARED_BY_RESET:
            cleared.ClearField(field)
        await tx.remove_session_mocks(record, [mock.id for mock in await tx.session_mocks(record.id)])
        await tx.unfreeze_session(record)
        await save(tx, call, record.message.session_key, record, cleared, begins_anew=True)
    return record


async def list_sessions(tx: Transaction, call: Call, request: ListSessionsRequest) -> ListSessionsResponse:
    """List the sessions of an environment in the order of their keys, each with what was odd about its exchanges."""
    pages = paging.pages(call.place, request)
    after = pages.name_before(request.page_token)
    query = SessionQuery(
        search=request.search, scenario=request.scenario, override=request.override, alive_at_ms=call.now_ms
    )
    found = await tx.sessions(call.place.environment_id, query, after, request.page_size + 1)
    page = found[: request.page_size]
    token = pages.token_after(page[-1].message.session_key) if len(found) > len(page) else ""
    response = ListSessionsResponse(next_page_token=token)
    for record in page:
        listed = response.sessions.add(findings=call.world.presence.findings(record.id), session_id=record.id)
        show(call, record, listed.session)
    return response


def session_key(raw: str) -> str:
    """Normalise a key given to the API. Raises InvalidInput when nothing is left of it."""
    key = normalise(raw)
    if not key:
        raise InvalidInput("the session key is empty", Fault("session_key", "min_length", "1", raw[:100]))
    return key


def _header_name(key: str) -> str:
    """The name of a header that is to be a session's key. Raises InvalidInput for what cannot be one."""
    if not _HEADER_NAME.fullmatch(key):
        message = "the key of a session that is found by a header is its name: letters, digits, _ and -"
        raise InvalidInput(message, Fault("session_key", "pattern", _HEADER_NAME.pattern, key[:100]))
    return key.lower()


def _check_found_by(request: PutSessionRequest, session: Session) -> None:
    """Raise InvalidInput when a session is to be found in another way than it was made for."""
    if request.found_by and (request.found_by == FOUND_BY_HEADER_NAME) != (session.found_by == FOUND_BY_HEADER_NAME):
        there = "a header of that name" if session.found_by == FOUND_BY_HEADER_NAME else "its key"
        message = f"the session {session.session_key!r} is there already, and is found by {there}; remove it first"
        raise InvalidInput(message, Fault("found_by", "fixed", given=FoundBy.Name(request.found_by)))


def has_expired(record: SessionRecord, now_ms: int) -> bool:
    """True from the very millisecond in which the time to live has run out."""
    return record.message.HasField("expires_at") and milliseconds(record.message.expires_at) <= now_ms


async def live_session(tx: Transaction, call: Call, key: str) -> SessionRecord | None:
    """The session of a key. One that has expired but was not swept yet is removed, so that it never comes back."""
    record = await tx.session(call.place.environment_id, key)
    if record and has_expired(record, call.now_ms):
        await tx.remove_session(record.id)
        return None
    return record


async def existing_session(tx: Transaction, call: Call, key: str) -> SessionRecord:
    """The session of a key. Raises NotFound."""
    record = await tx.session(call.place.environment_id, key)
    if record is None or has_expired(record, call.now_ms):
        raise NotFound(f"there is no session {key!r} in {call.place.project}/{call.place.environment}")
    return record


async def save(
    tx: Transaction,
    call: Call,
    key: str,
    before: SessionRecord | None,
    after: Session,
    *,
    begins_anew: bool = False,
) -> SessionRecord:
    """Write a session as it is now; its revision moves only when that differs from before. To set it is to use it.

    ``begins_anew``: what its requests have left behind is no more. With the session itself, so that no request sees the
    one without the other; the sweep clears it away.
    """
    generation = before.generation + begins_anew if before else 1
    if before and before.message == after:
        used = replace(before, updated_at_ms=max(before.updated_at_ms, call.now_ms), generation=generation)
        if used != before:
            await tx.put_session(used)
        return used
    after.session_key = key
    after.revision = before.message.revision + 1 if before else 1
    session_id = before.id if before else call.world.new_id("ses_")
    record = SessionRecord(session_id, call.place.environment_id, call.now_ms, after, generation)
    await tx.put_session(record)
    return record


def show(call: Call, record: SessionRecord, session: Session) -> None:
    """Write a session as callers see it: with its place and the time it was last seen."""
    session.CopyFrom(record.message)
    session.project, session.environment = call.place.project, call.place.environment
    last_seen = call.world.presence.last_seen(record.id)
    if last_seen is not None:
        session.last_seen_at.CopyFrom(stamp(last_seen))


def check_seen_revision(key: str, before: SessionRecord | None, expected: int) -> None:
    """Raise Conflict (revision_mismatch) unless the session is as the caller saw it; 0 expects nothing."""
    if before:
        check_revision(before.message.revision, expected)
    elif expected:
        fault = Fault("expected_revision", "revision", given=str(expected))
        raise Conflict("revision_mismatch", f"there is no session {key!r} by now; read it again", fault)


async def _set_scenario(tx: Transaction, call: Call, session: Session, request: PutSessionRequest) -> None:
    if not request.HasField("scenario"):
        session.ClearField("scenario")
        return
    if await tx.scenario(call.place.environment_id, request.scenario) is None:
        raise NotFound(f"there is no scenario {request.scenario!r} in {call.place.project}/{call.place.environment}")
    session.scenario = request.scenario


async def _set_overrides(tx: Transaction, call: Call, session: Session, request: PutSessionRequest) -> None:
    wanted = list(dict.fromkeys(request.overrides))
    for mock_id in wanted:
        await activatable(tx, call, mock_id, field="overrides", unknown_is_invalid=True)
    kept = [mock_id for mock_id in session.overrides if mock_id in wanted]
    session.overrides[:] = kept + [mock_id for mock_id in wanted if mock_id not in kept]


def _set_plain_fields(call: Call, session: Session, request: PutSessionRequest, fields: set[str]) -> None:
    if "global_delay_ms" in fields:
        session.global_delay_ms = request.global_delay_ms
    if "global_delay_max_ms" in fields:
        session.global_delay_max_ms = request.global_delay_max_ms
    if "label" in fields:
        if request.HasField("label"):
            session.label = request.label
        else:
            session.ClearField("label")
    if "ttl_seconds" in fields:
        if request.HasField("ttl_seconds"):
            session.expires_at.CopyFrom(stamp(call.now_ms + request.ttl_seconds * 1000))
        else:
            session.ClearField("expires_at")
    if "seed" in fields:
        if request.HasField("seed"):
            session.seed = request.seed
        else:
            session.ClearField("seed")
    if "flags" in fields:
        _set_flags(session, request)


def _set_flags(session: Session, request: PutSessionRequest) -> None:
    """Set exactly these; none and no object at all are the same. Raises InvalidInput."""
    values = read_given(request.flags)
    if values:
        session.flags = kept_text(values)
    else:
        session.ClearField("flags")
