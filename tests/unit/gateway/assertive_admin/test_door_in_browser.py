"""The pages as they are served by the real door, in a browser: what is done there is done."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.assertive_door import served_door, stub
from support.devtools import Page


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with served_door(tmp_path) as served:
        yield served


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    tab.resize(1280)
    yield tab
    # Nothing was missing, and nothing broke the page's policy.
    assert tab.complaints() == []
    tab.go("about:blank")


def test_a_stub_is_made_step_by_step_and_deleted(page: Page, address: str) -> None:
    page.go(f"{address}/__admin__/stubs/new")
    page.fill("#ui-request-path", "/hello")
    for _ in range(2):
        page.click("#ui-next")
    page.fill("#ui-response-body", "hi")
    page.click("#ui-next")
    page.click("#ui-create")
    page.until("!document.getElementById('ui-created').hidden")
    (made,) = httpx.get(f"{address}/__mock__/stubs").json()["stubs"]
    assert (made["request"]["path"], made["action"]["response"]["body"]) == ("/hello", "hi")

    page.click("#ui-created-link")
    page.until("document.title.includes('Stub Detail')")
    assert made["stub_id"] in page.text()
    page.click("button.danger")
    page.until("document.querySelector('dialog')")
    page.click("dialog button.danger")
    page.until("document.querySelector('#stubs-panel')")
    assert "No stubs yet" in page.text("#stubs-panel")
    assert httpx.get(f"{address}/__mock__/stubs").json() == {"stubs": []}


def test_a_scope_is_made_looked_at_and_deleted(page: Page, address: str) -> None:
    page.go(f"{address}/__admin__")
    page.fill("#ui-scope-name", "Team-A")
    page.click(".scope-form button")
    page.until("document.querySelector('.scopes')")
    assert httpx.get(f"{address}/__mock__/scopes").json() == {"scopes": ["team-a"]}
    assert httpx.post(f"{address}/__mock__/stubs", json=stub("/mine"), headers={"team-a": "1"}).status_code == 200

    page.click(".scopes a")
    page.until("document.title.includes('Scope Detail')")
    assert "/mine" in page.text("#scope-panel")
    page.click(".page-head button.danger")
    page.until("document.querySelector('dialog')")
    page.click("dialog button.danger")
    page.until("document.querySelector('#scopes-panel')")
    assert httpx.get(f"{address}/__mock__/scopes").json() == {"scopes": []}


def test_a_global_stub_is_deleted_from_a_scopes_page(page: Page, address: str) -> None:
    httpx.post(f"{address}/__mock__/scopes", json={"name": "team-a"})
    made = httpx.post(f"{address}/__mock__/stubs", json=stub("/everybodys")).json()["stub_id"]
    page.go(f"{address}/__admin__/scopes/team-a")
    page.click("#scope-panel tbody button.danger")
    page.until("document.querySelector('dialog')")
    page.click("dialog button.danger")
    page.until(f"!document.body.innerText.includes({made!r})")
    assert httpx.get(f"{address}/__mock__/stubs").json() == {"stubs": []}


def test_the_page_of_the_api_lists_its_calls(page: Page, address: str) -> None:
    page.go(f"{address}/docs")
    page.until("document.body.innerText.includes('/__mock__/stubs/{stub_id}')")
    for expected in ("Assertive mock API", "Create a stub", "Ask whether it was called", "Delete a scope"):
        assert expected in page.text()


def test_a_page_of_another_site_makes_no_stub(page: Page, address: str, tmp_path: Path) -> None:
    """It is sent without asking first: only who asks tells it from what a test sends."""
    with served_door(tmp_path / "other") as other:
        page.go(f"{other}/docs")
        payload = json.dumps(json.dumps(stub("/forged")))
        sending = f"fetch('{address}/__mock__/stubs', {{method: 'POST', mode: 'no-cors', body: new Blob([{payload}])}})"
        page.run(f"window.sent = ''; {sending}.then(answer => window.sent = answer.type); 0")
        page.until("window.sent === 'opaque'")
        assert httpx.get(f"{address}/__mock__/stubs").json() == {"stubs": []}
        (complaint,) = page.complaints()
        assert "403" in complaint
        own = sending.replace(address, other)
        page.run(f"window.sent = ''; {own}.then(answer => window.sent = answer.type); 0")
        page.until("window.sent === 'basic'")
        assert len(httpx.get(f"{other}/__mock__/stubs").json()["stubs"]) == 1
