from typing import Any

import pytest
from support.assertive_admin_stage import request_view, stub_view
from support.page_reading import Element, ReadPage, read
from understudy_gateway.dialects.assertive_admin.page import dashboard
from understudy_gateway.dialects.assertive_admin.panels import STUBS_MAX, requests_panel, scopes_panel, stubs_panel


def cells(page: ReadPage) -> list[list[str]]:
    """The text of each row of a panel, cell by cell."""
    count = len(page.all("th"))
    texts = [each.text for each in page.all("td")]
    return [texts[at : at + count] for at in range(0, len(texts), count)]


def action_of(kind: str) -> dict[str, Any]:
    return {"action": {"response": None, "proxy": None, "sse": None} | {kind: {}}}


@pytest.mark.parametrize("name", ["stubs", "requests", "scopes"])
def test_a_panel_renews_itself(name: str) -> None:
    panel = read(dashboard([], [], [])).one("section", id=f"{name}-panel")
    assert panel.attributes["hx-get"] == f"/__admin__/partials/{name}"
    assert panel.attributes["hx-trigger"] == "load, every 3s"


def test_the_dashboard_shows_what_its_panels_would() -> None:
    stubs, requests, scopes = [stub_view("one")], [request_view("/a")], ["qa"]
    page = dashboard(stubs, requests, scopes)
    for panel in (stubs_panel(stubs), requests_panel(requests), scopes_panel(scopes)):
        assert panel in page


def test_a_stub_is_a_row_with_what_it_asks_and_does() -> None:
    stub = stub_view("one", "qa", request={"method": "GET", "path": "/users/{id}"})
    page = read(stubs_panel([stub]))
    assert cells(page) == [["one", "qa", "GET", "/users/{id}", "response", "Delete"]]
    assert page.one("a", href="/__admin__/stubs/one").text == "one"


def test_a_stub_that_asks_for_nothing_shows_stars() -> None:
    assert cells(read(stubs_panel([stub_view("one")])))[0][1:4] == ["global", "*", "*"]


def test_a_criterion_is_shown_as_json() -> None:
    stub = stub_view("one", request={"path": {"$regex": {"pattern": "^/a"}}})
    assert cells(read(stubs_panel([stub])))[0][3] == '{"$regex": {"pattern": "^/a"}}'


@pytest.mark.parametrize("kind", ["response", "proxy", "sse"])
def test_the_kind_of_action_is_named(kind: str) -> None:
    assert cells(read(stubs_panel([stub_view("one", **action_of(kind))])))[0][4] == kind


def test_stubs_stand_in_the_order_given_and_are_counted() -> None:
    page = read(stubs_panel([stub_view("b"), stub_view("a")]))
    assert [row[0] for row in cells(page)] == ["b", "a"]
    assert page.one("h2").text == "Stubs 2"


def test_deleting_a_stub_asks_first_and_renews_the_panel() -> None:
    button = read(stubs_panel([stub_view("a b")])).one("button", class_="danger")
    assert button.attributes | {"type": "", "class": ""} == {
        "type": "",
        "class": "",
        "hx-delete": "/__admin__/actions/stubs/a%20b",
        "hx-target": "#stubs-panel",
        "hx-swap": "innerHTML",
        "hx-confirm": "Delete stub a b?",
        "aria-label": "Delete stub a b",
    }


@pytest.mark.parametrize("panel", [stubs_panel([], "Gone."), scopes_panel([], "Gone.")])
def test_an_error_is_an_alert(panel: str) -> None:
    assert read(panel).one("p", class_="error").attributes["role"] == "alert"


@pytest.mark.parametrize("panel", [stubs_panel([]), scopes_panel([])])
def test_without_an_error_there_is_no_alert(panel: str) -> None:
    assert not read(panel).all("p", class_="error")


def test_an_empty_panel_says_what_would_be_there() -> None:
    texts = [
        read(panel).one("p", class_="empty").text for panel in (stubs_panel([]), requests_panel([]), scopes_panel([]))
    ]
    assert [each.split(".")[0] for each in texts] == ["No stubs yet", "No requests yet", "No scopes yet"]


def test_a_request_is_a_row_with_the_stub_that_matched() -> None:
    page = read(requests_panel([request_view("/a", "POST", scope="qa", matched_stub_id="one")]))
    method, path, *others = cells(page)[0]
    assert (method, others) == ("POST", ["qa", "api.example.com", "one"])
    assert path.startswith("/a")
    assert page.one("a", href="/__admin__/stubs/one").text == "one"


def test_a_request_that_nothing_matched_says_so() -> None:
    assert cells(read(requests_panel([request_view("/a")])))[0][4] == "no match"


def test_a_request_shows_what_it_carried() -> None:
    request = request_view("/a", query={"page": "2"}, headers={"x-team": "qa"}, body='{"a": 1}')
    page = read(requests_panel([request]))
    assert [each.text for each in page.all("dt")] == ["page", "x-team"]
    assert [each.text for each in page.all("dd")] == ["2", "qa"]
    assert page.one("pre").text == '{"a": 1}'


def test_the_newest_hundred_requests_are_shown_newest_first() -> None:
    page = read(requests_panel([request_view(f"/{number}") for number in range(103)]))
    paths = [each.text for each in page.all("summary")]
    assert paths == [f"/{number}" for number in range(102, 2, -1)]


def test_stubs_beyond_the_limit_are_counted_and_not_shown() -> None:
    page = read(stubs_panel([stub_view(str(number)) for number in range(STUBS_MAX + 2)]))
    assert len(cells(page)) == STUBS_MAX
    assert page.one("h2").text == f"Stubs {STUBS_MAX + 2}"
    assert page.one("p", class_="quiet").text.startswith("2 more")


def test_what_is_long_is_cut() -> None:
    long = "x" * 100_000
    request = request_view("/" + long, headers={"x": long}, query={"x": long}, host=long, body=long)
    stub = stub_view("one", request={"path": {"$eq": {"value": long}}, "method": long})
    assert len(requests_panel([request])) < 5_000
    assert len(stubs_panel([stub])) < 5_000


def keys(page: str) -> list[str | None]:
    return [each.attributes["data-key"] for each in read(page).where(lambda each: "data-key" in each.attributes)]


def test_rows_have_keys_by_which_they_are_found_again() -> None:
    assert keys(stubs_panel([stub_view("a"), stub_view("b")])) == ["a", "b"]
    assert keys(scopes_panel(["qa", "ci"])) == ["qa", "ci"]


def test_requests_that_look_alike_have_the_same_key() -> None:
    first, second, third = keys(requests_panel([request_view("/a"), request_view("/b"), request_view("/a")]))
    assert first == third != second


def scope_buttons(page: ReadPage) -> list[Element]:
    return page.where(lambda each: "hx-delete" in each.attributes)


def test_scopes_are_links_with_a_button_that_deletes_them() -> None:
    page = read(scopes_panel(["qa", "ci"]))
    assert page.one("h2").text == "Scopes 2"
    assert [each.attributes["href"] for each in page.all("a")] == ["/__admin__/scopes/qa", "/__admin__/scopes/ci"]
    assert [each.attributes["hx-delete"] for each in scope_buttons(page)] == [
        "/__admin__/actions/scopes/qa",
        "/__admin__/actions/scopes/ci",
    ]
    assert {each.attributes["hx-target"] for each in scope_buttons(page)} == {"#scopes-panel"}


def test_the_form_of_scopes_sends_json_and_renews_the_panel() -> None:
    page = read(scopes_panel([]))
    form = page.one("form").attributes
    assert (form["data-json-to"], form["data-refresh"]) == ("/__mock__/scopes", "#scopes-panel")
    assert page.one("input", name="name").attributes["pattern"] == r"[A-Za-z0-9_\-]+"
