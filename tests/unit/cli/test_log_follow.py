"""Following a log, on a server that is played: its answers are a list, and waiting costs no time."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from understudy.status import Problem
from understudy.v1.log_service_pb2 import ListLogsRequest, ListLogsResponse, LogEntry
from understudy_server.cli import log_follow
from understudy_server.cli.command import Desk
from understudy_server.cli.failures import CommandFailed, ExitCode, failed_call

AWAY = CommandFailed(ExitCode.UNREACHABLE, "no answer from there")
UNKNOWN = failed_call(5, Problem("not_found", "neither a session nor a log has the key"))
NO_PROJECT = failed_call(5, Problem("not_found", "there is no project", field="project"))
BUSY = failed_call(8, Problem("rate_limited", "too many calls", retry_after_seconds=7))


class Played:
    """A line whose answers are rows, by their numbers, or failures; Ctrl-C comes after the last."""

    def __init__(self, *answers: Sequence[int] | CommandFailed) -> None:
        self._answers = list(answers)
        self.asked: list[ListLogsRequest] = []
        self.hung_up = 0

    async def __aenter__(self) -> "Played":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def to_a_running_server(self) -> "Played":
        return self

    async def hang_up(self) -> None:
        self.hung_up += 1

    async def call(self, request: ListLogsRequest, _answer: object, _timeout: object) -> ListLogsResponse:
        self.asked.append(request)
        if not self._answers:
            raise asyncio.CancelledError
        answer = self._answers.pop(0)
        if isinstance(answer, CommandFailed):
            raise answer
        return ListLogsResponse(logs=[LogEntry(id=f"log_{number:03}", path="/a", status=200) for number in answer])


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, each time, without waiting."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return waited


async def follow(line: Any, *, since: str = "") -> None:
    with pytest.raises(asyncio.CancelledError):
        await log_follow.follow(Desk(line, "", "", as_json=True), "ci-42", limit=50, since=since)


def printed(capsys: pytest.CaptureFixture[str]) -> tuple[list[int], list[str]]:
    out, err = capsys.readouterr()
    return [int(json.loads(line)["id"].removeprefix("log_")) for line in out.splitlines()], err.splitlines()


@pytest.mark.usefixtures("waits")
async def test_rows_come_in_order_and_each_once(capsys: pytest.CaptureFixture[str]) -> None:
    line = Played([3, 2, 1], [], [4, 5], [6])
    await follow(line)
    assert printed(capsys) == ([1, 2, 3, 4, 5, 6], [])
    assert [each.since for each in line.asked] == ["", "log_003", "log_003", "log_005", "log_006"]


@pytest.mark.usefixtures("waits")
async def test_a_log_without_rows_is_followed_from_its_beginning(capsys: pytest.CaptureFixture[str]) -> None:
    line = Played([], [1])
    await follow(line)
    assert printed(capsys)[0] == [1]
    # Every id is greater than that.
    assert line.asked[1].since == "log_"


async def test_a_full_page_is_followed_by_the_next_without_waiting(waits: list[float]) -> None:
    await follow(Played([], list(range(1, 101)), [101]))
    assert waits == [log_follow.INTERVAL_SECONDS]


@pytest.mark.usefixtures("waits")
async def test_a_server_that_is_away_is_waited_for_and_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    line = Played([1], AWAY, AWAY, [2], AWAY, [3])
    await follow(line)
    away = "understudy: no answer from there; trying again"
    assert printed(capsys) == ([1, 2, 3], [away, "understudy: going on", away, "understudy: going on"])
    assert line.hung_up == 3


async def test_a_key_that_has_made_enough_calls_waits_as_long_as_it_must(waits: list[float]) -> None:
    await follow(Played([1], BUSY, [2]))
    assert waits == [7, log_follow.INTERVAL_SECONDS]


@pytest.mark.usefixtures("waits")
async def test_a_key_that_nothing_has_yet_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    await follow(Played(UNKNOWN, UNKNOWN, [1]))
    assert printed(capsys) == (
        [1],
        ["understudy: nothing has the key 'ci-42' yet; waiting for it", "understudy: going on"],
    )


@pytest.mark.parametrize("failure", [AWAY, NO_PROJECT, failed_call(16, Problem("unauthorized", "no key"))])
@pytest.mark.parametrize("since", ["", "log_007"])
async def test_what_waiting_does_not_mend_ends_it(failure: CommandFailed, since: str) -> None:
    line: Any = Played(failure)
    with pytest.raises(CommandFailed) as caught:
        await log_follow.follow(Desk(line, "", "", as_json=True), "ci-42", limit=50, since=since)
    assert caught.value is failure


@pytest.mark.usefixtures("waits")
async def test_following_can_begin_after_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    line = Played([8])
    await follow(line, since="log_007")
    assert printed(capsys)[0] == [8]
    assert line.asked[0].since == "log_007"
