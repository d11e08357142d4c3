"""Our own choices about pages of another origin (CORS), of which FlowMock documents nothing.

Settings of the environment are set over three doors.
"""

from collections.abc import Callable, Iterator

import pytest
from support.doors import RestDoor
from support.plain_app import PlainApp
from support.server import Answering, MadePlace
from support.told_upstream import ToldUpstream, answer, running_told_upstream

KEY = "ci-42"
HEADER = f"x-flowmock-session: {KEY}"
PAGE = "https://page.example"


@pytest.fixture
def upstream() -> Iterator[ToldUpstream]:
    with running_told_upstream() as service:
        yield service


_PREFLIGHT = (
    f"Origin: {PAGE}",
    "Access-Control-Request-Method: GET",
    "Access-Control-Request-Headers: x-flowmock-session, x-a",
)
_ALLOWED = "access-control-allow-origin"


def test_headers_of_the_service_for_other_origins_are_relayed_untouched(
    plain: PlainApp, upstream: ToldUpstream
) -> None:
    own = ["Access-Control-Allow-Origin: https://only.example", "Access-Control-Expose-Headers: x-a", "Vary: X-B"]
    upstream.tell(answer(b"", *own))
    got = plain.ask("GET", "/a", f"Origin: {PAGE}")
    assert [f"{name}: {value}" for name, value in got.headers if name.startswith(("Access", "Vary"))] == own


def test_a_service_that_says_nothing_of_other_origins_is_left_so(plain: PlainApp) -> None:
    assert plain.ask("GET", "/a", f"Origin: {PAGE}").values(_ALLOWED) == []


def test_options_that_is_no_preflight_goes_to_the_service(plain: PlainApp, upstream: ToldUpstream) -> None:
    plain.ask("OPTIONS", "/api/cart", HEADER)
    assert upstream.last.method == "OPTIONS"


def test_a_preflight_is_answered_and_allows_the_session_header(plain: PlainApp, upstream: ToldUpstream) -> None:
    got = plain.ask("OPTIONS", "/api/cart", *_PREFLIGHT)
    assert (got.status, got.values(_ALLOWED)) == (204, [PAGE])
    assert "x-flowmock-session" in got.values("access-control-allow-headers")[0]
    assert upstream.requests == []


def test_a_preflight_goes_to_the_service_where_the_environment_says_so(
    configure: Callable[..., None], plain: PlainApp, upstream: ToldUpstream
) -> None:
    configure(cors={"forwardPreflights": True})
    upstream.tell(answer(b"", "Access-Control-Allow-Headers: x-own"))
    got = plain.ask("OPTIONS", "/api/cart", *_PREFLIGHT)
    assert upstream.last.method == "OPTIONS"
    assert got.values("access-control-allow-headers") == ["x-own"]


@pytest.mark.parametrize("lines", [(), _PREFLIGHT], ids=["no preflight", "preflight"])
def test_a_mock_for_options_answers_it(
    rest: RestDoor, auth: str, plain: PlainApp, place: MadePlace, lines: tuple[str, ...]
) -> None:
    place.make_answers(Answering("ovr_options", "OPTIONS", "/api/cart", '"mocked"', status=418))
    rest.put(auth, KEY, {"overrides": ["ovr_options"]})
    assert plain.ask("OPTIONS", "/api/cart", HEADER, *lines).status == 418


def test_a_mocked_answer_allows_the_origin_with_credentials(plain: PlainApp, mocked: None) -> None:
    got = plain.ask("GET", "/api/cart", HEADER, f"Origin: {PAGE}")
    assert (got.values(_ALLOWED), got.values("access-control-allow-credentials")) == ([PAGE], ["true"])


def test_a_mock_that_sets_these_headers_is_left_alone(
    rest: RestDoor, auth: str, plain: PlainApp, place: MadePlace
) -> None:
    headers = [{"name": "Access-Control-Allow-Origin", "value": "*"}]
    place.make_mock("ovr_own", matcher={"path": "/own"}, action={"respond": {"headers": headers}})
    rest.put(auth, KEY, {"overrides": ["ovr_own"]})
    got = plain.ask("GET", "/own", HEADER, f"Origin: {PAGE}")
    assert (got.values(_ALLOWED), got.values("access-control-allow-credentials")) == (["*"], [])


def test_mocked_answers_are_left_alone_where_the_environment_says_so(
    configure: Callable[..., None], plain: PlainApp, mocked: None
) -> None:
    configure(cors={"leaveAnswers": True})
    assert plain.ask("GET", "/api/cart", HEADER, f"Origin: {PAGE}").values(_ALLOWED) == []
