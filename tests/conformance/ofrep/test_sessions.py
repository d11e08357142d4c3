"""Sessions over the protocol: whatever header carries the key, their values go before everything else."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from support.management import Operator

Ask = Callable[..., httpx.Response]
pytestmark = pytest.mark.usefixtures("flagged")
CI = "session-of-the-protocol"
_CLAIMS = urlsafe_b64encode(f'{{"session":"{CI}"}}'.encode()).decode().rstrip("=")
TOKEN_OF_THE_APP = f"Bearer e30.{_CLAIMS}.signature"


@pytest.fixture
def carriers(operator: Operator) -> None:
    found = [{"header": "x-test-run"}, {"cookie": "run"}, {"jwtClaim": "session"}, {"baggage": "test-session"}]
    operator.do("UpdateEnvironment", environment="staging", changes={"carriers": found})


@pytest.mark.usefixtures("carriers")
@pytest.mark.parametrize(
    "header",
    [
        ("x-flowmock-session", CI),
        ("x-flagbridge-session", CI),
        ("x-test-run", CI),
        ("cookie", f"theme=dark; run={CI}"),
        ("authorization", TOKEN_OF_THE_APP),
        ("baggage", f"user=ada,test-session={CI}"),
    ],
    ids=lambda each: each[0],
)
def test_any_carrier_finds_the_session(ask: Ask, auth: str, operator: Operator, header: tuple[str, str]) -> None:
    operator.do("PutSession", sessionKey=CI, flags={"checkout": False, "limits": {"max": 9}, "unheard-of": "x"})
    # Beside a key in X-API-Key, Authorization is the app's own.
    headers = {"x-api-key": auth.removeprefix("Bearer "), header[0]: header[1]}

    found = ask("checkout", headers=headers).json()

    assert (found["value"], found["reason"]) == (False, "STATIC")
    assert (found["metadata"]["reason"], found["metadata"]["session"]) == ("TEST_OVERRIDE", CI)
    assert ask("limits", headers=headers).json()["value"] == {"max": 9}
    assert ask("unheard-of", headers=headers).json()["value"] == "x"
    assert ask("color", headers=headers).json()["reason"] == "DEFAULT"


def test_a_header_finds_the_session_that_its_name_is_for(ask: Ask, auth: str, operator: Operator) -> None:
    operator.do("PutSession", sessionKey="team-a", foundBy="header_name", flags={"checkout": False})

    found = ask("checkout", headers={"authorization": auth, "Team-A": ""}).json()

    assert (found["value"], found["metadata"]["session"]) == (False, "team-a")
    assert ask("checkout").json()["reason"] == "DEFAULT"


@pytest.mark.usefixtures("carriers")
@pytest.mark.parametrize(
    "lines",
    [
        [("x-flowmock-session", "größe")],
        [("x-test-run", "größe")],
        [("cookie", "theme=dark"), ("cookie", "run=größe")],
        [("baggage", "user=ada"), ("baggage", "test-session=größe")],
    ],
    ids=str,
)
def test_a_key_of_any_letters_is_found_on_whichever_line_it_is(
    ask: Ask, auth: str, operator: Operator, lines: list[tuple[str, str]]
) -> None:
    operator.do("PutSession", sessionKey="größe", flags={"checkout": False})
    headers: Any = [("authorization", auth), *((name, value.encode()) for name, value in lines)]
    assert ask("checkout", headers=headers).json()["metadata"]["session"] == "größe"


def test_a_token_finds_its_session(ask: Ask, auth: str, operator: Operator) -> None:
    session = operator.do("CreateProjectSession", label="e2e", flags={"checkout": False})
    headers = {"authorization": auth, "x-flagbridge-session": session["token"]}
    assert ask("checkout", headers=headers).json()["value"] is False


def test_sessions_see_their_own_values_and_nobody_elses(ask: Ask, auth: str, operator: Operator) -> None:
    operator.do("PutSession", sessionKey="one", flags={"color": "red"})
    operator.do("PutSession", sessionKey="two", flags={"color": "gold"})

    def color(**headers: str) -> Any:
        lines = {name.replace("_", "-"): each for name, each in headers.items()}
        return ask("color", headers={"authorization": auth, **lines}).json()["value"]

    assert [color(x_flowmock_session="one"), color(x_flowmock_session="two"), color()] == ["red", "gold", "blue"]
    assert color(x_flowmock_session="of-nobody") == "blue"


def test_a_put_holds_from_the_next_evaluation_on(ask: Ask, auth: str, operator: Operator) -> None:
    headers = {"authorization": auth, "x-flowmock-session": CI}
    for value in (True, False, True):
        operator.do("PutSession", sessionKey=CI, flags={"off": value})
        assert ask("off", headers=headers).json()["value"] is value
