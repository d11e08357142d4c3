"""What FlowMock documents about keys, scopes and errors, over three doors (checklist items 1 to 6)."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from support.doors import Door, GrpcDoor, RestDoor
from support.server import MadePlace, Server, running_gateway, running_server

KEY = "ci-42"


@pytest.mark.parametrize("value", [None, "Bearer fmk_wrong", "Bearer", "fmk_no_word", "Basic fmk_x"])
def test_item_1_no_key_and_wrong_keys_are_unauthorized(door: Door, value: str | None) -> None:
    assert door.get(value, KEY, project="checkout").code == "unauthorized"


def test_item_1_a_revoked_key_is_unauthorized(door: Door, server: Server, place: MadePlace) -> None:
    key = server.make_key(project=place.project)
    assert door.put(f"Bearer {key.text}", KEY, {}).code == ""
    server.revoke(key)
    assert door.put(f"Bearer {key.text}", KEY, {}).code == "unauthorized"


def test_item_1_an_expired_key_is_unauthorized(door: Door, server: Server, place: MadePlace) -> None:
    soon = Timestamp()
    soon.FromDatetime(datetime.now(UTC) + timedelta(milliseconds=300))
    key = server.make_key(project=place.project, expires_at=soon)
    while door.put(f"Bearer {key.text}", KEY, {}).code == "":
        assert datetime.now(UTC) < soon.ToDatetime(UTC) + timedelta(seconds=5)
    assert door.put(f"Bearer {key.text}", KEY, {}).code == "unauthorized"


def test_item_1_the_envelope_is_text_and_code(rest: RestDoor) -> None:
    answer = rest.get(None, KEY)
    assert answer.http_status == 401
    assert set(answer.value) == {"error", "code"}
    assert isinstance(answer.value["error"], str)
    assert answer.value["code"] == "unauthorized"


@pytest.mark.parametrize("word", ["Bearer", "Token", "bearer", "TOKEN"])
def test_item_2_bearer_and_token_introduce_a_key(door: Door, auth: str, word: str) -> None:
    assert door.put(f"{word} {auth.split()[1]}", KEY, {}).code == ""


def test_item_2_a_cookie_alone_does_not(server: Server, auth: str) -> None:
    key = auth.split()[1]
    for cookie in (f"authorization=Bearer {key}", f"session={key}", f"token={key}"):
        response = httpx.get(f"http://{server.rest}/api/v1/sessions/{KEY}", headers={"cookie": cookie})
        assert (response.status_code, response.json()["code"]) == (401, "unauthorized")


@pytest.fixture(scope="module", params=["free", "dev"])
def poor_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with running_server("--plan", request.param) as started:
        yield started


def test_item_3_free_and_dev_have_no_public_api(poor_server: Server) -> None:
    place = poor_server.make_place("staging")
    auth = f"Bearer {poor_server.make_key(project=place.project).text}"
    with running_gateway(poor_server) as gateway:
        doors: list[GrpcDoor | RestDoor] = [GrpcDoor(poor_server.grpc), RestDoor(poor_server.rest), RestDoor(gateway)]
        for each in doors:
            answers = [each.get(auth, KEY), each.put(auth, KEY, {}), each.scenarios(auth), each.logs(auth, KEY)]
            assert {answer.code for answer in answers} == {"plan_required"}
            assert {answer.http_status for answer in answers} <= {0, 403}
            each.close()


@pytest.mark.parametrize("plan", ["team", "business"])
def test_item_3_team_and_business_have_it(plan: str) -> None:
    with running_server("--plan", plan) as server:
        place, door = server.make_place("staging"), RestDoor(server.rest)
        assert door.put(f"Bearer {server.make_key(project=place.project).text}", KEY, {}).code == ""
        door.close()


def test_item_4_an_organisation_key_names_its_project(
    door: Door, place: MadePlace, make_key: Callable[..., str]
) -> None:
    wide = make_key()
    assert door.get(wide, KEY).code == "project_required"
    assert door.put(wide, KEY, {}).code == "project_required"
    assert door.scenarios(wide).code == "project_required"
    assert door.put(wide, KEY, {"project": place.project}).code == ""
    assert door.put(wide, KEY, {}, project=place.project).code == ""
    assert door.get(wide, KEY, project=place.project).code == ""


def test_item_4_a_project_key_needs_no_project(door: Door, auth: str, place: MadePlace) -> None:
    assert door.put(auth, KEY, {}).served["project"] == place.project
    assert door.get(auth, KEY).code == ""
    assert door.get(auth, KEY, project=place.project).code == ""


def test_item_4_a_project_key_is_for_no_other_project(door: Door, auth: str, server: Server) -> None:
    other = server.make_place("staging")
    assert door.get(auth, KEY, project=other.project).code == "scope_mismatch"
    assert door.put(auth, KEY, {}, project=other.project).code == "scope_mismatch"
    assert door.put(auth, KEY, {"project": other.project}).code == "scope_mismatch"


def test_item_5_the_only_environment_is_chosen_by_itself(door: Door, auth: str) -> None:
    assert door.put(auth, KEY, {}).served["environment"] == "staging"


def test_item_5_one_of_several_environments_is_named(door: Door, server: Server, make_key: Callable[..., str]) -> None:
    place = server.make_place("staging", "qa")
    auth = make_key(project=place.project)
    assert door.get(auth, KEY).code == "environment_required"
    assert door.put(auth, KEY, {}).code == "environment_required"
    assert door.put(auth, KEY, {"environment": "qa"}).served["environment"] == "qa"
    assert door.get(auth, KEY, environment="qa").code == ""
    assert door.get(auth, KEY, environment="staging").code == "not_found"


@pytest.fixture(scope="module")
def slow_server() -> Iterator[Server]:
    with running_server("--api-rate", "120/60") as started:
        yield started


@pytest.fixture(scope="module")
def slow_gateway(slow_server: Server) -> Iterator[str]:
    with running_gateway(slow_server) as address:
        yield address


@pytest.mark.parametrize("kind", ["grpc", "rest", "rest-remote"])
def test_item_6_the_121st_call_is_rate_limited_and_another_key_is_not(
    slow_server: Server, slow_gateway: str, kind: str
) -> None:
    place = slow_server.make_place("staging")
    first, second = (f"Bearer {slow_server.make_key(project=place.project).text}" for _ in range(2))
    addresses = {"rest": slow_server.rest, "rest-remote": slow_gateway}
    door = GrpcDoor(slow_server.grpc) if kind == "grpc" else RestDoor(addresses[kind])
    assert [door.get(first, KEY).code for _ in range(120)] == ["not_found"] * 120
    answer = door.get(first, KEY)
    assert answer.code == "rate_limited"
    assert answer.http_status == (0 if kind == "grpc" else 429)
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert door.get(second, KEY).code == "not_found"
    door.close()
