"""Sessions that requests find by a header of their name."""

import json

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.proxying import Proxy, body_of, get, running, status_of
from understudy_server.core.profiles import Profile

_KEY = "x-flowmock-session: ci-42"


def _source(**row: object) -> FakeSource:
    """Sessions that answer `/x` with their keys: by a key, and by headers named team-a and team-b."""
    rows = [session("ci-42", overrides=("ovr_ci-42",))]
    rows += [session(name, overrides=(f"ovr_{name}",), by_header_name=True) for name in ("team-a", "team-b")]
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(**row)},  # type: ignore[arg-type]
        mocks={f"ovr_{each.key}": mock(f"ovr_{each.key}", path="/x", json=f'"{each.key}"') for each in rows},
        sessions={each.id: each for each in rows},
    )
    return source


def _record(proxy: Proxy) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(each.session_key, each.session_id, each.findings) for each in proxy.journal.exchanges]


@pytest.mark.parametrize("line", ["team-a: 1", "Team-A:", "TEAM-A: any thing"])
async def test_a_header_of_its_name_finds_it_whatever_the_value(line: str) -> None:
    async with running(_source()) as proxy:
        assert json.loads(body_of(await proxy.ask(get("/x", line)))) == "team-a"
    assert _record(proxy) == [("team-a", "ses_team-a", ())]


@pytest.mark.parametrize("line", ["x-flowmock-session: team-a", "ci-42: 1", "team: a"])
async def test_a_key_does_not_find_it_and_a_header_finds_no_session_of_that_key(line: str) -> None:
    async with running(_source()) as proxy:
        await proxy.ask(get("/x", line))
    assert [session_id for _, session_id, _ in _record(proxy)] == [""]


async def test_a_key_goes_before_and_that_they_disagree_is_a_finding() -> None:
    async with running(_source()) as proxy:
        assert json.loads(body_of(await proxy.ask(get("/x", _KEY, "team-a: 1")))) == "ci-42"
    assert _record(proxy) == [("ci-42", "ses_ci-42", ("carriers_disagree",))]


async def test_of_two_none_is_chosen_whatever_the_environment() -> None:
    async with running(_source()) as proxy:
        answer = await proxy.ask(get("/x", "team-a: 1", "team-b: 1"))
    assert (status_of(answer), json.loads(body_of(answer))["code"]) == (400, "carriers_disagree")
    assert _record(proxy) == [("", "", ("carriers_disagree",))]


async def test_a_strict_environment_takes_a_header_for_a_key_and_not_both() -> None:
    async with running(_source(strict=True)) as proxy:
        asked = [("team-a: 1",), ("team-a: 1", _KEY), ("accept: */*",)]
        answers = [await proxy.ask(get("/x", *lines)) for lines in asked]
    assert [status_of(each) for each in answers] == [200, 400, 400]


async def test_requests_alike_are_of_the_session_that_their_headers_name_now() -> None:
    """They differ in a header that only counts by its name, until it does not count at all."""
    source = _source()
    async with running(source) as proxy:
        for number in range(6):
            assert json.loads(body_of(await proxy.ask(get("/x", f"team-a: {number}")))) == "team-a"
        source.commit(sessions={"ses_team-a": None})
        for number in range(6):
            await proxy.ask(get("/x", f"team-a: {number}"))
    assert [session_id for _, session_id, _ in _record(proxy)] == ["ses_team-a"] * 6 + [""] * 6


async def test_one_whose_time_is_over_is_found_no_more() -> None:
    source = _source()
    source.commit(sessions={"ses_team-b": session("team-b", expires_at_ms=1, by_header_name=True)})
    async with running(source) as proxy:
        assert json.loads(body_of(await proxy.ask(get("/x", "team-a: 1", "team-b: 1")))) == "team-a"


async def test_to_assertive_a_key_of_no_session_is_a_header_like_any_other() -> None:
    async with running(_source(profile=Profile.ASSERTIVE)) as proxy:
        for key in ("nobody", "nobody", "team-a", "somebody"):
            answer = await proxy.ask(get("/x", f"x-flowmock-session: {key}", "team-a: 1"))
            assert json.loads(body_of(answer)) == "team-a"
    assert _record(proxy) == [("team-a", "ses_team-a", ())] * 4


async def test_to_assertive_a_key_of_a_session_goes_before() -> None:
    async with running(_source(profile=Profile.ASSERTIVE)) as proxy:
        assert json.loads(body_of(await proxy.ask(get("/x", _KEY, "team-a: 1")))) == "ci-42"
    assert _record(proxy) == [("ci-42", "ses_ci-42", ("carriers_disagree",))]


async def test_elsewhere_a_key_of_no_session_goes_before_all_the_same() -> None:
    async with running(_source()) as proxy:
        await proxy.ask(get("/x", "x-flowmock-session: nobody", "team-a: 1"))
    assert _record(proxy) == [("nobody", "", ("carriers_disagree",))]
