"""Section 11: the admin pages of a running server, in a real browser."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from support.assertive_server import AssertiveServer, AssertiveUser
from support.devtools import Browser, Page

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium on this machine")

Show = Callable[[str], Page]


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    browser = Browser()
    yield browser.open("about:blank")
    browser.close()


@pytest.fixture
def show(tab: Page, assertive: AssertiveServer, request: pytest.FixtureRequest) -> Iterator[Show]:
    """Opens a page of the server. No script may fail, and nothing may be missing or break the policy."""

    def open_one(path: str) -> Page:
        tab.go(assertive.url + path)
        return tab

    yield open_one
    assert tab.complaints() == []


def confirm(page: Page) -> None:
    """Say yes to the question whether it is meant."""
    page.until("document.querySelector('dialog[open]')")
    page.click("dialog [value=yes]")


def test_a_stub_is_made_called_seen_and_deleted(show: Show, user: AssertiveUser, path: str) -> None:
    page = show("/__admin__")
    page.click("a[href='/__admin__/stubs/new']")
    page.until("document.querySelector('#ui-request-path') && document.readyState === 'complete'")
    page.choose("#ui-request-method", "GET")
    page.fill("#ui-request-path", path + "/{id}")
    page.click("#ui-next")
    page.click("#ui-action-response")
    page.click("#ui-next")
    page.choose("#ui-response-body-kind", "template")
    page.fill("#ui-response-body", "made in a browser for {{ request.path_params.id }}")
    page.click("#ui-next")
    page.click("#ui-create")
    page.until("document.querySelector('#ui-created').offsetParent")
    stub = page.text("#ui-created-link")
    assert user.view(stub)["request"]["path"] == path + "/{id}"

    page = show("/__admin__")
    page.until(f"document.querySelector('#stubs-panel').innerText.includes('{path}')")
    assert user.said("GET", path + "/anna") == (200, "made in a browser for anna")
    # The page looks again by itself.
    page.until(f"document.querySelector('#requests-panel').innerText.includes('{path}/anna')")
    assert page.run(f"!!document.querySelector('#requests-panel a[href=\"/__admin__/stubs/{stub}\"]')")

    page.run(
        f"document.querySelector('#stubs-panel a[href=\"/__admin__/stubs/{stub}\"]').closest('tr')"
        ".querySelector('button').click()"
    )
    confirm(page)
    page.until(f"!document.querySelector('#stubs-panel').innerText.includes('{path}')")
    assert user.said("GET", path + "/anna") == (404, "NO_STUB_MATCH_FOUND")


@pytest.fixture
def tidied(user: AssertiveUser) -> Iterator[None]:
    yield
    user.ask("DELETE", "/__mock__/scopes/team-browser")


@pytest.mark.usefixtures("tidied")
def test_a_scope_is_made_shown_and_deleted(show: Show, user: AssertiveUser) -> None:
    page = show("/__admin__")
    page.fill("#scopes-panel input", "Team-Browser")
    page.press("Enter")
    page.until("document.querySelector('#scopes-panel').innerText.includes('team-browser')")
    assert "team-browser" in user.scopes()
    scope = {"team-browser": "1"}
    assert user.ask("GET", "/in/a/browsers/scope", headers=scope).status_code == 404
    page = show("/__admin__/scopes/team-browser")
    assert "Scope Detail" in page.text()
    assert "/in/a/browsers/scope" in page.text()
    page = show("/__admin__")
    page.run(
        "document.querySelector('#scopes-panel a[href$=\"team-browser\"]').closest('tr, li')"
        ".querySelector('button').click()"
    )
    confirm(page)
    page.until("!document.querySelector('#scopes-panel').innerText.includes('team-browser')")
    assert "team-browser" not in user.scopes()


def test_the_page_about_the_api_is_drawn(show: Show) -> None:
    page = show("/docs")
    page.until("document.body.innerText.includes('/__mock__/stubs')")
