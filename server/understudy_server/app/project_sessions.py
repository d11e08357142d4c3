"""Sessions of a whole project: flags, a label and a time to live."""

from typing import Final

from understudy.v1 import project_session_service_pb2 as pb
from understudy.v1.project_session_service_pb2 import ProjectSession

from understudy_server.app import paging
from understudy_server.app.call import Call
from understudy_server.app.flag_ports import ProjectSessionRecord
from understudy_server.app.flag_values import kept_text, read_given, warnings_about
from understudy_server.app.ports import Transaction
from understudy_server.app.revisions import copied
from understudy_server.app.session_values import read_kept
from understudy_server.app.times import milliseconds, stamp
from understudy_server.core.errors import Fault, LimitReached, NotFound

SESSIONS_MAX: Final = 10_000
"""How many sessions of a project may live at the same time. They end by themselves within a day."""

PAGE_BYTES_MAX: Final = 4 * 1024 * 1024
"""A page ends before it is longer; one session, of at most a mebibyte of flags, always fits."""

_SECRET_BYTES = 16
_NO_FLAGS = "{}"


async def create_project_session(
    tx: Transaction, call: Call, request: pb.CreateProjectSessionRequest
) -> pb.CreateProjectSessionResponse:
    """Make a session with a token. Raises InvalidInput for flags that are no object of values, and LimitReached."""
    await _check_room(tx, call)
    session_id = call.world.new_id("sess_")
    secret = "" if request.without_secret else "_" + call.world.random_bytes(_SECRET_BYTES).hex()
    session = ProjectSession(
        id=session_id,
        token=session_id + secret,
        label=request.label if request.HasField("label") else None,
        flags=kept_text(read_given(request.flags)) if request.flags else _NO_FLAGS,
        created_at=stamp(call.now_ms),
        expires_at=stamp(call.now_ms + request.ttl_seconds * 1000),
        revision=1,
        project_as_given=request.project_as_given if request.HasField("project_as_given") else None,
    )
    await tx.put_project_session(ProjectSessionRecord(call.place.project_id, session))
    return pb.CreateProjectSessionResponse(session=await _warned(tx, call, session))


async def get_project_session(
    tx: Transaction, call: Call, request: pb.GetProjectSessionRequest
) -> pb.GetProjectSessionResponse:
    """Read a session. Raises NotFound."""
    return pb.GetProjectSessionResponse(session=_shown(call, await _existing(tx, call, request.session_id)))


async def list_project_sessions(
    tx: Transaction, call: Call, request: pb.ListProjectSessionsRequest
) -> pb.ListProjectSessionsResponse:
    """List sessions, newest first."""
    pages = paging.pages(call.place, request)
    before = pages.name_before(request.page_token)
    found = await tx.project_sessions(call.place.project_id, before, request.page_size, call.now_ms, PAGE_BYTES_MAX)
    page = [_shown(call, each.message) for each in found]
    # Whether more come after is asked by asking for them: what ended the page may have been its length.
    more = page and await tx.project_sessions(call.place.project_id, page[-1].id, 1, call.now_ms, 0)
    token = pages.token_after(page[-1].id) if more else ""
    return pb.ListProjectSessionsResponse(sessions=page, next_page_token=token)


async def set_project_session_flags(
    tx: Transaction, call: Call, request: pb.SetProjectSessionFlagsRequest
) -> pb.SetProjectSessionFlagsResponse:
    """Set the flags that are named and take away those that are null. Raises NotFound, InvalidInput, LimitReached."""
    session = await _existing(tx, call, request.session_id)
    given = read_given(request.flags, with_null=True)
    values = {key: value for key, value in {**read_kept(session.flags), **given}.items() if value is not None}
    session = await _save(tx, call, session, kept_text(values))
    return pb.SetProjectSessionFlagsResponse(session=await _warned(tx, call, session))


async def remove_project_session_flag(
    tx: Transaction, call: Call, request: pb.RemoveProjectSessionFlagRequest
) -> pb.RemoveProjectSessionFlagResponse:
    """Take one flag out. Raises NotFound."""
    session = await _existing(tx, call, request.session_id)
    values = {key: value for key, value in read_kept(session.flags).items() if key != request.flag_key}
    session = await _save(tx, call, session, kept_text(values))
    return pb.RemoveProjectSessionFlagResponse(session=_shown(call, session))


async def delete_project_session(
    tx: Transaction, call: Call, request: pb.DeleteProjectSessionRequest
) -> pb.DeleteProjectSessionResponse:
    """End a session. Raises NotFound."""
    session = await _existing(tx, call, request.session_id)
    await tx.remove_project_session(call.place.project_id, session.id)
    return pb.DeleteProjectSessionResponse()


async def _check_room(tx: Transaction, call: Call) -> None:
    """Raise LimitReached (project_sessions_full) when as many live as may."""
    project_id = call.place.project_id
    # Those that have ended and are not yet swept away count for nothing, but to leave them out takes a look at each.
    if await tx.project_session_count(project_id) < SESSIONS_MAX:
        return
    if await tx.project_session_count(project_id, call.now_ms) >= SESSIONS_MAX:
        message = f"a project has at most {SESSIONS_MAX} sessions that live; end some, or give them less time"
        raise LimitReached("project_sessions_full", message, Fault("", "max", str(SESSIONS_MAX)))


async def _existing(tx: Transaction, call: Call, session_id: str) -> ProjectSession:
    record = await tx.project_session(call.place.project_id, session_id)
    if record is None or milliseconds(record.message.expires_at) <= call.now_ms:
        raise NotFound(f"there is no session {session_id[:100]!r} in project {call.place.project!r}")
    return record.message


async def _save(tx: Transaction, call: Call, session: ProjectSession, flags: str) -> ProjectSession:
    if session.flags != flags:
        session.flags = flags
        session.revision += 1
        await tx.put_project_session(ProjectSessionRecord(call.place.project_id, session))
    return session


def _shown(call: Call, session: ProjectSession) -> ProjectSession:
    shown = copied(session)
    shown.project = call.place.project
    return shown


async def _warned(tx: Transaction, call: Call, session: ProjectSession) -> ProjectSession:
    shown = _shown(call, session)
    shown.warnings.extend(await warnings_about(tx, call, session.flags))
    return shown
