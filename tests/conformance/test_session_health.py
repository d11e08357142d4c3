"""What is odd about a session, over three doors: told by what went through the proxy, and with what to do."""

from collections.abc import Callable

import pytest
from support.doors import Json, RestDoor
from support.management import Operator
from support.proxied import App
from support.server import MadePlace, Server
from understudy.options.v1.options_pb2 import ROLE_CI


def health(operator: Operator, key: str = "ci-42") -> Json:
    return operator.do("GetSessionHealth", sessionKey=key)


def codes(found: Json) -> list[str]:
    return [each["code"] for each in found["findings"]]


def finding(found: Json, code: str) -> Json:
    """The one finding of a code."""
    (only,) = [each for each in found["findings"] if each["code"] == code]
    return only


def log_ids(rest: RestDoor, operator: Operator, key: str = "ci-42") -> list[str]:
    """The ids of what is on record of a session, the oldest first."""
    found = rest.logs(operator.auth, key, project=operator.project, environment="staging").served["logs"]
    return [str(each["id"]) for each in reversed(found)]


@pytest.fixture
def on(rest: RestDoor, auth: str, place: MadePlace) -> Callable[..., None]:
    """Sets a session with these mocks on."""

    def put(*overrides: str, key: str = "ci-42") -> None:
        assert rest.put(auth, key, {"overrides": list(overrides)}).code == ""

    return put


def test_a_session_whose_requests_were_answered_as_meant_is_healthy(
    operator: Operator, app: App, on: Callable[..., None]
) -> None:
    on("ovr_cart")
    assert app.cart("ci-42") == "mocked"

    found = health(operator)

    assert (found["healthy"], found["sessionExists"], found["findings"]) == (True, True, [])
    assert found["counts"] == [{"outcome": "mocked", "count": 1}]
    record = found["completeness"]
    assert (record["upTo"], record["complete"], record["kept"], record["losses"]) == (1, True, 1, [])
    assert record["sessionId"].startswith("ses_")


def test_a_request_that_missed_a_mock_by_little_is_told_with_what_did_not_hold(
    operator: Operator, rest: RestDoor, app: App, on: Callable[..., None]
) -> None:
    on("ovr_cart")
    for _ in range(2):
        app.send("GET", "/api/card", "ci-42")

    found = health(operator)

    assert not found["healthy"]
    assert codes(found) == ["unmatched", "mock_never_used"]
    missed, unused = found["findings"]
    assert (missed["count"], missed["mockIds"]) == (2, ["ovr_cart"])
    assert missed["logIds"] == log_ids(rest, operator)
    assert missed["mismatches"] == [
        {"field": "matcher.path", "expected": "is /api/cart", "actual": "/api/card", "code": "differs"}
    ]
    assert missed["message"].startswith("GET /api/card (2 times) was passed on: the nearest mock, ovr_cart, misses at")
    assert (unused["count"], unused["mockIds"], unused["mismatches"]) == (0, ["ovr_cart"], missed["mismatches"])


def test_a_request_that_another_session_has_a_mock_for_names_that_session(
    operator: Operator, app: App, on: Callable[..., None]
) -> None:
    on()
    on("ovr_pay", key="ci-41")
    app.pay("ci-42")

    found = finding(health(operator), "would_match_in_session")

    assert found["mockIds"] == ["ovr_pay"]
    assert "in session 'ci-41' it would have been answered by ovr_pay" in found["message"]


def test_a_mock_that_is_on_nowhere_is_named(operator: Operator, app: App, on: Callable[..., None]) -> None:
    on()
    app.pay("ci-42")

    assert finding(health(operator), "mock_not_active")["mockIds"][0] == "ovr_declined"


def test_a_draft_is_named_to_those_who_may_see_it(
    operator: Operator, app: App, on: Callable[..., None], make_key: Callable[..., str]
) -> None:
    on()
    app.cart("ci-42")
    pipeline = Operator(operator.door, make_key(ROLE_CI, project=operator.project), operator.project)

    assert finding(health(operator), "mock_draft")["mockIds"] == ["ovr_draft"]
    assert codes(health(pipeline)) == ["mock_not_active"]


def test_a_mock_that_is_used_up_is_named(operator: Operator, app: App, on: Callable[..., None]) -> None:
    mock = {"id": "ovr_once", "name": "Once", "matcher": {"path": "/once"}, "lifetime": {"usesMax": 1}}
    operator.do("CreateMock", mock=mock)
    operator.do("PublishMock", mockId="ovr_once")
    on("ovr_once")
    for _ in range(2):
        app.send("GET", "/once", "ci-42")

    found = finding(health(operator), "mock_used_up")

    assert (found["count"], found["mockIds"]) == (1, ["ovr_once"])
    assert [each["code"] for each in found["mismatches"]] == ["spent"]


def test_a_key_that_nobody_has_used_is_told_so(operator: Operator, place: MadePlace) -> None:
    found = health(operator, "ci-nobody")

    assert (found["healthy"], found["sessionExists"], codes(found)) == (False, False, ["no_session"])
    assert "no request carried this key" in found["findings"][0]["message"]
    assert (found["counts"], found["completeness"]["upTo"]) == ([], 0)


def test_requests_without_a_key_are_a_hint(operator: Operator, app: App, on: Callable[..., None]) -> None:
    on("ovr_cart")
    app.cart()

    found = finding(health(operator), "no_session_key")

    assert (found["count"], len(found["logIds"])) == (1, 1)


def test_requests_of_a_key_that_has_no_session_are_counted(operator: Operator, rest: RestDoor, app: App) -> None:
    app.cart("ci-typo")

    found = health(operator, "ci-typo")

    assert (found["sessionExists"], finding(found, "no_session")["count"]) == (False, 1)
    assert finding(found, "no_session")["logIds"] == log_ids(rest, operator, "ci-typo")


def test_a_session_that_has_ended_is_told_of_by_its_last_incarnation(
    operator: Operator, app: App, on: Callable[..., None]
) -> None:
    on("ovr_cart")
    app.cart("ci-42")
    operator.do("DeleteSession", sessionKey="ci-42", mode="delete")

    found = health(operator)

    assert (found["sessionExists"], codes(found)) == (False, ["no_session"])
    assert "has ended" in found["findings"][0]["message"]
    assert found["counts"] == [{"outcome": "mocked", "count": 1}]


def test_a_request_that_nothing_answers_is_odd(operator: Operator, make_app: Callable[..., App]) -> None:
    operator.do("CreateEnvironment", environment={"slug": "alone"})
    operator.do("PutSession", sessionKey="ci-42", environment="alone")
    app = make_app(operator.project, "alone")
    assert app.send("GET", "/api/cart", "ci-42").status_code == 502

    found = operator.do("GetSessionHealth", sessionKey="ci-42", environment="alone")

    (only,) = found["findings"]
    assert (only["code"], only["count"]) == ("unmatched", 1)
    assert "no mock is on for it" in only["message"]


def test_a_service_that_is_not_there_is_told(operator: Operator, make_app: Callable[..., App]) -> None:
    operator.do("CreateEnvironment", environment={"slug": "down", "upstream": "http://127.0.0.1:9"})
    operator.do("PutSession", sessionKey="ci-42", environment="down")
    app = make_app(operator.project, "down")
    assert app.send("GET", "/api/cart", "ci-42").status_code == 502

    found = operator.do("GetSessionHealth", sessionKey="ci-42", environment="down")

    assert codes(found) == ["upstream_failed"]


def test_asking_changes_nothing(operator: Operator, rest: RestDoor, app: App, on: Callable[..., None]) -> None:
    on("ovr_cart")
    app.send("GET", "/api/card", "ci-42")

    assert health(operator) == health(operator)
    assert len(log_ids(rest, operator)) == 1


def test_a_pipeline_may_ask_about_its_own_place_alone(
    operator: Operator, make_key: Callable[..., str], server: Server
) -> None:
    pipeline = Operator(operator.door, make_key(ROLE_CI, project=operator.project), operator.project)

    assert codes(health(pipeline, "ci-nobody")) == ["no_session"]
    assert pipeline.ask("GetSessionHealth", sessionKey="ci-42", project="other").code == "scope_mismatch"
    assert pipeline.ask("GetSessionHealth", sessionKey="ci-42", environment="nowhere").code == "not_found"
