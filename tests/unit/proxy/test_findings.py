"""What was odd about an exchange is told of its session too, as soon as it is known, and only then."""

from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.proxying import get, running, status_of, upstream
from understudy_server.core.carriers import Carrier, CarrierKind

_KEY = "x-flowmock-session: ci-42"
_OTHER = "x-flowmock-session: other"


def _source(upstream_url: str = "", *, strict: bool = False) -> FakeSource:
    """A session with a mock on `/mocked`; the rest is passed through."""
    source = FakeSource()
    place = environment(upstream=upstream_url, carriers=(Carrier(CarrierKind.COOKIE, "sid"),), strict=strict)
    source.commit(
        environments={ENVIRONMENT_ID: place},
        mocks={"ovr_a": mock("ovr_a", path="/mocked", json='"mocked"')},
        sessions={"ses_ci-42": session(overrides=("ovr_a",))},
    )
    return source


async def test_an_ordinary_exchange_tells_nothing() -> None:
    async with upstream() as service, running(_source(service.url)) as proxy:
        await proxy.ask(get("/mocked", _KEY))
        await proxy.ask(get("/passed", _KEY))

        assert proxy.journal.noted == []


async def test_a_finding_is_told_of_the_session_that_counted() -> None:
    async with running(_source()) as proxy:
        await proxy.ask(get("/mocked", _KEY, _OTHER))

        assert proxy.journal.noted == [("ses_ci-42", ("session_header_repeated",))]


async def test_each_finding_of_an_exchange_is_told() -> None:
    async with running(_source()) as proxy:
        await proxy.ask(get("/mocked", _KEY, _OTHER, "Cookie: sid=third"))

        (told,) = proxy.journal.noted
        assert set(told[1]) == {"session_header_repeated", "carriers_disagree"}


async def test_a_finding_of_no_session_is_told_of_none() -> None:
    async with running(_source()) as proxy:
        await proxy.ask(get("/mocked", _OTHER, "Cookie: sid=third"))

        assert proxy.journal.exchanges[0].findings == ("carriers_disagree",)
        assert proxy.journal.noted == []


async def test_a_refused_exchange_tells_its_finding() -> None:
    async with running(_source(strict=True)) as proxy:
        answer = await proxy.ask(get("/mocked", _KEY, "Cookie: sid=third"))

        assert status_of(answer) == 400
        assert proxy.journal.noted == [("ses_ci-42", ("carriers_disagree",))]


async def test_a_finding_that_comes_after_the_request_is_told() -> None:
    broken = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"
    async with upstream(broken) as service, running(_source(service.url)) as proxy:
        await proxy.ask(get("/passed", _KEY))

        assert proxy.journal.noted == [("ses_ci-42", ("upstream_broke_off",))]
