"""The form as one who fills it in sees it, and what it sends."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from support.assertive_admin_stage import Stage, stub_view
from support.devtools import Page

OpenPage = Callable[[str], Page]

FORM = "/__admin__/stubs/new"
API = "/__mock__/stubs"

STATUS = {"status_code": 200, "headers": {}, "body": ""}


@dataclass(frozen=True)
class Filled:
    """What one fills in, and the payload that it makes. ``matched`` and ``detailed`` are fields of steps 1 and 3."""

    sent: dict[str, Any]
    action: str = "response"
    matched: dict[str, str] = field(default_factory=dict)
    detailed: dict[str, str] = field(default_factory=dict)


CASES = {
    "nothing": Filled({"request": {}, "action": {"response": STATUS}}),
    "a path and a method": Filled(
        {"request": {"method": "POST", "path": "/users/{id}"}, "action": {"response": STATUS}},
        matched={"ui-request-method": "POST", "ui-request-path": "/users/{id}"},
    ),
    "everything that can be matched": Filled(
        {
            "request": {
                "path": {"$regex": {"pattern": "^/users/[0-9]+$"}},
                "host": "api.example.com",
                "query": {"page": "2", "flag": "", "eq": "a=b"},
                "headers": {"x-team": "qa", "accept": "a: b"},
                "body": "exactly\nthis ",
            },
            "action": {"response": STATUS},
            "max_calls": 2,
        },
        matched={
            "ui-request-path-kind": "regex",
            "ui-request-path": "^/users/[0-9]+$",
            "ui-request-host": "api.example.com",
            "ui-request-query": "page=2\n\nflag\neq=a=b",
            "ui-request-headers": "X-Team: qa\nAccept:a: b",
            "ui-request-body": "exactly\nthis ",
            "ui-max-calls": "2",
        },
    ),
    "a body that is JSON": Filled(
        {
            "request": {"body": {"$json": {"inner_criteria": {"$eq": {"value": {"a": [1, None]}}}}}},
            "action": {"response": STATUS},
        },
        matched={"ui-request-body-kind": "json", "ui-request-body": '{"a": [1, null]}'},
    ),
    "a body by a criterion": Filled(
        {"request": {"body": {"$length": {"value": 3}}}, "action": {"response": STATUS}},
        matched={"ui-request-body-kind": "criterion", "ui-request-body": '{"$length": {"value": 3}}'},
    ),
    "a text as answer": Filled(
        {
            "request": {},
            "action": {
                "response": {"status_code": 404, "headers": {"Content-Type": "text/plain"}, "body": "<b> is no text"}
            },
        },
        detailed={
            "ui-response-status": "404",
            "ui-response-headers": "Content-Type: text/plain",
            "ui-response-body": "<b> is no text",
        },
    ),
    "JSON as answer": Filled(
        {"request": {}, "action": {"response": STATUS | {"body": {"id": 7, "tags": []}}}},
        detailed={"ui-response-body-kind": "json", "ui-response-body": '{"id": 7, "tags": []}'},
    ),
    "a template as answer": Filled(
        {
            "request": {},
            "action": {
                "response": {"status_code": 200, "headers": {}, "template_body": "Hi {{ request.path_params.id }}"}
            },
        },
        detailed={"ui-response-body-kind": "template", "ui-response-body": "Hi {{ request.path_params.id }}"},
    ),
    "chaos": Filled(
        {
            "request": {},
            "action": {"response": STATUS},
            "chaos": {
                "latency": {"base_ms": 100, "jitter_ms": 25},
                "faults": {"connection_drop": {"probability": 0.5}},
            },
        },
        detailed={
            "ui-chaos-delay-ms": "100",
            "ui-chaos-jitter-ms": "25",
            "ui-chaos-drop-probability": "0.5",
        },
    ),
    "a delay alone": Filled(
        {"request": {}, "action": {"response": STATUS}, "chaos": {"latency": {"base_ms": 100}}},
        detailed={"ui-chaos-delay-ms": "100"},
    ),
    "a proxy": Filled(
        {"request": {}, "action": {"proxy": {"url": "http://127.0.0.1:9/x"}}},
        action="proxy",
        detailed={"ui-proxy-url": " http://127.0.0.1:9/x "},
    ),
    "a proxy with everything": Filled(
        {
            "request": {},
            "action": {
                "proxy": {"url": "http://127.0.0.1:9/x", "headers": {"Authorization": "Bearer a"}, "timeout": 3}
            },
        },
        action="proxy",
        detailed={
            "ui-proxy-url": "http://127.0.0.1:9/x",
            "ui-proxy-headers": "Authorization: Bearer a",
            "ui-proxy-timeout": "3",
        },
    ),
    "one event": Filled(
        {"request": {}, "action": {"sse": {"events": [{"data": "first"}]}}},
        action="sse",
        detailed={"ui-sse-0-data": "first"},
    ),
    "an event with everything": Filled(
        {
            "request": {},
            "action": {
                "sse": {
                    "events": [{"data": "a\nb", "event": "tick", "id": "7", "retry": 500, "delay_ms": 10}],
                    "default_delay_ms": 20,
                }
            },
        },
        action="sse",
        detailed={
            "ui-sse-default-delay-ms": "20",
            "ui-sse-0-data": "a\nb",
            "ui-sse-0-event": "tick",
            "ui-sse-0-id": "7",
            "ui-sse-0-retry": "500",
            "ui-sse-0-delay-ms": "10",
        },
    ),
    "names that objects have already": Filled(
        {
            "request": {"query": {"__proto__": "a", "constructor": "b"}},
            "action": {"response": STATUS},
        },
        matched={"ui-request-query": "__proto__=a\nconstructor=b"},
    ),
}


def fill(page: Page, fields: dict[str, str]) -> None:
    for name, value in fields.items():
        if page.run(f"document.getElementById('{name}').tagName") == "SELECT":
            page.choose(f"#{name}", value)
        else:
            page.fill(f"#{name}", value)


def step(page: Page) -> int:
    """The step that is seen, and no other."""
    seen = page.run(
        "[...document.querySelectorAll('[data-step]')].filter((each) => each.offsetParent).map((each) => each.id)"
    )
    assert len(seen) == 1
    return int(seen[0].removeprefix("step-"))


def reach(page: Page, filled: Filled) -> None:
    """Fill in all steps, up to the last."""
    fill(page, filled.matched)
    page.click("#ui-next")
    page.click(f"#ui-action-{filled.action}")
    page.click("#ui-next")
    page.run("document.querySelector('#ui-chaos').open = true")
    fill(page, filled.detailed)
    page.click("#ui-next")
    assert step(page) == 4


def create(page: Page) -> None:
    page.click("#ui-create")


def problems(page: Page) -> dict[str, str]:
    """What is said at each control that is marked as wrong."""
    found: dict[str, str] = page.run(
        "Object.fromEntries([...document.querySelectorAll('[aria-invalid=true]')]"
        ".map((each) => [each.id, document.getElementById(`${each.id}-problem`).textContent]))"
    )
    return found


@pytest.mark.parametrize("name", CASES)
def test_what_is_filled_in_is_sent(open_page: OpenPage, stage: Stage, name: str) -> None:
    page = open_page(FORM)
    reach(page, CASES[name])
    preview = page.run("document.querySelector('#ui-preview').textContent")
    create(page)
    (call,) = stage.wait_for("POST", API)
    assert call.json() == CASES[name].sent
    assert call.headers["content-type"] == "application/json"
    assert call.body == preview


def test_json_is_sent_as_it_was_typed(open_page: OpenPage, stage: Stage) -> None:
    typed = '{"n": 1.0, "id": 12345678901234567890, "s": "a\\u0062"}'
    page = open_page(FORM)
    reach(page, Filled({}, detailed={"ui-response-body-kind": "json", "ui-response-body": typed}))
    create(page)
    (call,) = stage.wait_for("POST", API)
    assert typed in call.body


def test_json_of_several_lines_stays_json_in_the_preview(open_page: OpenPage, stage: Stage) -> None:
    page = open_page(FORM)
    reach(
        page, Filled({}, detailed={"ui-response-body-kind": "json", "ui-response-body": '{\n  "a": [\n    1\n  ]\n}\n'})
    )
    assert json.loads(page.text("#ui-preview"))["action"]["response"]["body"] == {"a": [1]}
    assert '\n      "body": {\n        "a": [' in page.run("document.querySelector('#ui-preview').textContent")


def test_the_id_of_a_new_stub_is_shown_and_leads_to_it(open_page: OpenPage, stage: Stage) -> None:
    page = open_page(FORM)
    reach(page, CASES["nothing"])
    create(page)
    page.until("document.querySelector('#ui-created').offsetParent")
    assert not page.run("document.querySelector('#stub-form').offsetParent")
    assert page.text("#ui-created-link") == "made-0"
    assert page.run("document.activeElement.textContent") == "Stub created"
    page.click("#ui-created-link")
    page.until("location.pathname === '/__admin__/stubs/made-0' && document.readyState === 'complete'")
    assert page.text("h1") == "Stub Detail"


def test_a_stub_is_made_in_the_scope_that_the_address_names(open_page: OpenPage, stage: Stage) -> None:
    stage.scopes = ["ci", "qa"]
    page = open_page(f"{FORM}?scope=qa")
    reach(page, CASES["nothing"])
    assert "in scope qa" in page.text("#step-4")
    create(page)
    (call,) = stage.wait_for("POST", API)
    assert call.headers["qa"] == "1"
    assert "ci" not in call.headers


def test_a_scope_that_no_browser_can_name_is_refused(open_page: OpenPage, stage: Stage) -> None:
    stage.scopes = ["cookie"]
    page = open_page(FORM)
    reach(page, Filled({}, matched={"ui-scope": "cookie"}))
    create(page)
    page.until("document.querySelector('#ui-scope-problem').textContent")
    assert step(page) == 1
    assert not stage.of("POST", API)


def test_common_headers_are_added_to_their_own_field(open_page: OpenPage) -> None:
    page = open_page(FORM)
    page.fill("#ui-request-headers", "x-team: qa")
    page.click("[data-target-textarea=ui-request-headers]")
    assert page.value("#ui-request-headers") == "x-team: qa\nContent-Type: application/json"
    assert page.value("#ui-response-headers") == page.value("#ui-proxy-headers") == ""
    assert page.run("document.activeElement.id") == "ui-request-headers"


def test_a_common_header_takes_the_place_of_the_one_of_its_name(open_page: OpenPage) -> None:
    page = open_page(FORM)
    page.fill("#ui-request-headers", "content-type: text/plain\nx-team: qa")
    page.click("[data-target-textarea=ui-request-headers]")
    assert page.value("#ui-request-headers") == "Content-Type: application/json\nx-team: qa"


def test_enter_leads_to_the_next_step_and_makes_nothing(open_page: OpenPage, stage: Stage) -> None:
    page = open_page(FORM)
    page.fill("#ui-request-path", "/a")
    page.press("Enter")
    assert step(page) == 2
    page.run("document.querySelector('#ui-action-response').focus()")
    page.press("Enter")
    assert step(page) == 3
    page.fill("#ui-response-status", "201")
    page.press("Enter")
    assert step(page) == 4
    page.run("fetch('/__admin__/assets/admin.css')")
    assert not stage.of("POST", API)


def test_one_can_go_back_and_finds_what_one_typed(open_page: OpenPage) -> None:
    page = open_page(FORM)
    reach(page, CASES["a path and a method"])
    page.click("#ui-back")
    assert step(page) == 3
    page.click("[data-goto='1']")
    assert step(page) == 1
    assert page.value("#ui-request-path") == "/users/{id}"
    assert page.run("document.querySelector('[aria-current=step]').textContent") == "Match"


@pytest.mark.parametrize("kind", ["response", "proxy", "sse"])
def test_only_the_fields_of_the_chosen_action_are_seen(open_page: OpenPage, kind: str) -> None:
    page = open_page(FORM)
    page.click("#ui-next")
    page.click(f"#ui-action-{kind}")
    page.click("#ui-next")
    parts = "[...document.querySelectorAll('[data-action]')].filter((each) => each.offsetParent)"
    seen = page.run(f"{parts}.map((each) => each.dataset.action)")
    assert seen == [kind]


def test_whoever_writes_a_body_means_it_to_be_matched(open_page: OpenPage) -> None:
    page = open_page(FORM)
    page.fill("#ui-request-body", "a")
    assert page.value("#ui-request-body-kind") == "text"


@pytest.mark.parametrize(
    ("fields", "place", "text"),
    [
        ({"ui-request-headers": "no colon"}, "ui-request-headers", "has no colon"),
        ({"ui-request-headers": "a b: c"}, "ui-request-headers", "cannot be the name of a header"),
        ({"ui-request-headers": "A: 1\na: 2"}, "ui-request-headers", "given twice"),
        ({"ui-request-query": "a=1\na=2"}, "ui-request-query", "given twice"),
        ({"ui-request-body-kind": "json", "ui-request-body": "{"}, "ui-request-body", "This is not JSON"),
        ({"ui-max-calls": "0"}, "ui-max-calls", ""),
        ({"ui-max-calls": "1.5"}, "ui-max-calls", ""),
    ],
)
def test_what_cannot_be_sent_is_said_at_its_field_before_one_goes_on(
    open_page: OpenPage, fields: dict[str, str], place: str, text: str
) -> None:
    page = open_page(FORM)
    fill(page, fields)
    page.click("[data-goto='4']")
    assert step(page) == 1
    assert list(problems(page)) == [place]
    assert text in problems(page)[place]
    assert page.run("document.activeElement.id") == place
    assert page.text("#ui-form-problem") == "One field needs a look."


def test_a_problem_goes_away_when_one_sees_to_it(open_page: OpenPage) -> None:
    page = open_page(FORM)
    page.fill("#ui-request-headers", "no colon")
    page.click("#ui-next")
    page.fill("#ui-request-headers", "a: colon")
    assert problems(page) == {}
    page.click("#ui-next")
    assert step(page) == 2
    assert page.text("#ui-form-problem") == ""


def test_a_step_between_that_is_not_done_is_not_skipped(open_page: OpenPage) -> None:
    page = open_page(FORM)
    page.click("[data-goto='2']")
    page.click("#ui-action-proxy")
    page.click("[data-goto='4']")
    assert step(page) == 3
    assert list(problems(page)) == ["ui-proxy-url"]


def error(*loc: str | int, msg: str = "Not like this") -> dict[str, Any]:
    return {"type": "value_error", "loc": ["body", *loc], "msg": msg, "input": None}


@pytest.mark.parametrize(
    ("filled", "loc", "place", "at"),
    [
        (CASES["a path and a method"], ("request", "path"), "ui-request-path", 1),
        (CASES["a body by a criterion"], ("request", "body", "$length", "value"), "ui-request-body", 1),
        (CASES["nothing"], ("max_calls",), "ui-max-calls", 1),
        (CASES["nothing"], ("action", "response", "status_code"), "ui-response-status", 3),
        (CASES["nothing"], ("action", "response", "headers", "x"), "ui-response-headers", 3),
        (CASES["a template as answer"], ("action", "response", "template_body"), "ui-response-body", 3),
        (CASES["nothing"], ("action", "response"), "ui-response-body-kind", 3),
        (CASES["a proxy"], ("action", "proxy", "timeout"), "ui-proxy-timeout", 3),
        (CASES["one event"], ("action", "sse", "events", 0, "data"), "ui-sse-0-data", 3),
        (CASES["chaos"], ("chaos", "latency", "base_ms"), "ui-chaos-delay-ms", 3),
    ],
)
def test_what_the_server_refuses_is_said_at_its_field(
    open_page: OpenPage, stage: Stage, filled: Filled, loc: tuple[str | int, ...], place: str, at: int
) -> None:
    page = open_page(FORM)
    reach(page, filled)
    page.run("document.querySelector('#ui-chaos').open = false")
    stage.refuse("POST", API, 422, {"detail": [error(*loc, msg="Value error, Not like this")]})
    create(page)
    page.until("document.querySelector('[aria-invalid=true]')")
    assert problems(page) == {place: "Not like this"}
    assert step(page) == at
    assert page.run("document.activeElement.id") == place


def test_several_refusals_are_all_said_and_lead_to_the_first(open_page: OpenPage, stage: Stage) -> None:
    page = open_page(FORM)
    reach(page, CASES["nothing"])
    details = [
        error("action", "response", "status_code", msg="Three."),
        error("request", "host", msg="One."),
        error("odd", msg="Odd"),
    ]
    stage.refuse("POST", API, 422, {"detail": details})
    create(page)
    page.until("document.querySelector('[aria-invalid=true]')")
    assert problems(page) == {"ui-request-host": "One.", "ui-response-status": "Three."}
    assert step(page) == 1
    assert page.text("#ui-form-problem").split("\n\n") == ["odd: Odd", "2 fields need a look."]


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (400, {"detail": "Multiple scope headers matched this request"}, "Multiple scope headers matched this request"),
        (502, "<html>Bad gateway</html>", "The server answered 502."),
    ],
)
def test_any_other_refusal_is_said_above_the_form(
    open_page: OpenPage, stage: Stage, status: int, body: Any, text: str
) -> None:
    page = open_page(FORM)
    reach(page, CASES["nothing"])
    stage.refuse("POST", API, status, body)
    create(page)
    page.until("document.querySelector('#ui-form-problem').textContent")
    assert page.text("#ui-form-problem") == text
    # Nothing is lost: the next attempt works.
    create(page)
    page.until("document.querySelector('#ui-created').offsetParent")


def test_a_server_that_is_away_is_told_and_one_can_try_again(open_page: OpenPage, stage: Stage) -> None:
    page = open_page(FORM)
    reach(page, CASES["nothing"])
    stage.silent = True
    create(page)
    page.until("document.querySelector('#ui-form-problem').textContent")
    assert "cannot be reached" in page.text("#ui-form-problem")
    stage.silent = False
    create(page)
    page.until("document.querySelector('#ui-created').offsetParent")


def test_events_are_added_and_removed_and_numbered_in_order(open_page: OpenPage, stage: Stage) -> None:
    page = open_page(FORM)
    page.click("[data-goto='2']")
    page.click("#ui-action-sse")
    page.click("#ui-next")
    page.fill("#ui-sse-0-data", "first")
    for number, data in ((1, "second"), (2, "third")):
        page.click("#ui-sse-add")
        assert page.run("document.activeElement.id") == f"ui-sse-{number}-data"
        page.fill(f"#ui-sse-{number}-data", data)
    page.click("#ui-sse-events > .event:nth-child(2) [data-remove]")
    assert page.run("[...document.querySelectorAll('#ui-sse-events legend')].map((each) => each.textContent)") == [
        "Event 1",
        "Event 2",
    ]
    page.click("#ui-next")
    stage.refuse("POST", API, 422, {"detail": [error("action", "sse", "events", 1, "data")]})
    create(page)
    page.until("document.querySelector('[aria-invalid=true]')")
    assert stage.of("POST", API)[0].json()["action"] == {"sse": {"events": [{"data": "first"}, {"data": "third"}]}}
    assert problems(page) == {"ui-sse-1-data": "Not like this"}
    assert page.value("#ui-sse-1-data") == "third"


def test_the_last_event_cannot_be_removed(open_page: OpenPage) -> None:
    page = open_page(FORM)
    page.click("[data-goto='2']")
    page.click("#ui-action-sse")
    page.click("#ui-next")
    assert page.run("document.querySelector('#ui-sse-events [data-remove]').hidden")


def test_an_id_that_is_no_plain_text_leads_to_its_stub(open_page: OpenPage, stage: Stage) -> None:
    page = open_page(FORM)
    reach(page, CASES["nothing"])
    stage.stubs.append(stub_view("a/<b>?"))
    stage.refuse("POST", API, 200, {"success": True, "stub_id": "a/<b>?"})
    create(page)
    page.until("document.querySelector('#ui-created').offsetParent")
    assert page.text("#ui-created-link") == "a/<b>?"
    page.click("#ui-created-link")
    page.until("location.pathname === '/__admin__/stubs/a%2F%3Cb%3E%3F' && document.readyState === 'complete'")
    assert page.text("h1") == "Stub Detail"
