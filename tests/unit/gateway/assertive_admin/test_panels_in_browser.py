"""The panels as one who watches them sees them: they renew themselves, and leave alone what one is doing."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from support.assertive_admin_stage import Stage, request_view, stub_view
from support.devtools import Page
from understudy_gateway.dialects.assertive_admin.panels import stubs_panel

OpenPage = Callable[[str], Page]

STUBS = "/__admin__/partials/stubs"
REQUESTS = "/__admin__/partials/requests"
SCOPES = "/__admin__/partials/scopes"


def rows(page: Page, panel: str) -> list[str]:
    """The keys of the rows of a panel."""
    found: list[str] = page.run(f"[...document.querySelectorAll('#{panel} [data-key]')].map((row) => row.dataset.key)")
    return found


def settled(page: Page) -> None:
    """Wait until no answer is on its way, so that what a test changes then comes after it."""
    page.until("!document.querySelector('[aria-busy]')")


def tick(page: Page) -> None:
    """Let three seconds pass."""
    page.run("tick()")
    settled(page)


def confirm(page: Page) -> None:
    page.until("document.querySelector('dialog[open]')")
    page.click("dialog [value=yes]")


def test_panels_renew_themselves_every_three_seconds(open_page: OpenPage, stage: Stage) -> None:
    page = open_page("/__admin__")
    assert page.run("intervals.map(({ms}) => ms)") == [3000, 3000, 3000]
    settled(page)
    stage.stubs.append(stub_view("late-stub"))
    stage.requests.append(request_view("/late-request"))
    stage.scopes.append("late-scope")
    tick(page)
    assert "late-stub" in page.text("#stubs-panel")
    assert "/late-request" in page.text("#requests-panel")
    assert "late-scope" in page.text("#scopes-panel")


def test_panels_are_asked_for_as_soon_as_the_page_is_loaded(open_page: OpenPage, stage: Stage) -> None:
    open_page("/__admin__")
    for path in (STUBS, REQUESTS, SCOPES):
        stage.wait_for("GET", path)


def test_a_new_request_leaves_the_others_as_they_are(open_page: OpenPage, stage: Stage) -> None:
    stage.requests = [request_view("/a"), request_view("/b"), request_view("/a")]
    page = open_page("/__admin__")
    settled(page)
    page.run("document.querySelectorAll('#requests-panel details')[1].open = true")
    page.run("document.querySelectorAll('#requests-panel tbody tr').forEach((row, at) => { row.before_it = at; })")
    page.run("getSelection().selectAllChildren(document.querySelectorAll('#requests-panel summary')[1])")
    stage.requests.append(request_view("/a"))
    tick(page)
    assert page.run("document.querySelectorAll('#requests-panel tbody tr').length === 4")
    assert page.run(
        "[...document.querySelectorAll('#requests-panel tbody tr')].map((row) => row.before_it ?? null)"
    ) == [
        None,
        0,
        1,
        2,
    ]
    assert page.run("[...document.querySelectorAll('#requests-panel details')].map((each) => each.open)") == [
        False,
        False,
        True,
        False,
    ]
    assert page.run("String(getSelection())") == "/b"


def test_what_one_types_stays_while_the_panel_changes(open_page: OpenPage, stage: Stage) -> None:
    page = open_page("/__admin__")
    settled(page)
    page.fill("#ui-scope-name", "half-ty")
    stage.scopes.append("other")
    tick(page)
    assert page.run("document.querySelectorAll('#scopes-panel li').length") == 1
    assert page.value("#ui-scope-name") == "half-ty"
    assert page.run("document.activeElement.id") == "ui-scope-name"


def test_the_focus_stays_on_a_button_whose_row_moves(open_page: OpenPage, stage: Stage) -> None:
    stage.stubs = [stub_view("a"), stub_view("b"), stub_view("c")]
    page = open_page("/__admin__")
    settled(page)
    page.run("document.querySelector('[aria-label=\"Delete stub b\"]').focus()")
    stage.stubs = [stub_view("new"), stub_view("b"), stub_view("c", request={"path": "/changed"})]
    tick(page)
    assert page.run("document.querySelector('#stubs-panel').innerText.includes('/changed')")
    assert rows(page, "stubs-panel") == ["new", "b", "c"]
    assert page.run("document.activeElement.ariaLabel") == "Delete stub b"


def test_a_page_that_nobody_sees_asks_for_nothing(open_page: OpenPage, stage: Stage) -> None:
    page = open_page("/__admin__")
    settled(page)
    before = len(stage.of("GET", STUBS))
    page.run("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    for _ in range(3):
        tick(page)
    assert len(stage.of("GET", STUBS)) == before
    stage.stubs.append(stub_view("meanwhile"))
    page.run("delete document.hidden, document.dispatchEvent(new Event('visibilitychange'))")
    page.until("document.querySelector('#stubs-panel').innerText.includes('meanwhile')")


def test_updates_can_be_paused(open_page: OpenPage, stage: Stage) -> None:
    page = open_page("/__admin__")
    settled(page)
    page.click("#pause")
    before = len(stage.of("GET", STUBS))
    for _ in range(3):
        tick(page)
    assert len(stage.of("GET", STUBS)) == before
    assert page.run("document.querySelector('#pause').ariaPressed") == "true"
    page.click("#pause")
    stage.wait_for("GET", STUBS, before + 1)


def test_a_server_that_is_away_is_told_and_what_was_shown_stays(open_page: OpenPage, stage: Stage) -> None:
    stage.stubs = [stub_view("one")]
    page = open_page("/__admin__")
    settled(page)
    stage.silent = True
    tick(page)
    assert page.run("!document.querySelector('#offline').hidden")
    assert "cannot be reached" in page.text("#offline")
    assert rows(page, "stubs-panel") == ["one"]
    stage.silent = False
    tick(page)
    assert page.run("document.querySelector('#offline').hidden")


def test_a_server_that_fails_is_told_with_its_status(open_page: OpenPage, stage: Stage) -> None:
    stage.stubs = [stub_view("one")]
    stage.refuse("GET", STUBS, 503, "<p>Away</p>")
    page = open_page("/__admin__")
    page.until("!document.querySelector('#offline').hidden")
    assert page.text("#offline") == "The server answered 503. What you see may be old."
    assert rows(page, "stubs-panel") == ["one"]
    tick(page)
    assert page.run("document.querySelector('#offline').hidden")


def test_deleting_a_stub_asks_first_and_then_renews_the_panel(open_page: OpenPage, stage: Stage) -> None:
    stage.stubs = [stub_view("a/b?c"), stub_view("two")]
    page = open_page("/__admin__")
    page.click("#stubs-panel [hx-delete]")
    page.until("document.querySelector('dialog[open]')")
    assert page.text("dialog p") == "Delete stub a/b?c?"
    assert not stage.of("DELETE", "/__admin__/actions/stubs/a%2Fb%3Fc")
    page.click("dialog [value=yes]")
    page.until("document.querySelectorAll('#stubs-panel tbody tr').length === 1")
    assert rows(page, "stubs-panel") == ["two"]
    assert len(stage.of("DELETE", "/__admin__/actions/stubs/a%2Fb%3Fc")) == 1
    page.until("document.activeElement === document.querySelector('#stubs-panel h2')")


def cancel_with_button(page: Page) -> None:
    page.click("dialog [value='']")


def cancel_with_escape(page: Page) -> None:
    page.press("Escape")


@pytest.mark.parametrize("cancel", [cancel_with_button, cancel_with_escape])
def test_who_thinks_again_deletes_nothing(open_page: OpenPage, stage: Stage, cancel: Callable[[Page], None]) -> None:
    stage.stubs = [stub_view("one")]
    page = open_page("/__admin__")
    page.click("#stubs-panel [hx-delete]")
    page.until("document.querySelector('dialog[open]')")
    cancel(page)
    page.until("!document.querySelector('dialog')")
    page.run("fetch('/__admin__/assets/admin.css')")
    assert not [each for each in stage.calls if each.method == "DELETE"]
    assert rows(page, "stubs-panel") == ["one"]


def test_a_deletion_that_fails_is_told_until_one_dismisses_it(open_page: OpenPage, stage: Stage) -> None:
    stage.stubs = [stub_view("one")]
    page = open_page("/__admin__")
    stage.refuse("DELETE", "/__admin__/actions/stubs/one", 404, stubs_panel([], "Stub 'one' was not found"))
    page.click("#stubs-panel [hx-delete]")
    confirm(page)
    page.until("document.querySelector('#notice span')")
    assert page.text("#notice span") == "Stub 'one' was not found"
    # The panel is renewed, without saying it a second time, and goes on as before.
    assert rows(page, "stubs-panel") == []
    assert page.run("document.querySelectorAll('[role=alert]:not(:empty)').length") == 1
    tick(page)
    assert page.run("document.querySelectorAll('#stubs-panel tbody tr').length === 1")
    assert page.text("#notice span") == "Stub 'one' was not found"
    page.click("#notice button")
    assert page.text("#notice") == ""


def test_a_deletion_that_never_arrives_is_told(open_page: OpenPage, stage: Stage) -> None:
    stage.stubs = [stub_view("one")]
    page = open_page("/__admin__")
    settled(page)
    page.click("#stubs-panel [hx-delete]")
    stage.silent = True
    confirm(page)
    page.until("document.querySelector('#notice span')")
    assert page.text("#notice span").startswith("The server cannot be reached.")
    assert not page.run("document.querySelector('#stubs-panel [hx-delete]').disabled")


def test_an_answer_from_before_a_deletion_does_not_bring_the_row_back(open_page: OpenPage, stage: Stage) -> None:
    stage.stubs = [stub_view("one"), stub_view("two")]
    page = open_page("/__admin__")
    settled(page)
    count = len(stage.of("GET", STUBS))
    stage.held[STUBS] = threading.Event()
    page.run("tick()")
    stage.wait_for("GET", STUBS, count + 1)
    page.click("#stubs-panel [hx-delete]")
    confirm(page)
    page.until("document.querySelectorAll('#stubs-panel tbody tr').length === 1")
    stage.held.pop(STUBS).set()
    page.until(f"performance.getEntriesByName('{stage.url}{STUBS}').length > {count}")
    page.run("new Promise((resolve) => setTimeout(resolve))")
    assert rows(page, "stubs-panel") == ["two"]


def test_a_scope_is_made_with_the_keyboard(open_page: OpenPage, stage: Stage) -> None:
    page = open_page("/__admin__")
    page.fill("#ui-scope-name", "QA-1")
    page.press("Enter")
    page.until("document.querySelector('#scopes-panel li')")
    (call,) = stage.of("POST", "/__mock__/scopes")
    assert (call.headers["content-type"], call.json()) == ("application/json", {"name": "QA-1"})
    assert rows(page, "scopes-panel") == ["qa-1"]
    assert page.value("#ui-scope-name") == ""


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (409, {"detail": "Scope 'qa' already exists"}, "Scope 'qa' already exists"),
        (
            422,
            {"detail": [{"loc": ["body", "name"], "msg": "String should match pattern"}]},
            "String should match pattern",
        ),
        (500, "<html></html>", "The server answered 500."),
    ],
)
def test_a_scope_that_is_refused_says_why_at_its_field(
    open_page: OpenPage, stage: Stage, status: int, body: Any, text: str
) -> None:
    page = open_page("/__admin__")
    settled(page)
    stage.refuse("POST", "/__mock__/scopes", status, body)
    page.fill("#ui-scope-name", "qa")
    page.click(".scope-form button")
    page.until("document.querySelector('#ui-scope-name-error').innerText")
    assert page.text("#ui-scope-name-error") == text
    assert page.value("#ui-scope-name") == "qa"
    # It is still said when the panel changes.
    stage.scopes.append("other")
    tick(page)
    assert page.run("document.querySelectorAll('#scopes-panel li').length") == 1
    assert page.text("#ui-scope-name-error") == text
    assert page.run("document.querySelector('#ui-scope-name').ariaInvalid") == "true"


def test_a_name_that_no_scope_can_have_is_not_sent(open_page: OpenPage, stage: Stage) -> None:
    page = open_page("/__admin__")
    page.fill("#ui-scope-name", "not a name")
    page.press("Enter")
    page.run("fetch('/__admin__/assets/admin.css')")
    assert not stage.of("POST", "/__mock__/scopes")


def test_deleting_a_scope_renews_its_panel(open_page: OpenPage, stage: Stage) -> None:
    stage.scopes = ["qa", "ci"]
    page = open_page("/__admin__")
    page.click("#scopes-panel [hx-delete]")
    confirm(page)
    page.until("document.querySelectorAll('#scopes-panel li').length === 1")
    assert rows(page, "scopes-panel") == ["ci"]


def test_the_page_of_a_scope_renews_itself(open_page: OpenPage, stage: Stage) -> None:
    stage.scopes = ["qa"]
    page = open_page("/__admin__/scopes/qa")
    assert "No requests yet" in page.text()
    stage.requests.append(request_view("/in-scope", scope="qa"))
    page.run("tick()")
    page.until("document.querySelector('#scope-panel').innerText.includes('/in-scope')")
    assert page.run("document.querySelectorAll('#scope-panel').length") == 1


def test_a_stub_of_a_scope_is_deleted_on_its_page_with_the_scope_s_header(open_page: OpenPage, stage: Stage) -> None:
    stage.scopes, stage.stubs = ["qa"], [stub_view("mine", "qa")]
    page = open_page("/__admin__/scopes/qa")
    page.click("#scope-panel [hx-delete]")
    confirm(page)
    page.until("!document.querySelector('#scope-panel tbody')")
    assert stage.of("DELETE", "/__mock__/stubs/mine")[0].headers["qa"] == "1"


@pytest.mark.parametrize("path", ["/__admin__/stubs/one", "/__admin__/scopes/qa"])
def test_deleting_what_a_page_is_about_leads_back_to_the_dashboard(
    open_page: OpenPage, stage: Stage, path: str
) -> None:
    stage.scopes, stage.stubs = ["qa"], [stub_view("one")]
    page = open_page(path)
    page.click(".page-head [hx-delete]")
    confirm(page)
    page.until("location.pathname === '/__admin__' && document.readyState === 'complete'")


def test_a_hostile_id_is_shown_as_it_is_and_does_nothing(open_page: OpenPage, stage: Stage) -> None:
    name = "\"><script>window.owned=1</script><img src=x onerror='owned=1'>"
    stage.stubs = [stub_view(name, request={"path": name})]
    stage.requests = [request_view(name, matched_stub_id=name, body=name)]
    page = open_page("/__admin__")
    settled(page)
    assert rows(page, "stubs-panel") == [name]
    page.click("#stubs-panel [hx-delete]")
    page.until("document.querySelector('dialog[open]')")
    assert page.text("dialog p") == f"Delete stub {name}?"
    assert page.run("typeof window.owned") == "undefined"
    page.click("dialog [value=yes]")
    page.until("!document.querySelector('#stubs-panel tbody')")


@pytest.mark.parametrize("path", ["/__admin__", "/__admin__/stubs/one", "/__admin__/scopes/qa", "/__admin__/stubs/new"])
def test_no_page_is_wider_than_the_screen(open_page: OpenPage, stage: Stage, path: str) -> None:
    long, uuid = "x" * 150, "0b6f3c2e-3c1d-4f0a-9a53-3b6c0f5b8e11"
    stage.scopes = ["qa", long]
    stage.stubs = [stub_view("one", request={"path": long, "method": long}), stub_view(uuid)]
    stage.requests = [request_view(f"/{long}", long[:50], host=long, matched_stub_id=uuid)]
    page = open_page(path)
    page.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    for width in (320, 390, 800, 900, 1280):
        page.resize(width)
        assert page.run("document.documentElement.scrollWidth") <= width
