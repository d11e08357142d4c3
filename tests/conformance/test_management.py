"""The operator's side over three doors: what each management RPC does, with the proxy in view.

What refuses them stands in ``test_management_refusals.py``; a test at its end holds both files to the contract.
"""

from collections.abc import Callable

from support.doors import Json, RestDoor
from support.management import Operator
from support.proxied import App
from support.server import MadePlace
from understudy.options.v1.options_pb2 import ROLE_ADMIN, ROLE_EDITOR

CART: dict[str, Json] = {"method": "GET", "path": "/api/cart"}
# What stands in an answer where a mock says nothing.
NO_MATCHER: dict[str, Json] = {"method": "", "path": "", "query": {}, "headers": {}, "cookies": {}, "state": []}
NO_ACTION: dict[str, Json] = {"bytesPerSecond": 0, "extract": []}
NO_ANSWER: dict[str, Json] = {"headers": [], "headerTemplates": False, "bare": False}


def answering(cart: str) -> dict[str, Json]:
    return {"respond": {"json": {"cart": cart}}}


def make(operator: Operator, mock_id: str, *, cart: str = "mine") -> None:
    """Make a mock for the cart, and publish it."""
    mock = {"id": mock_id, "name": "Cart", "matcher": CART, "action": answering(cart)}
    operator.do("CreateMock", mock=mock)
    operator.do("PublishMock", mockId=mock_id)


# Mocks


def test_a_new_mock_is_a_draft_that_is_read_back_whole(operator: Operator) -> None:
    given: dict[str, Json] = {
        "id": "ovr_new",
        "name": "Größe",
        "matcher": {**CART, "query": {"currency": {"equals": "EUR"}}, "body": {"jsonSubset": {"a": [1, 2.50]}}},
        "action": {
            "respond": {
                "status": 402,
                "headers": [{"name": "x-a", "value": "1"}, {"name": "x-a", "value": "2"}],
                "json": {"error": "declined"},
            },
            "delay": {"fixedMs": 250},
        },
    }

    made = operator.do("CreateMock", mock=given)

    assert made["matcher"] == {**NO_MATCHER, **given["matcher"]}
    assert made["action"] == {**NO_ACTION, **given["action"], "respond": {**NO_ANSWER, **given["action"]["respond"]}}
    assert {name: made[name] for name in ("id", "name")} == {"id": "ovr_new", "name": "Größe"}
    assert {name: made[name] for name in ("priority", "tags", "chain", "session")} == {
        "priority": 0, "tags": [], "chain": "", "session": "",
    }  # fmt: skip
    assert (made["state"], made["active"], made["scenario"], made["managedBy"]) == ("draft", False, "", "")
    assert made["createdAt"] == made["updatedAt"]
    assert operator.do("GetMock", mockId="ovr_new") == made


def test_bytes_and_text_are_read_back_as_they_were(operator: Operator) -> None:
    bodies: list[dict[str, Json]] = [{"binary": "AP/+"}, {"text": "Grüße\n"}, {"json": 12345678901234567890}]
    for number, body in enumerate(bodies):
        mock = {"id": f"ovr_{number}", "name": "a", "action": {"respond": {"status": 200, **body}}}
        assert operator.do("CreateMock", mock=mock)["action"]["respond"] == {**NO_ANSWER, "status": 200, **body}


def test_a_draft_answers_nobody_and_a_published_mock_where_it_is_switched_on(
    operator: Operator, rest: RestDoor, auth: str, app: App
) -> None:
    operator.do("CreateMock", mock={"id": "ovr_a", "name": "a", "matcher": CART, "action": answering("mine")})
    assert rest.on(auth, "ci-42", "ovr_a").code == "invalid_override"
    assert operator.ask("ActivateMock", mockId="ovr_a").code == "invalid_override"
    assert app.cart("ci-42") == "real"

    published = operator.do("PublishMock", mockId="ovr_a")

    assert published["state"] == "published"
    assert app.cart("ci-42") == "real"
    assert rest.on(auth, "ci-42", "ovr_a").code == ""
    assert (app.cart("ci-42"), app.cart("other"), app.cart()) == ("mine", "real", "real")


def test_publishing_again_changes_nothing(operator: Operator) -> None:
    make(operator, "ovr_a")

    assert operator.do("PublishMock", mockId="ovr_a") == operator.do("GetMock", mockId="ovr_a")


def test_an_edit_is_in_force_for_the_next_request(operator: Operator, rest: RestDoor, auth: str, app: App) -> None:
    make(operator, "ovr_a", cart="0")
    rest.on(auth, "ci-42", "ovr_a")

    for number in range(1, 20):
        operator.do("UpdateMock", mockId="ovr_a", mock={"action": answering(str(number))})
        assert app.cart("ci-42") == str(number)


def test_an_edit_sets_what_it_names_and_keeps_the_rest(operator: Operator) -> None:
    make(operator, "ovr_a")
    before = operator.do("GetMock", mockId="ovr_a")

    renamed = operator.do("UpdateMock", mockId="ovr_a", mock={"name": "New name"})
    widened = operator.do("UpdateMock", mockId="ovr_a", mock={"matcher": None})

    assert renamed == {**before, "name": "New name", "updatedAt": renamed["updatedAt"]}
    assert widened.get("matcher", NO_MATCHER) == NO_MATCHER
    assert (widened["name"], widened["action"], widened["state"]) == ("New name", before["action"], "published")


def test_an_unpublished_mock_stops_at_once_and_is_off_when_it_is_published_again(
    operator: Operator, rest: RestDoor, auth: str, app: App
) -> None:
    make(operator, "ovr_a")
    rest.on(auth, "ci-42", "ovr_a")
    operator.do("ActivateMock", mockId="ovr_a")
    assert (app.cart("ci-42"), app.cart()) == ("mine", "mine")

    draft = operator.do("UnpublishMock", mockId="ovr_a")

    assert (draft["state"], draft["active"]) == ("draft", False)
    assert (app.cart("ci-42"), app.cart()) == ("real", "real")
    operator.do("PublishMock", mockId="ovr_a")
    assert (app.cart("ci-42"), app.cart()) == ("real", "real")
    assert rest.get(auth, "ci-42").served["overrides"] == []


def test_a_mock_is_switched_on_and_off_for_everybody(operator: Operator, rest: RestDoor, auth: str, app: App) -> None:
    make(operator, "ovr_a")
    rest.on(auth, "ci-42", "ovr_a")

    assert operator.do("ActivateMock", mockId="ovr_a")["active"] is True
    assert operator.do("ActivateMock", mockId="ovr_a")["active"] is True
    assert (app.cart(), app.cart("unknown")) == ("mine", "mine")

    assert operator.do("DeactivateMock", mockId="ovr_a")["active"] is False
    assert operator.do("DeactivateMock", mockId="ovr_a")["active"] is False
    assert (app.cart(), app.cart("ci-42")) == ("real", "mine")


def test_a_deleted_mock_is_gone_from_sessions_scenarios_and_the_environment(
    operator: Operator, rest: RestDoor, auth: str, app: App
) -> None:
    make(operator, "ovr_a")
    operator.do("CreateScenario", scenario={"id": "scn_a", "name": "A", "mocks": ["ovr_a", "ovr_pay"]})
    operator.do("ActivateMock", mockId="ovr_a")
    rest.put(auth, "by-itself", {"overrides": ["ovr_a", "ovr_pay"]})
    rest.put(auth, "by-scenario", {"scenario": "scn_a"})
    assert [app.cart(key) for key in ("by-itself", "by-scenario", None)] == ["mine", "mine", "mine"]

    assert operator.do("DeleteMock", mockId="ovr_a") == {}

    assert [app.cart(key) for key in ("by-itself", "by-scenario", None)] == ["real", "real", "real"]
    assert rest.get(auth, "by-itself").served["overrides"] == ["ovr_pay"]
    assert rest.get(auth, "by-scenario").served["scenario"] == "scn_a"
    assert operator.do("GetScenario", scenarioId="scn_a")["mocks"] == ["ovr_pay"]
    assert operator.ask("GetMock", mockId="ovr_a").code == "not_found"


def test_a_draft_of_an_editor_is_there_for_the_editor_and_admins_alone(
    operator: Operator, place: MadePlace, make_key: Callable[..., str]
) -> None:
    editor = Operator(operator.door, make_key(ROLE_EDITOR, project=place.project), place.project)
    other = Operator(operator.door, make_key(ROLE_EDITOR, project=place.project), place.project)
    editor.do("CreateMock", mock={"id": "ovr_mine", "name": "Mine"})

    seen = [each["id"] for each in other.do("ListMocks", search="ovr_mine")["mocks"]]

    assert seen == []
    assert other.ask("GetMock", mockId="ovr_mine").code == "not_found"
    assert [each["id"] for each in editor.do("ListMocks", search="ovr_mine")["mocks"]] == ["ovr_mine"]
    assert operator.do("GetMock", mockId="ovr_mine")["name"] == "Mine"


# From a log to a mock


def test_a_recorded_exchange_becomes_a_mock_that_answers_the_same(
    operator: Operator, rest: RestDoor, auth: str, app: App
) -> None:
    real = app.send("GET", "/api/c%C3%A4rt/:id?currency=EUR&x=1%2B1", "ci-42")
    (log,) = rest.logs(auth, "ci-42").served["logs"]

    draft = operator.do("CreateMockFromLog", logId=log["id"], mockId="ovr_recorded")

    assert (draft["id"], draft["state"], draft["name"]) == ("ovr_recorded", "draft", "GET /api/c%C3%A4rt/:id")
    operator.do("PublishMock", mockId="ovr_recorded")
    rest.on(auth, "ci-42", "ovr_recorded")
    mocked = app.send("GET", "/api/c%C3%A4rt/:id?x=1%2B1&currency=EUR&more=1", "ci-42")
    assert (mocked.status_code, mocked.content) == (real.status_code, real.content)
    assert mocked.headers["content-type"] == real.headers["content-type"]
    rows = rest.logs(auth, "ci-42").served["logs"]
    assert [row["overrideId"] for row in rows] == ["ovr_recorded", None]
    app.send("GET", "/api/c%C3%A4rt/other?currency=EUR&x=1%2B1", "ci-42")
    assert rest.logs(auth, "ci-42").served["logs"][0]["overrideId"] is None


def test_the_name_of_a_mock_made_of_a_log_can_be_chosen(
    operator: Operator, rest: RestDoor, auth: str, app: App
) -> None:
    app.pay("ci-42")
    (log,) = rest.logs(auth, "ci-42").served["logs"]

    first = operator.do("CreateMockFromLog", logId=log["id"], name="As on Tuesday")
    second = operator.do("CreateMockFromLog", logId=log["id"])

    assert (first["name"], second["name"]) == ("As on Tuesday", "POST /api/pay")
    assert first["id"] != second["id"]
    assert first["action"] == second["action"]


# Scenarios


def test_a_scenario_acts_with_its_mocks_and_those_that_are_its_own(
    operator: Operator, rest: RestDoor, auth: str, app: App
) -> None:
    made = operator.do("CreateScenario", scenario={"id": "scn_a", "name": "All is mocked", "mocks": ["ovr_cart"]})
    assert (made["urlId"], made["mocks"], made["localMocks"]) == ("all-is-mocked", ["ovr_cart"], [])
    pay = {"id": "ovr_own", "name": "Own", "scenario": "scn_a", "matcher": {"method": "POST", "path": "/api/pay"}}
    operator.do("CreateMock", mock={**pay, "action": {"respond": {"status": 402}}})
    operator.do("PublishMock", mockId="ovr_own")

    rest.put(auth, "ci-42", {"scenario": "scn_a"})

    assert (app.cart("ci-42"), app.pay("ci-42").status_code) == ("mocked", 402)
    assert operator.do("GetScenario", scenarioId="scn_a")["localMocks"] == ["ovr_own"]
    assert operator.ask("ActivateMock", mockId="ovr_own").code == "invalid_override"


def test_a_change_of_a_scenario_is_in_force_for_sessions_in_it(
    operator: Operator, rest: RestDoor, auth: str, app: App
) -> None:
    rest.put(auth, "ci-42", {"scenario": "scn_empty"})
    assert app.cart("ci-42") == "mocked"

    changed = operator.do("UpdateScenario", scenarioId="scn_empty", scenario={"mocks": [], "urlId": "cart-2"})

    assert (changed["mocks"], changed["urlId"], changed["name"]) == ([], "cart-2", "Empty cart")
    assert app.cart("ci-42") == "real"


def test_a_deleted_scenario_takes_its_own_mocks_and_leaves_its_sessions(
    operator: Operator, rest: RestDoor, auth: str, app: App
) -> None:
    rest.put(auth, "ci-42", {"scenario": "scn_declined", "label": "kept"})
    assert app.pay("ci-42").status_code == 402

    assert operator.do("DeleteScenario", scenarioId="scn_declined") == {}

    session = rest.get(auth, "ci-42").served
    assert (session["scenario"], session["label"]) == (None, "kept")
    assert app.pay("ci-42").status_code == 200
    assert operator.ask("GetMock", mockId="ovr_declined").code == "not_found"
    assert operator.ask("GetScenario", scenarioId="scn_declined").code == "not_found"


def test_scenarios_are_listed_newest_first(operator: Operator) -> None:
    assert [each["id"] for each in operator.do("ListScenarios")["scenarios"]] == ["scn_empty", "scn_declined"]


# Projects and environments


def test_a_project_is_made_read_renamed_and_removed(operator: Operator) -> None:
    slug = f"{operator.project}-new"
    made = operator.do("CreateProject", project={"slug": slug})
    assert (made["slug"], made["name"], made["managedBy"]) == (slug, slug, "")

    renamed = operator.do("UpdateProject", project=slug, changes={"name": "Shop"})

    assert (
        operator.do("GetProject", project=slug)
        == renamed
        == {**made, "name": "Shop", "updatedAt": renamed["updatedAt"]}
    )
    assert [each["name"] for each in operator.do("ListProjects", search=slug)["projects"]] == ["Shop"]
    assert operator.do("DeleteProject", project=slug) == {}
    assert operator.ask("GetProject", project=slug).code == "not_found"


def test_a_project_is_made_and_told_with_its_environments(operator: Operator) -> None:
    slug = f"{operator.project}-new"
    made = operator.do("CreateProject", project={"slug": slug}, environments=["staging", "production"])

    assert made["environments"] == ["production", "staging"]
    assert operator.do("GetProject", project=slug, withEnvironments=True) == made
    (listed,) = operator.do("ListProjects", search=slug, withEnvironments=True)["projects"]
    assert listed["environments"] == made["environments"]
    assert "environments" not in operator.do("GetProject", project=slug)
    operator.do("DeleteProject", project=slug, force=True)


def test_removal_by_force_takes_all_that_is_in_a_project(
    operator: Operator, rest: RestDoor, auth: str, app: App
) -> None:
    rest.put(auth, "ci-42", {})
    assert app.cart() == "real"

    assert operator.do("DeleteProject", force=True) == {}

    assert app.send("GET", "/api/cart").status_code == 404
    assert rest.get(auth, "ci-42").code == "unauthorized"


def test_an_environment_is_made_changed_at_once_and_removed(
    operator: Operator, place: MadePlace, make_app: Callable[..., App]
) -> None:
    upstream = operator.do("GetEnvironment")["upstream"]
    made = operator.do("CreateEnvironment", environment={"slug": "qa", "upstream": upstream, "strict": True})
    app = make_app(place.project, "qa")
    assert app.send("GET", "/api/cart").status_code == 400

    changed = operator.do("UpdateEnvironment", environment="qa", changes={"strict": False, "name": "QA"})

    assert app.cart() == "real"
    assert changed == {**made, "strict": False, "name": "QA", "updatedAt": changed["updatedAt"]}
    assert operator.do("GetEnvironment", environment="qa") == changed
    assert [each["slug"] for each in operator.do("ListEnvironments")["environments"]] == ["qa", "staging"]
    assert operator.do("DeleteEnvironment", environment="qa") == {}
    assert app.send("GET", "/api/cart").status_code == 404


def test_removal_by_force_takes_all_that_is_in_an_environment(operator: Operator, app: App) -> None:
    assert operator.do("DeleteEnvironment", force=True) == {}
    assert app.send("GET", "/api/cart").status_code == 404
    assert operator.ask("GetEnvironment").code == "not_found"


# Keys


def test_a_key_works_from_its_making_to_its_revocation(operator: Operator, place: MadePlace) -> None:
    made = operator.do("CreateKey", name="CI of one test", role="editor", project=place.project)
    key = made["key"]
    assert (key["role"], key["project"], key["environment"], key["active"]) == ("editor", place.project, "", True)
    assert (key["expiresAt"], key["revokedAt"]) == (None, None)
    assert made["text"].startswith(key["hint"])
    editor = Operator(operator.door, f"Bearer {made['text']}", place.project)
    assert editor.do("GetProject")["slug"] == place.project

    revoked = operator.do("RevokeKey", keyId=key["id"])

    assert (revoked["active"], revoked["id"]) == (False, key["id"])
    assert revoked["revokedAt"]
    assert editor.ask("GetProject").code == "unauthorized"
    assert operator.do("RevokeKey", keyId=key["id"]) == revoked
    assert key["id"] in [each["id"] for each in operator.do("ListKeys", search="of one test", active=False)["keys"]]


def test_a_rotated_key_is_the_same_key_with_another_text(operator: Operator, place: MadePlace) -> None:
    made = operator.do("CreateKey", name="rotated", role="editor", project=place.project)
    before = Operator(operator.door, f"Bearer {made['text']}", place.project)
    assert before.do("GetOwnKey")["id"] == made["key"]["id"]

    rotated = operator.do("RotateKey", keyId=made["key"]["id"])

    assert rotated["text"] != made["text"]
    assert rotated["key"]["id"] == made["key"]["id"]
    assert before.ask("GetOwnKey").code == "unauthorized"
    after = Operator(operator.door, f"Bearer {rotated['text']}", place.project)
    assert (after.do("GetOwnKey")["role"], after.do("GetProject")["slug"]) == ("editor", place.project)
    operator.do("RevokeKey", keyId=made["key"]["id"])


# Manifests and the server


def declared(operator: Operator, **environment: Json) -> dict[str, Json]:
    """A manifest of a project of its own, with one environment."""
    slug = f"{operator.project}-declared"
    return {"source": f"{slug}.yaml", "projects": {slug: {"environments": {"staging": environment}}}}


def test_a_manifest_makes_what_it_declares_and_removes_what_it_declares_no_more(
    operator: Operator, place: MadePlace, make_app: Callable[..., App]
) -> None:
    upstream = operator.do("GetEnvironment")["upstream"]
    mocks = {"ovr_cart": {"name": "Cart", "matcher": CART, "action": answering("declared")}}
    scenarios = {"scn_cart": {"name": "Cart", "mocks": ["ovr_cart"]}}
    full = declared(operator, upstream=upstream, mocks=mocks, scenarios=scenarios)
    app = make_app(f"{place.project}-declared", "staging")

    planned = operator.do("ApplyManifest", manifest=full, validateOnly=True)
    assert app.send("GET", "/api/cart").status_code == 404
    applied = operator.do("ApplyManifest", manifest=full)

    assert applied["changes"] == planned["changes"]
    assert [(each["kind"], each["resource"], each["id"]) for each in applied["changes"]] == [
        ("create", "project", ""),
        ("create", "environment", ""),
        ("create", "mock", "ovr_cart"),
        ("create", "scenario", "scn_cart"),
    ]
    assert operator.do("ApplyManifest", manifest=full) == {
        "changes": [],
        "digest": applied["digest"],
        "counts": [],
    }
    there = Operator(operator.door, operator.auth, f"{place.project}-declared")
    assert there.do("GetMock", mockId="ovr_cart")["managedBy"] == full["source"]
    there.do("ActivateMock", mockId="ovr_cart")
    assert app.cart() == "declared"

    emptied = operator.do("ApplyManifest", manifest=declared(operator, upstream=upstream))

    assert [(each["kind"], each["id"]) for each in emptied["changes"]] == [
        ("delete", "ovr_cart"),
        ("delete", "scn_cart"),
    ]
    assert app.cart() == "real"


def test_a_change_is_told_field_by_field(operator: Operator) -> None:
    operator.do("ApplyManifest", manifest=declared(operator, mocks={"ovr_a": {"action": {"respond": {"status": 402}}}}))

    answer = operator.do(
        "ApplyManifest", manifest=declared(operator, mocks={"ovr_a": {"action": {"respond": {"status": 409}}}})
    )

    (change,) = answer["changes"]
    assert (change["kind"], change["id"]) == ("update", "ovr_a")
    assert change["fields"] == [{"path": "action.respond.status", "before": 402, "after": 409}]


def test_what_a_source_declares_is_dumped_and_released(operator: Operator) -> None:
    manifest = declared(operator, mocks={"ovr_a": {"name": "A", "matcher": CART}})
    slug = f"{operator.project}-declared"
    operator.do("ApplyManifest", manifest=manifest)

    dumped = operator.do("DumpManifest", source=manifest["source"])

    assert dumped["source"] == manifest["source"]
    environment = dumped["projects"][slug]["environments"]["staging"]
    assert environment["mocks"]["ovr_a"]["matcher"] == {**NO_MATCHER, **CART}
    assert operator.do("DumpManifest", project=slug)["projects"][slug] == dumped["projects"][slug]
    assert operator.do("ReleaseManifest", source=manifest["source"]) == {"released": 3}
    there = Operator(operator.door, operator.auth, slug)
    assert there.do("GetMock", mockId="ovr_a")["managedBy"] == ""
    assert there.do("UpdateMock", mockId="ovr_a", mock={"name": "Mine now"})["name"] == "Mine now"


def test_a_project_key_dumps_its_project_alone(
    operator: Operator, place: MadePlace, make_key: Callable[..., str]
) -> None:
    narrow = Operator(operator.door, make_key(ROLE_ADMIN, project=place.project), place.project)

    dumped = narrow.do("DumpManifest")

    assert list(dumped["projects"]) == [place.project]
    assert set(dumped["projects"][place.project]["environments"]["staging"]["scenarios"]) == {
        "scn_declined",
        "scn_empty",
    }


def test_the_status_tells_where_the_server_listens_and_how_much_there_is(operator: Operator, place: MadePlace) -> None:
    before = operator.do("GetStatus")
    operator.do("CreateMock", mock={"id": "ovr_counted", "name": "a"})
    after = operator.do("GetStatus")

    assert before["healthy"] is True
    assert [each["ok"] for each in before["checks"]] == [True] * len(before["checks"])
    assert {(each["kind"], each["address"]) for each in before["listeners"]} == {
        ("grpc", place.server.grpc),
        ("rest", place.server.rest),
        ("proxy", place.server.proxy),
    }
    counts = [each["counts"] for each in (before, after)]
    assert [counts[1][name] - counts[0][name] for name in ("mocks", "drafts", "scenarios")] == [1, 1, 0]
    assert after["store"]["version"] > before["store"]["version"]
