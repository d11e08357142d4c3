"""Questions about calls over three doors, of a server that runs: what was answered is judged the moment it is asked."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from support.doors import Json, RestDoor
from support.management import Operator
from support.proxied import App
from support.server import MadePlace

KEY = "ci-42"
PAY: Json = {"method": "POST", "path": "/api/pay"}


@pytest.fixture(autouse=True)
def session(rest: RestDoor, auth: str, place: MadePlace) -> None:
    """The session ci-42, for which a mock of the payment is on."""
    assert rest.put(auth, KEY, {"overrides": ["ovr_pay"]}).code == ""


def pays(**bounds: int) -> Json:
    return {"matcher": PAY, **bounds}


def test_what_was_answered_is_counted_at_once(operator: Operator, app: App) -> None:
    for count in range(1, 11):
        assert app.pay(KEY).status_code == 200
        found = operator.do("CountCalls", sessionKey=KEY, matcher=PAY)
        assert (found["count"], found["undecided"]) == (count, 0)
        assert (found["completeness"]["upTo"], found["completeness"]["complete"]) == (count, True)


def test_calls_are_verified_in_number_order_and_company(operator: Operator, app: App) -> None:
    app.cart(KEY)
    app.pay(KEY)
    carts = {"matcher": {"path": "/api/cart"}, "name": "looks at the cart"}
    found = operator.do(
        "VerifyCalls", sessionKey=KEY, expectations=[carts, pays(exactly=1)], inOrder=True, noOthers=True
    )
    assert (found["verdict"], found["order"], found["others"]) == ("passed", "passed", "passed")
    assert [each["verdict"] for each in found["outcomes"]] == ["passed", "passed"]
    assert found["outcomes"][0]["name"] == "looks at the cart"
    assert found["message"] == "2 expectations hold, judged over 2 exchanges"


def test_what_was_not_called_is_told_with_what_was_nearest(operator: Operator, app: App) -> None:
    app.send("POST", "/api/pay?retry=1", KEY, b'{"amount": 1}')
    wanted = {"matcher": {**PAY, "body": {"jsonSubset": {"amount": 2}}}, "exactly": 1}
    found = operator.do("VerifyCalls", sessionKey=KEY, expectations=[wanted])
    (outcome,) = found["outcomes"]
    assert (found["verdict"], outcome["verdict"], outcome["count"]) == ("failed", "failed", 0)
    (near,) = outcome["nearCalls"]
    assert near["request"] == "POST /api/pay?retry=1"
    assert [each["field"] for each in near["mismatches"]] == ["matcher.body.json_subset"]
    assert "order" not in found or found["order"] is None


def test_credentials_are_not_compared_with_and_are_known_to_be_there(operator: Operator, app: App) -> None:
    app.send("POST", "/api/pay", KEY, b"{}", Authorization="Bearer secret")
    sent = {"matcher": {"headers": {"authorization": {"present": True}}}, "exactly": 1}
    which = {"matcher": {"headers": {"authorization": {"equals": "Bearer secret"}}}, "exactly": 1}
    found = operator.do("VerifyCalls", sessionKey=KEY, expectations=[sent, which])
    assert [each["verdict"] for each in found["outcomes"]] == ["passed", "inconclusive"]
    assert (found["verdict"], found["outcomes"][1]["undecided"]) == ("inconclusive", 1)


def test_a_wait_ends_with_the_call_that_was_waited_for(operator: Operator, app: App) -> None:
    calling = threading.Timer(0.2, lambda: app.pay(KEY))
    calling.start()
    began = time.monotonic()
    found = operator.do("AwaitCalls", sessionKey=KEY, expectation=pays(atLeast=1), timeoutMs=20_000)
    calling.join()
    assert (found["verdict"], found["timedOut"], found["outcome"]["count"]) == ("passed", False, 1)
    assert time.monotonic() - began < 10


def test_a_wait_that_is_over_says_so(operator: Operator) -> None:
    found = operator.do("AwaitCalls", sessionKey=KEY, expectation=pays(), timeoutMs=1)
    assert (found["verdict"], found["timedOut"]) == ("failed", True)


def test_verifications_are_listed(operator: Operator, app: App) -> None:
    app.pay(KEY)
    operator.do("VerifyCalls", sessionKey=KEY, expectations=[pays()])
    operator.do("AwaitCalls", sessionKey=KEY, expectation=pays(atLeast=2), timeoutMs=0)
    found = operator.do("ListVerifications", sessionKey=KEY)["verifications"]
    assert [each["verdict"] for each in found] == ["passed", "failed"]
    assert all(each["askedAt"] for each in found)


def test_a_session_that_was_made_anew_begins_at_one(operator: Operator, app: App, rest: RestDoor, auth: str) -> None:
    app.pay(KEY)
    assert rest.delete(auth, KEY, mode="delete").code == ""
    assert operator.do("CountCalls", sessionKey=KEY)["count"] == 1
    assert rest.put(auth, KEY, {"overrides": ["ovr_pay"]}).code == ""
    assert operator.do("CountCalls", sessionKey=KEY)["count"] == 0
    app.pay(KEY)
    assert operator.do("CountCalls", sessionKey=KEY)["completeness"]["upTo"] == 1


def test_a_session_that_is_deleted_with_its_journal_leaves_none(
    operator: Operator, app: App, rest: RestDoor, auth: str
) -> None:
    app.pay(KEY)
    assert rest.delete(auth, KEY, mode="delete", purgeJournal="true").code == ""
    assert operator.ask("CountCalls", sessionKey=KEY).code == "not_found"
    assert rest.logs(auth, KEY).code == "not_found"


def test_what_carries_an_unknown_key_belongs_to_no_session(operator: Operator, app: App) -> None:
    app.pay("nobody")
    app.pay()
    assert operator.ask("CountCalls", sessionKey="nobody").code == "not_found"
    assert operator.do("CountCalls", sessionKey=" ", matcher=PAY)["count"] == 2


def test_what_carries_an_unknown_key_can_be_waited_for(operator: Operator, app: App) -> None:
    calling = threading.Timer(0.2, lambda: app.pay("nobody"))
    calling.start()
    found = operator.do("AwaitCalls", sessionKey=" ", expectation=pays(), timeoutMs=20_000)
    calling.join()
    assert (found["verdict"], found["timedOut"]) == ("passed", False)


_STATE = {"matcher": {"state": [{"key": "k", "criterion": {"present": True}}]}}


@pytest.mark.parametrize(
    ("rpc", "fields"),
    [
        ("CountCalls", _STATE),
        ("CountCalls", {"after": -1}),
        ("VerifyCalls", {"expectations": []}),
        ("VerifyCalls", {"expectations": [_STATE]}),
        ("VerifyCalls", {"expectations": [{"exactly": 1, "atLeast": 1}]}),
        ("VerifyCalls", {"expectations": [{"atLeast": 2, "atMost": 1}]}),
        ("VerifyCalls", {"expectations": [{"matcher": {"body": {"pattern": "("}}}]}),
        ("VerifyCalls", {"expectations": [{}] * 101}),
        ("AwaitCalls", {"timeoutMs": 300_001}),
        ("AwaitCalls", {"expectation": _STATE}),
    ],
)
def test_a_bad_question_is_refused(operator: Operator, rpc: str, fields: dict[str, Any]) -> None:
    assert operator.ask(rpc, sessionKey=KEY, **fields).code == "invalid_body"


@pytest.mark.parametrize("rpc", ["CountCalls", "VerifyCalls", "ListVerifications"])
def test_a_session_that_never_was_is_not_found(operator: Operator, rpc: str) -> None:
    fields: Json = {"expectations": [pays(atMost=0)]} if rpc == "VerifyCalls" else {}
    assert operator.ask(rpc, sessionKey="ci-24", **fields).code == "not_found"


def test_a_key_of_another_project_asks_nothing(
    operator: Operator, make_key: Callable[..., str], place: MadePlace
) -> None:
    other = make_key(project=place.server.make_place("staging").project)
    found = Operator(operator.door, other, operator.project).ask("CountCalls", sessionKey=KEY)
    assert found.code == "scope_mismatch"
