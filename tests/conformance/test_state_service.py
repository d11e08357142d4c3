"""What requests leave behind, over three doors, with the proxy in view."""

from collections.abc import Callable

import httpx
import pytest
from support.doors import Json, RestDoor
from support.management import Operator
from support.plain_http import NO_TLS
from support.proxied import App
from support.server import MadePlace, Server
from understudy.options.v1.options_pb2 import ROLE_CI

OWNERS: list[dict[str, Json]] = [{}, {"sessionKey": "ci-42"}, {"chain": "order"}]
CALLS: dict[str, dict[str, Json]] = {
    "ListStateValues": {},
    "GetStateValue": {"key": "k"},
    "SetStateValue": {"key": "k", "value": 1},
    "IncrementStateValue": {"key": "k"},
    "DeleteStateValue": {"key": "k"},
    "GetState": {},
    "SetMachine": {"machine": "order", "state": "paid"},
    "ResetState": {},
}


@pytest.fixture(autouse=True)
def session(rest: RestDoor, auth: str) -> None:
    """The session ci-42."""
    assert rest.put(auth, "ci-42", {}).code == ""


@pytest.mark.parametrize("owner", OWNERS, ids=["environment", "session", "chain"])
def test_a_value_is_set_read_listed_and_removed(operator: Operator, owner: dict[str, Json]) -> None:
    value = {"key": "order.id", "value": {"n": [1, None, "Größe"]}}

    assert operator.do("SetStateValue", **value, **owner) == value
    assert operator.do("GetStateValue", key="order.id", **owner) == value
    assert operator.do("ListStateValues", **owner) == {"values": [value], "nextPageToken": ""}
    assert operator.do("DeleteStateValue", key="order.id", **owner) == {}
    assert operator.ask("GetStateValue", key="order.id", **owner).code == "not_found"


@pytest.mark.parametrize("key", ["a/b", "x:increment", "%2F", "Größe 🎭", "k?x=1#y", "a b"])
def test_any_key_is_found_again(operator: Operator, key: str) -> None:
    operator.do("SetStateValue", key=key, value=key)

    assert operator.do("GetStateValue", key=key) == {"key": key, "value": key}
    assert operator.do("IncrementStateValue", key=f"{key}n") == {"key": f"{key}n", "value": 1}
    assert operator.do("ListStateValues", prefix=f"{key}n")["values"] == [{"key": f"{key}n", "value": 1}]


def test_a_counter_is_moved_in_one_go(operator: Operator) -> None:
    sums = [operator.do("IncrementStateValue", key="n", **by)["value"] for by in ({}, {"by": 5}, {"by": -7}, {"by": 0})]

    assert sums == [1, 6, -1, -1]
    operator.do("SetStateValue", key="n", value="text")
    assert operator.ask("IncrementStateValue", key="n").code == "not_a_number"


def test_values_are_listed_page_by_page(operator: Operator) -> None:
    for key in ("b", "a", "c"):
        operator.do("SetStateValue", key=key, value=1)

    first = operator.do("ListStateValues", pageSize=2)
    rest = operator.do("ListStateValues", pageSize=2, pageToken=first["nextPageToken"])

    assert [each["key"] for page in (first, rest) for each in page["values"]] == ["a", "b", "c"]
    assert rest["nextPageToken"] == ""


def test_a_machine_is_put_into_a_state(operator: Operator) -> None:
    assert operator.do("SetMachine", machine="order", state="paid") == {"machine": "order", "state": "paid"}
    assert operator.do("GetState") == {"machines": [{"machine": "order", "state": "paid"}], "uses": []}
    assert operator.do("SetMachine", machine="order") == {"machine": "order", "state": "started"}
    assert operator.do("GetState") == {"machines": [], "uses": []}


def test_one_owner_or_everything_begins_anew(operator: Operator) -> None:
    def left() -> list[int]:
        return [len(operator.do("ListStateValues", **owner)["values"]) for owner in OWNERS]

    for owner in OWNERS:
        operator.do("SetStateValue", key="k", value=1, **owner)
    assert operator.do("ResetState", sessionKey="ci-42") == {}
    assert left() == [1, 0, 1]
    operator.do("ResetState")
    assert left() == [0, 0, 1]
    operator.do("ResetState", everything=True)
    assert left() == [0, 0, 0]


@pytest.mark.parametrize("rpc", CALLS)
def test_a_session_that_there_is_not_is_not_found(operator: Operator, rpc: str) -> None:
    assert operator.ask(rpc, **CALLS[rpc], sessionKey="nobody").code == "not_found"


@pytest.mark.parametrize("rpc", CALLS)
def test_a_session_and_a_chain_at_once_are_refused(operator: Operator, rpc: str) -> None:
    assert operator.ask(rpc, **CALLS[rpc], sessionKey="ci-42", chain="order").code == "invalid_body"


@pytest.mark.parametrize("rpc", CALLS)
def test_the_pipeline_s_own_key_will_do(
    operator: Operator, place: MadePlace, make_key: Callable[..., str], rpc: str
) -> None:
    key = make_key(ROLE_CI, place.project, "staging")

    code = Operator(operator.door, key, place.project).ask(rpc, **CALLS[rpc], sessionKey="ci-42").code

    assert code == ("not_found" if rpc == "GetStateValue" else "")


@pytest.mark.parametrize(
    ("rpc", "request_"),
    [
        ("SetStateValue", {"key": "k" * 257, "value": 1}),
        ("SetStateValue", {"key": "k"}),
        ("SetStateValue", {"key": "k", "value": "x" * 65_536}),
        ("IncrementStateValue", {"key": "k", "by": 1_000_000_001}),
        ("SetMachine", {"machine": "m" * 101, "state": "paid"}),
        ("ListStateValues", {"pageToken": "none of yours"}),
        ("ResetState", {"everything": True, "chain": "order"}),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(operator: Operator, rpc: str, request_: dict[str, Json]) -> None:
    assert operator.ask(rpc, **request_).code == "invalid_body"
    assert operator.do("ListStateValues")["values"] == []


@pytest.mark.parametrize("text", ["1.10", "12345678901234567890123.4560", "1E400", "-0.0", '{"b": 1,  "a": 2}'])
def test_over_rest_a_number_comes_back_digit_by_digit(server: Server, place: MadePlace, auth: str, text: str) -> None:
    url = f"http://{server.rest}/api/v1/projects/{place.project}/environments/staging/state/values/k"
    headers = {"authorization": auth, "content-type": "application/json"}
    answer = httpx.put(url, content=f'{{"value": {text}}}', headers=headers, verify=NO_TLS)
    if text == "1E400":
        assert answer.status_code == 422
        return
    assert answer.status_code == 200
    read = httpx.get(url, headers={"authorization": auth}, verify=NO_TLS).text
    assert read == answer.text
    assert read.replace(" ", "") == f'{{"key":"k","value":{text.replace(" ", "")}}}'


# With the proxy


def make(operator: Operator, mock_id: str, **fields: Json) -> None:
    """Make a mock for the cart, publish it, and switch it on for everybody."""
    mock: dict[str, Json] = {
        "id": mock_id,
        "name": mock_id,
        "matcher": {"method": "GET", "path": "/api/cart"},
        "action": {"respond": {"json": {"cart": mock_id}}},
    }
    operator.do("CreateMock", mock=mock | fields)
    operator.do("PublishMock", mockId=mock_id)
    operator.do("ActivateMock", mockId=mock_id)


def test_uses_are_counted_for_each_session_and_begin_anew_with_it(
    operator: Operator, rest: RestDoor, auth: str, app: App
) -> None:
    make(operator, "ovr_once", lifetime={"usesMax": 1})
    rest.put(auth, "ci-43", {})

    assert [app.cart("ci-42"), app.cart("ci-42"), app.cart("ci-43")] == ["ovr_once", "real", "ovr_once"]
    assert operator.do("GetState", sessionKey="ci-42")["uses"] == [{"mockId": "ovr_once", "uses": 1}]
    rest.delete(auth, "ci-42")
    assert app.cart("ci-42") == "ovr_once"
    operator.do("ResetState", sessionKey="ci-43")
    assert app.cart("ci-43") == "ovr_once"
    operator.do("ResetState", everything=True)
    assert [app.cart("ci-42"), app.cart("ci-42")] == ["ovr_once", "real"]


def test_a_machine_goes_from_mock_to_mock_and_can_be_put_back(operator: Operator, app: App) -> None:
    make(operator, "ovr_first", machine={"machine": "order", "required": "started", "next": "paid"})
    make(operator, "ovr_second", machine={"machine": "order", "required": "paid", "next": "sent"})

    assert [app.cart("ci-42") for _ in range(3)] == ["ovr_first", "ovr_second", "real"]
    assert operator.do("GetState", sessionKey="ci-42")["machines"] == [{"machine": "order", "state": "sent"}]
    operator.do("SetMachine", machine="order", state="paid", sessionKey="ci-42")
    assert app.cart("ci-42") == "ovr_second"


def test_what_is_set_is_matched_and_what_is_kept_is_read(operator: Operator, app: App) -> None:
    make(
        operator,
        "ovr_seen",
        matcher={"method": "GET", "path": "/api/cart", "state": [{"key": "user", "criterion": {"equals": "vip"}}]},
        action={
            "respond": {"json": {"cart": "vip"}},
            "extract": [{"key": "seen", "increment": 1}, {"key": "by", "header": "x-flowmock-session"}],
        },
    )

    assert app.cart("ci-42") == "real"
    operator.do("SetStateValue", key="user", value="vip", sessionKey="ci-42")
    assert [app.cart("ci-42"), app.cart("ci-42")] == ["vip", "vip"]
    values = {each["key"]: each["value"] for each in operator.do("ListStateValues", sessionKey="ci-42")["values"]}
    assert values == {"by": "ci-42", "seen": 2, "user": "vip"}
