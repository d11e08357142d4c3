"""Sessions that end with their logs."""

import pytest
from support.asking import Asker
from support.desk import Desk
from understudy.v1 import verification_service_pb2 as pb
from understudy.v1.log_service_pb2 import DeleteLogsRequest, DeleteLogsResponse, ListLogsRequest, ListLogsResponse
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


async def test_what_was_purged_is_nothing_that_was_lost(ask: Asker) -> None:
    stream = await ask.begin()
    for _ in range(3):
        ask.record(stream)
    await end(ask, DELETE_MODE_RESET, purge=True)
    assert (await ask.count()).completeness.complete
    ask.record(stream)
    counted = await ask.count()
    assert (counted.count, counted.completeness.complete, counted.completeness.up_to) == (1, True, 4)
    assert (await ask.verify(pb.Expectation(exactly=1))).verdict == pb.VERDICT_PASSED
    listed = await ask.desk.call("LogService.ListLogs", ListLogsRequest(session_key="ci-42"), ListLogsResponse)
    assert [each.lost_before for each in listed.logs] == [0]
    async with ask.tailing(from_start=True, until_now=True) as tail:
        assert [each.log.lost_before for each in await tail.rest()] == [0]


async def test_what_is_lost_after_a_purge_was_lost(ask: Asker) -> None:
    stream = await ask.begin()
    for _ in range(3):
        ask.record(stream)
    await end(ask, DELETE_MODE_RESET, purge=True)
    for _ in range(2):
        ask.record(stream)
    ask.desk.world.journal.lose(stream, 4)
    assert not (await ask.count()).completeness.complete
    assert (await ask.verify(pb.Expectation(exactly=1))).verdict == pb.VERDICT_INCONCLUSIVE
    listed = await ask.desk.call("LogService.ListLogs", ListLogsRequest(session_key="ci-42"), ListLogsResponse)
    assert [each.lost_before for each in listed.logs] == [1]


@pytest.mark.parametrize("key", ["ci-42", " "])
async def test_the_logs_alone_go_of_a_session_or_of_none(ask: Asker, key: str) -> None:
    stream = await ask.begin()
    nobodys = Stream(stream.environment_id)
    for each in (stream, nobodys):
        ask.record(each)
    await ask.verify(pb.Expectation())
    await ask.desk.call("LogService.DeleteLogs", DeleteLogsRequest(session_key=key), DeleteLogsResponse)
    journal = ask.desk.world.journal
    assert [each.stream for each in journal.exchanges] == ([nobodys] if key == "ci-42" else [stream])
    assert (stream in journal.kept_verifications) is (key != "ci-42")
    assert await ask.desk.has_session()


async def test_logs_of_nobody_are_not_found(ask: Asker) -> None:
    assert await ask.desk.code("LogService.DeleteLogs", DeleteLogsRequest(session_key="ci-42")) == "not_found"


@pytest.mark.parametrize("is_there_again", [False, True])
async def test_the_logs_of_every_session_that_had_the_key_go(ask: Asker, is_there_again: bool) -> None:
    for _ in range(2):
        ask.record(await ask.begin())
        await ask.desk.end(DELETE_MODE_DELETE)
    if is_there_again:
        ask.record(await ask.begin())
    other = await ask.begin("ci-43")
    ask.record(other)
    await ask.desk.call("LogService.DeleteLogs", DeleteLogsRequest(session_key="ci-42"), DeleteLogsResponse)
    assert [each.stream for each in ask.desk.world.journal.exchanges] == [other]


async def test_all_logs_of_an_environment_go_at_once(ask: Asker) -> None:
    stream = await ask.begin()
    elsewhere = Stream("env_elsewhere", "ci-42", "ses_elsewhere")
    for each in (stream, await ask.begin("ci-43"), Stream(stream.environment_id), elsewhere):
        ask.record(each)
    await ask.desk.end(DELETE_MODE_DELETE)
    request = DeleteLogsRequest(session_key="never", everything=True)
    await ask.desk.call("LogService.DeleteLogs", request, DeleteLogsResponse)
    assert [each.stream for each in ask.desk.world.journal.exchanges] == [elsewhere]
