"""Mocks that belong to one session: in force at once, seen by nobody else, gone with it."""

from typing import Final

from understudy.v1 import session_mock_service_pb2 as pb
from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED, Mock
from understudy.v1.session_service_pb2 import Session

from understudy_server.app.call import Call
from understudy_server.app.mocks import check_in_place, define
from understudy_server.app.ports import SessionRecord, Transaction
from understudy_server.app.revisions import check_revision, copied
from understudy_server.app.sessions import existing_session, live_session, save, session_key
from understudy_server.app.times import stamp
from understudy_server.core.errors import Conflict, Fault, NotFound
from understudy_server.core.matching.mock import Mock as CompiledMock

MOCKS_MAX: Final = 1000
"""A session owns at most so many mocks."""


async def put_session_mock(tx: Transaction, call: Call, request: pb.PutSessionMockRequest) -> pb.PutSessionMockResponse:
    """Make or replace a mock of a session's own, and the session when there is none.

    Raises InvalidInput, and Conflict (revision_mismatch, session_mocks_full).
    """
    key = session_key(request.session_key)
    await check_in_place(tx, call, request.mock)
    session = await live_session(tx, call, key)
    before = await tx.session_mock(session.id, request.mock_id) if session else None
    _check_revision(before, request)
    if session and before is None and await tx.session_mock_count(session.id) >= MOCKS_MAX:
        raise Conflict("session_mocks_full", f"the session {key!r} has {MOCKS_MAX} mocks of its own already")
    # To give it a mock is to use it.
    record = await save(tx, call, key, session, copied(session.message) if session else Session())
    mock = _mock(call, request, before)
    if before is None or _differ(mock, before):
        await tx.put_session_mock(record, mock)
    else:
        mock = before
    if session and before is None:
        # One of that id may have been there before: this one is new, and was never used.
        name = CompiledMock(mock.id, owner=record.id).state_name
        call.world.state.forget_uses(call.place.environment_id, (name,))
    return pb.PutSessionMockResponse(mock=_shown(mock, record))


async def get_session_mock(tx: Transaction, call: Call, request: pb.GetSessionMockRequest) -> pb.GetSessionMockResponse:
    """Read one. Raises NotFound."""
    record = await existing_session(tx, call, session_key(request.session_key))
    return pb.GetSessionMockResponse(mock=_shown(await _existing(tx, record, request.mock_id), record))


async def list_session_mocks(
    tx: Transaction, call: Call, request: pb.ListSessionMocksRequest
) -> pb.ListSessionMocksResponse:
    """List a session's own, in the order of their ids. Raises NotFound."""
    record = await existing_session(tx, call, session_key(request.session_key))
    return pb.ListSessionMocksResponse(mocks=[_shown(mock, record) for mock in await tx.session_mocks(record.id)])


async def delete_session_mock(
    tx: Transaction, call: Call, request: pb.DeleteSessionMockRequest
) -> pb.DeleteSessionMockResponse:
    """Remove one. Raises NotFound."""
    record = await existing_session(tx, call, session_key(request.session_key))
    await _existing(tx, record, request.mock_id)
    await tx.remove_session_mocks(record, (request.mock_id,))
    return pb.DeleteSessionMockResponse()


def _mock(call: Call, request: pb.PutSessionMockRequest, before: Mock | None) -> Mock:
    """The mock as it is to be: all that is said of it, and nothing of what was."""
    mock = Mock(
        id=request.mock_id,
        state=MOCK_STATE_PUBLISHED,
        active=True,
        created_by=call.caller.key_id,
        created_at=before.created_at if before else stamp(call.now_ms),
        updated_at=stamp(call.now_ms),
        revision=before.revision + 1 if before else 1,
    )
    define(mock, request.mock, call.now_ms)
    mock.name = mock.name or request.mock_id
    return mock


def _differ(mock: Mock, before: Mock) -> bool:
    same = copied(mock)
    same.revision, same.created_by = before.revision, before.created_by
    same.updated_at.CopyFrom(before.updated_at)
    return same != before


def _check_revision(before: Mock | None, request: pb.PutSessionMockRequest) -> None:
    if before is not None:
        check_revision(before.revision, request.expected_revision)
    elif request.expected_revision:
        fault = Fault("expected_revision", "revision", given=str(request.expected_revision))
        raise Conflict("revision_mismatch", f"there is no mock {request.mock_id!r} by now; read it again", fault)


async def _existing(tx: Transaction, record: SessionRecord, mock_id: str) -> Mock:
    mock = await tx.session_mock(record.id, mock_id)
    if mock is None:
        raise NotFound(f"the session {record.message.session_key!r} has no mock {mock_id!r} of its own")
    return mock


def _shown(mock: Mock, record: SessionRecord) -> Mock:
    mock.session = record.message.session_key
    return mock
