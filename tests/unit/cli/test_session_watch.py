"""Watching a session, on a server that is played: what comes is given, and waiting costs no time."""

import asyncio
import json
from typing import Any

import pytest
from support.played_line import PlayedLine
from support.shell import Shell
from understudy.status import Problem
from understudy.v1.log_service_pb2 import LogEntry, WatchSessionResponse
from understudy.v1.session_service_pb2 import GetSessionResponse, Session
from understudy_server.cli import session_follow
from understudy_server.cli.command import Desk
from understudy_server.cli.failures import CommandFailed, ExitCode, failed_call

AWAY = CommandFailed(ExitCode.UNREACHABLE, "no answer from there")
UNKNOWN = failed_call(5, Problem("not_found", "there is no session 'ci-42' in checkout/staging"))
NO_ENVIRONMENT = failed_call(5, Problem("not_found", "there is no environment", field="environment"))
THERE = GetSessionResponse()
ENDED = WatchSessionResponse(cursor="~0~0", ended=True)


def state(revision: int, **fields: Any) -> WatchSessionResponse:
    session = Session(session_key="ci-42", revision=revision, **fields)
    return WatchSessionResponse(cursor=f"ses_1~{revision}~0", session=session)


def call(number: int) -> WatchSessionResponse:
    entry = LogEntry(id=f"log_{number}", method="POST", path="/pay", status=402, duration_ms=2, override_id="ovr_a")
    entry.created_at.FromJsonString("2026-06-23T12:00:00Z")
    return WatchSessionResponse(cursor=f"ses_1~1~{number}", log=entry)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(_seconds: float) -> None:
        pass

    monkeypatch.setattr(asyncio, "sleep", sleep)


async def watch(line: Any, *, as_json: bool = False) -> None:
    await session_follow.watch(Desk(line, "", "", as_json=as_json), "ci-42")
    assert line.open_streams == 0


async def test_each_event_has_a_line_until_the_session_ends(capsys: pytest.CaptureFixture[str]) -> None:
    first = state(1, scenario="scn_a", overrides=["ovr_a", "ovr_b"], global_delay_ms=5)
    changed = state(2, scenario="scn_a", overrides=["ovr_a"], global_delay_ms=5, label="two", seed=7)
    line = PlayedLine(calls=[THERE], streams=[[first, call(1), changed, state(3), state(4), ENDED, state(1)]])
    await watch(line)
    out, err = capsys.readouterr()
    assert (out.splitlines(), err) == (
        [
            "state  revision 1: scenario scn_a, overrides ovr_a ovr_b, delay 5 ms",
            "call   2026-06-23T12:00:00Z  log_1  402      2 ms  ovr_a  POST /pay",
            "state  revision 2: overrides ovr_a (was ovr_a ovr_b), label two (was -), seed 7 (was -)",
            "state  revision 3: scenario - (was scn_a), overrides - (was ovr_a), delay - (was 5 ms), label - (was two),"
            " seed - (was 7)",
            "state  revision 4: as before",
            "ended  the session was deleted, or its time was over",
        ],
        "",
    )


async def test_a_session_of_which_nothing_is_set_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    await watch(PlayedLine(calls=[THERE], streams=[[state(1), ENDED]]))
    assert capsys.readouterr().out.splitlines()[0] == "state  revision 1: nothing is set"


async def test_text_of_strangers_is_safe_for_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    await watch(PlayedLine(calls=[THERE], streams=[[state(1, label="a\x1b[2J"), ENDED]]))
    assert "label a\\x1b[2J" in capsys.readouterr().out


async def test_scripts_get_an_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    await watch(PlayedLine(calls=[THERE], streams=[[state(1, label="x"), call(1), ENDED]]), as_json=True)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [set(each) for each in events] == [{"cursor", "session"}, {"cursor", "log"}, {"cursor", "ended"}]
    assert (events[0]["session"]["label"], events[1]["log"]["status"], events[2]["ended"]) == ("x", 402, True)


async def test_a_session_that_does_not_exist_yet_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    line = PlayedLine(calls=[UNKNOWN], streams=[[state(1), ENDED]])
    await watch(line)
    assert capsys.readouterr().err.splitlines() == [
        "understudy: there is no session 'ci-42' yet; waiting for it",
        "understudy: going on",
    ]
    assert line.streamed[0].cursor == ""


async def test_a_server_that_is_away_is_waited_for_and_nothing_is_told_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = PlayedLine(
        calls=[THERE, AWAY, THERE, UNKNOWN],
        streams=[[state(1, label="x"), call(1), AWAY], [state(2, label="y"), AWAY], [ENDED]],
    )
    await watch(line)
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == ["state", "call", "state", "ended"]
    assert out.splitlines()[2] == "state  revision 2: label y (was x)"
    away, going_on = "understudy: no answer from there; trying again", "understudy: going on"
    assert err.splitlines() == [away, going_on, away, going_on]
    assert [each.cursor for each in line.streamed] == ["", "ses_1~1~1", "ses_1~2~0"]


@pytest.mark.parametrize("failure", [AWAY, NO_ENVIRONMENT, failed_call(16, Problem("unauthorized", "no key"))])
async def test_what_waiting_does_not_mend_ends_it(failure: CommandFailed) -> None:
    with pytest.raises(CommandFailed) as caught:
        await watch(PlayedLine(calls=[failure]))
    assert caught.value is failure


def test_watching_needs_a_server_that_runs(shell: Shell) -> None:
    result = shell.run("session", "watch", "ci-42")
    assert (result.exit_code, "understudy serve --data" in result.stderr) == (5, True)
