"""What projects and environments are called: by slug or by id. What is neither names nothing, and never everything."""

from collections.abc import Callable

import pytest
from support.flagbridge import ENVIRONMENTS, FlagBridge

NOWHERE = ["nowhere_", "_", "nowhere_staging", "env_other_staging", "env_staging"]


@pytest.mark.parametrize("name", ["", *NOWHERE])
def test_a_name_of_no_environment_changes_none(bridge: FlagBridge, name: str) -> None:
    bridge.flag("a", enabled=False)
    place = f"/projects/{bridge.project}/flags/a"
    patched = bridge.ask("mgmt", "PATCH", place, {"environments": {name: {"enabled": True}}})
    put = bridge.ask("mgmt", "PUT", f"{place}/states/{name}", {"enabled": True})

    assert (patched.status_code, put.status_code) == (404 if name else 400, 404)
    found = bridge.done("mgmt", "GET", place)
    assert {each["enabled"] for each in found["environments"].values()} == {False}


def test_an_environment_is_named_by_its_id_too(bridge: FlagBridge) -> None:
    bridge.flag("a", enabled=False)
    place = f"/projects/proj_{bridge.project}/flags/a"
    name = f"env_{bridge.project}_staging"
    patched = bridge.done("mgmt", "PATCH", place, {"environments": {name: {"enabled": True}}})

    assert [each for each in ENVIRONMENTS if patched["environments"][each]["enabled"]] == ["staging"]
    assert bridge.done("mgmt", "GET", f"{place}/states/{name}")["environment"] == "staging"


@pytest.mark.parametrize("name", NOWHERE)
def test_a_name_of_no_environment_is_not_that_of_the_keys(
    bridge: FlagBridge, make_scoped_key: Callable[..., str], name: str
) -> None:
    bridge.keys["eval"] = make_scoped_key("eval", bridge.project, "staging")
    bridge.keys["full"] = make_scoped_key("full")

    def status(scope: str, environment: str) -> int:
        asked = {"flagKey": "a", "project": bridge.project, "environment": environment}
        return bridge.ask(scope, "POST", "/evaluate", asked).status_code

    own = f"env_{bridge.project}_staging"
    assert [status("eval", each) for each in ("staging", own, name)] == [200, 200, 403]
    assert [status("full", each) for each in ("staging", own, name)] == [200, 200, 404]


@pytest.mark.parametrize(
    ("place", "status"),
    [
        *(({"environment": name}, 404) for name in (*NOWHERE, "staging_")),
        ({"environment": ""}, 400),
        ({"environmentId": ""}, 400),
        ({"projectSlug": ""}, 400),
        ({"projectSlug": "proj_"}, 404),
    ],
)
def test_no_key_for_everything_is_made_of_a_name_of_nothing(
    bridge: FlagBridge, make_scoped_key: Callable[..., str], place: dict[str, str], status: int
) -> None:
    bridge.keys["mgmt"] = make_scoped_key("mgmt")
    body = {"name": f"of {bridge.project}", "scope": "eval", "projectSlug": bridge.project, **place}
    answer = bridge.ask("mgmt", "POST", "/api-keys", body)

    assert answer.status_code == status
    listed = bridge.done("mgmt", "GET", "/api-keys")["apiKeys"]
    assert not [each for each in listed if each["name"] == body["name"]]


def test_a_key_is_for_the_environment_that_is_named_by_its_id(bridge: FlagBridge) -> None:
    bridge.keys["mgmt"] = bridge.make_key("mgmt", bridge.project)
    body = {"name": "a", "scope": "eval", "environment_id": f"env_{bridge.project}_staging"}
    made = bridge.done("mgmt", "POST", "/api-keys", body)
    bridge.done("mgmt", "DELETE", f"/api-keys/{made['id']}")

    assert made["environment"] == "staging"
