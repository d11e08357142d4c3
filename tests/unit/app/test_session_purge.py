"""Sessions that end with their logs."""

import pytest
from support.asking import Asker
from support.desk import Desk
from understudy.v1 import verification_service_pb2 as pb
from understudy.v1.session_service_pb2 import (
    DELETE_MODE_DELETE,
    DELETE_MODE_RESET,
    DeleteMode,
    DeleteSessionRequest,
    DeleteSessionResponse,
    PutSessionRequest,
)
from understudy_server.core.errors import StorageFailure
from understudy_server.core.record import Stream

DELETE = "SessionService.DeleteSession"


@pytest.fixture
def ask(desk: Desk) -> Asker:
    return Asker(desk)


async def end(ask: Asker, mode: DeleteMode, *, purge: bool, revision: int = 0) -> None:
    request = DeleteSessionRequest(session_key="ci-42", mode=mode, purge_journal=purge, expected_revision=revision)
    await ask.desk.call(DELETE, request, DeleteSessionResponse)


@pytest.mark.parametrize("mode", [DELETE_MODE_DELETE, DELETE_MODE_RESET])
async def test_the_logs_stay_unless_it_is_asked_for(ask: Asker, mode: DeleteMode) -> None:
    stream = await ask.begin()
    ask.record(stream)
    await ask.verify(pb.Expectation())
    await end(ask, mode, purge=False)
    journal = ask.desk.world.journal
    assert (len(journal.exchanges), len(journal.kept_verifications[stream])) == (1, 1)


@pytest.mark.parametrize("mode", [DELETE_MODE_DELETE, DELETE_MODE_RESET])
async def test_the_logs_of_this_incarnation_alone_go_with_it(ask: Asker, mode: DeleteMode) -> None:
    before = await ask.begin()
    ask.record(before)
    await ask.desk.end(DELETE_MODE_DELETE)
    stream, other = await ask.begin(), await ask.begin("ci-43")
    for each in (stream, other, Stream(stream.environment_id)):
        ask.record(each)
    await ask.verify(pb.Expectation())
    await end(ask, mode, purge=True)
    journal = ask.desk.world.journal
    assert [each.stream for each in journal.exchanges] == [before, other, Stream(stream.environment_id)]
    assert stream not in journal.kept_verifications


async def test_nothing_is_purged_of_a_session_that_is_not_as_it_was_seen(ask: Asker) -> None:
    stream = await ask.begin()
    ask.record(stream)
    request = DeleteSessionRequest(session_key="ci-42", mode=DELETE_MODE_DELETE, purge_journal=True)
    request.expected_revision = 9
    assert await ask.desk.code(DELETE, request) == "revision_mismatch"
    assert len(ask.desk.world.journal.exchanges) == 1


async def test_logs_that_cannot_be_removed_are_told_and_the_session_is_gone(ask: Asker) -> None:
    ask.record(await ask.begin())
    ask.desk.world.journal.failing = StorageFailure("the disk is gone")
    request = DeleteSessionRequest(session_key="ci-42", mode=DELETE_MODE_DELETE, purge_journal=True)
    problem = await ask.desk.refused(DELETE, request)
    assert problem.reason == "storage_unavailable"
    assert problem.message == "the session is removed, but its logs are there still: the disk is gone"
    assert not await ask.desk.has_session()


async def test_a_session_whose_logs_were_purged_counts_on_from_where_it_was(ask: Asker) -> None:
    stream = await ask.begin()
    ask.record(stream)
    await end(ask, DELETE_MODE_RESET, purge=True)
    await ask.desk.put(PutSessionRequest(label="again"))
    assert ask.record(stream).number == 2
