"""Following a log, on a server that is played: what it lists and streams is given, and waiting costs no time."""

import asyncio
import json
from typing import Any

import pytest
from support.played_line import PlayedLine
from understudy.status import Problem
from understudy.v1.log_service_pb2 import ListLogsResponse, LogEntry, TailLogsResponse
from understudy_server.cli import log_follow, resuming
from understudy_server.cli.command import Desk
from understudy_server.cli.failures import CommandFailed, ExitCode, failed_call

AWAY = CommandFailed(ExitCode.UNREACHABLE, "no answer from there")
UNKNOWN = failed_call(5, Problem("not_found", "neither a session nor a log has the key"))
NO_PROJECT = failed_call(5, Problem("not_found", "there is no project", field="project"))
BUSY = failed_call(8, Problem("rate_limited", "too many calls", retry_after_seconds=7))


def row(number: int) -> LogEntry:
    return LogEntry(id=f"log_{number:03}", path="/a", status=200)


def listed(*numbers: int) -> ListLogsResponse:
    return ListLogsResponse(logs=map(row, numbers))


def come(*numbers: int) -> list[Any]:
    """What comes in a stream."""
    return [TailLogsResponse(log=row(number)) for number in numbers]


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, each time, without waiting."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return waited


async def follow(line: Any, *, since: str = "", as_json: bool = True) -> None:
    with pytest.raises(asyncio.CancelledError):
        await log_follow.follow(Desk(line, "", "", as_json=as_json), "ci-42", limit=50, since=since)
    assert line.open_streams == 0


def printed(capsys: pytest.CaptureFixture[str]) -> tuple[list[int], list[str]]:
    out, err = capsys.readouterr()
    return [int(json.loads(line)["id"].removeprefix("log_")) for line in out.splitlines()], err.splitlines()


async def test_the_newest_rows_come_first_and_then_each_that_comes(
    capsys: pytest.CaptureFixture[str], waits: list[float]
) -> None:
    line = PlayedLine(calls=[listed(3, 2, 1)], streams=[[*come(4, 5, 6), AWAY]])
    await follow(line)
    assert printed(capsys)[0] == [1, 2, 3, 4, 5, 6]
    assert [(each.since, each.limit) for each in line.asked[:1]] == [("", 50)]
    assert [each.since for each in line.streamed] == ["log_003"]
    # For the server that went away in the end: nothing is asked while it streams.
    assert waits == [resuming.PAUSE_SECONDS]


async def test_a_log_without_rows_is_followed_from_its_beginning(capsys: pytest.CaptureFixture[str]) -> None:
    line = PlayedLine(calls=[listed(), listed(2)], streams=[[*come(1), AWAY]])
    await follow(line)
    assert printed(capsys)[0] == [1, 2]
    # Every id is greater than that.
    assert line.streamed[0].since == "log_"


async def test_a_server_that_is_away_is_waited_for_and_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    line = PlayedLine(
        calls=[listed(1), AWAY, AWAY, listed(2, 3), listed()],
        streams=[[AWAY], [*come(4), AWAY], come(5)],
    )
    await follow(line)
    away = "understudy: no answer from there; trying again"
    ended = "understudy: the server has ended the stream; trying again"
    going_on = "understudy: going on"
    assert printed(capsys) == ([1, 2, 3, 4, 5], [away, going_on, away, going_on, ended])
    assert [each.since for each in line.asked] == ["", "log_001", "log_001", "log_001", "log_004", "log_005"]
    assert [each.since for each in line.streamed] == ["log_001", "log_003", "log_004"]
    assert line.hung_up == 5


async def test_a_key_that_has_made_enough_calls_waits_as_long_as_it_must(waits: list[float]) -> None:
    await follow(PlayedLine(calls=[listed(1), BUSY, listed(2)], streams=[[BUSY], []]))
    assert waits == [7, 7, resuming.PAUSE_SECONDS]


async def test_a_key_that_nothing_has_yet_is_waited_for(capsys: pytest.CaptureFixture[str], waits: list[float]) -> None:
    line = PlayedLine(calls=[UNKNOWN, UNKNOWN], streams=[[AWAY], come(1)])
    await follow(line)
    unknown = "understudy: nothing has the key 'ci-42' yet; waiting for it"
    away = "understudy: no answer from there; trying again"
    assert printed(capsys)[1][:4] == [unknown, away, unknown, "understudy: going on"]
    assert [each.since for each in line.streamed] == ["log_", "log_"]
    assert waits == [resuming.PAUSE_SECONDS] * 2


@pytest.mark.parametrize("failure", [AWAY, NO_PROJECT, failed_call(16, Problem("unauthorized", "no key"))])
@pytest.mark.parametrize("since", ["", "log_007"])
async def test_what_waiting_does_not_mend_ends_it(failure: CommandFailed, since: str) -> None:
    line: Any = PlayedLine(calls=[failure])
    with pytest.raises(CommandFailed) as caught:
        await log_follow.follow(Desk(line, "", "", as_json=True), "ci-42", limit=50, since=since)
    assert caught.value is failure


async def test_a_key_that_is_revoked_meanwhile_ends_it() -> None:
    revoked = failed_call(16, Problem("unauthorized", "no key"))
    line: Any = PlayedLine(calls=[listed(1)], streams=[[*come(2), revoked]])
    with pytest.raises(CommandFailed) as caught:
        await log_follow.follow(Desk(line, "", "", as_json=True), "ci-42", limit=50, since="")
    assert (caught.value, line.open_streams) == (revoked, 0)


async def test_following_can_begin_after_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    line = PlayedLine(calls=[listed(8, 9)], streams=[come(10)])
    await follow(line, since="log_007")
    assert printed(capsys)[0] == [8, 9, 10]
    assert (line.asked[0].since, line.streamed[0].since) == ("log_007", "log_009")


async def test_people_get_a_line_for_each_row_and_hear_of_those_that_were_lost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    entry = LogEntry(
        id="log_1", method="GET", path="/a", query="b=\x1b", status=503, duration_ms=2, override_id="ovr_a"
    )
    entry.created_at.FromJsonString("2026-06-23T12:00:00Z")
    entry.findings.append("client_gone")
    entry.lost_before = 3
    await follow(PlayedLine(calls=[ListLogsResponse(logs=[entry])], streams=[]), as_json=False)
    assert capsys.readouterr().out == (
        "2026-06-23T12:00:00Z  log_1  503      2 ms  ovr_a  GET /a?b=\\x1b  client_gone  (3 before it lost)\n"
    )
