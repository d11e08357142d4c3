"""Explanations over three doors: what is told is what the proxy then does, and asking changes nothing."""

from collections.abc import Callable

import httpx
import pytest
from support.doors import Json, RestDoor
from support.management import Operator
from support.proxied import App
from support.server import MadePlace, Server
from understudy.options.v1.options_pb2 import ROLE_CI

KEY: dict[str, Json] = {"name": "x-flowmock-session", "value": "ci-42"}
CART: dict[str, Json] = {"method": "GET", "target": "/api/cart", "headers": [KEY]}


@pytest.fixture(autouse=True)
def session(rest: RestDoor, auth: str, place: MadePlace) -> None:
    """The session ci-42, for which a mock of the cart is on."""
    assert rest.put(auth, "ci-42", {"overrides": ["ovr_cart"]}).code == ""


def log_id(rest: RestDoor, operator: Operator) -> str:
    """The id of the exchange of ci-42 that is on record last."""
    found = rest.logs(operator.auth, "ci-42", project=operator.project, environment="staging").served["logs"]
    return str(found[0]["id"])


def test_what_is_explained_is_what_is_answered(operator: Operator, app: App) -> None:
    found = operator.do("Explain", request=CART)

    assert (found["outcome"], found["mockId"], found["rule"]) == ("mock", "ovr_cart", "only_match")
    assert found["summary"] == "ovr_cart answers: it matches, and no other mock is on."
    assert (found["sessionKey"], found["sessionExists"], found["findings"], found["reasons"]) == ("ci-42", True, [], [])
    assert (found["consideredTotal"], found["notOn"]) == (1, [])
    (considered,) = found["considered"]
    assert considered == {
        "mockId": "ovr_cart",
        "name": considered["name"],
        "layer": "session",
        "matches": True,
        "distance": 0,
        "mismatches": [],
    }
    assert app.cart("ci-42") == "mocked"


def test_what_goes_to_the_service_says_what_was_nearest(operator: Operator, app: App) -> None:
    found = operator.do("Explain", request={**CART, "target": "/api/card"})

    assert (found["outcome"], found["mockId"], found["rule"]) == ("upstream", "", "")
    (considered,) = found["considered"]
    assert not considered["matches"]
    assert 0 < considered["distance"] < 1
    assert considered["mismatches"][0] == {
        "field": "matcher.path", "expected": "is /api/cart", "actual": "/api/card", "code": "differs",
    }  # fmt: skip
    assert app.send("GET", "/api/card", "ci-42").json()["cart"] == "real"


def test_a_mock_that_is_not_on_is_named_where_it_would_match(operator: Operator) -> None:
    found = operator.do("Explain", request={**CART, "headers": []})

    assert (found["outcome"], found["considered"], found["reasons"]) == ("upstream", [], ["no_session_key"])
    assert "ovr_cart" in found["notOn"]


def test_an_exchange_is_explained_by_its_id(operator: Operator, rest: RestDoor, app: App) -> None:
    app.send("POST", "/api/cart?a=1", "ci-42", b'{"amount": 1180}')

    found = operator.do("Explain", logId=log_id(rest, operator))

    assert (found["outcome"], found["sessionKey"]) == ("upstream", "ci-42")
    (mismatch,) = found["considered"][0]["mismatches"]
    assert (mismatch["field"], mismatch["actual"]) == ("matcher.method", "POST")


def test_asking_uses_nothing_up(operator: Operator, app: App) -> None:
    mock = {"id": "ovr_once", "name": "Once", "lifetime": {"usesMax": 1}, "action": {"respond": {"status": 418}}}
    operator.do("CreateMock", mock=mock)
    operator.do("PublishMock", mockId="ovr_once")
    operator.do("ActivateMock", mockId="ovr_once")
    other: dict[str, Json] = {"target": "/once", "sessionKey": "ci-42"}

    assert [operator.do("Explain", request=other)["mockId"] for _ in range(3)] == ["ovr_once"] * 3
    assert [app.send("GET", "/once", "ci-42").status_code for _ in range(2)] == [418, 200]
    spent = operator.do("Explain", request=other)
    assert spent["outcome"] == "upstream"
    assert spent["considered"][0]["mismatches"] == [
        {"field": "lifetime.uses_max", "expected": "at most 1 use by the session", "actual": "1", "code": "spent"}
    ]


def test_a_body_may_be_text_or_bytes(operator: Operator) -> None:
    mock = {"id": "ovr_body", "name": "a", "matcher": {"body": {"contains": "é"}}}
    operator.do("CreateMock", mock=mock)
    operator.do("PublishMock", mockId="ovr_body")
    operator.do("ActivateMock", mockId="ovr_body")

    for body in ({"text": "café"}, {"body": "Y2Fmw6k="}):
        assert operator.do("Explain", request={"target": "/", **body})["mockId"] == "ovr_body"
    assert operator.ask("Explain", request={"target": "/", "text": "a", "body": "YQ=="}).code == "invalid_body"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({}, "invalid_body"),
        ({"request": {}}, "invalid_body"),
        ({"request": {"target": "nothing"}}, "invalid_body"),
        ({"request": {"target": "/", "headers": [{"name": "a b", "value": ""}]}}, "invalid_body"),
        ({"logId": "log_none"}, "not_found"),
        ({"request": CART, "candidatesMax": 1001}, "invalid_body"),
        ({"request": CART, "environment": "nowhere"}, "not_found"),
    ],
)
def test_what_cannot_be_explained_is_refused(operator: Operator, request_: dict[str, Json], code: str) -> None:
    assert operator.ask("Explain", **request_).code == code


def test_a_log_of_elsewhere_is_not_found(
    operator: Operator, rest: RestDoor, app: App, server: Server, make_key: Callable[..., str]
) -> None:
    app.cart("ci-42")
    exchange = log_id(rest, operator)
    operator.do("CreateEnvironment", environment={"slug": "other"})

    assert operator.ask("Explain", logId=exchange, environment="other").code == "not_found"
    assert operator.do("Explain", logId=exchange)["mockId"] == "ovr_cart"


def test_a_pipeline_may_ask_about_its_own_place_alone(operator: Operator, make_key: Callable[..., str]) -> None:
    pipeline = Operator(operator.door, make_key(ROLE_CI, project=operator.project), operator.project)

    assert pipeline.do("Explain", request=CART)["mockId"] == "ovr_cart"
    assert pipeline.ask("Explain", request=CART, project="other").code == "scope_mismatch"


def test_a_refusal_names_the_field_as_it_was_sent(server: Server, operator: Operator) -> None:
    answer = httpx.post(
        f"http://{server.rest}/api/v1/projects/{operator.project}/environments/staging/explain",
        headers={"authorization": operator.auth},
        json={"request": {"target": "/", "sessionKey": "x" * 1025}},
    )
    assert answer.json()["error"].startswith("request.sessionKey has 1025 characters")
