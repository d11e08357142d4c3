"""The texts and ids that the product's own tests look for, and what each page leads to."""

import json
import re

import pytest
from support.assertive_admin_stage import request_view, stub_view
from support.page_reading import read
from understudy_gateway.dialects.assertive_admin.assets import PAGE_HEADERS, assets
from understudy_gateway.dialects.assertive_admin.page import (
    dashboard,
    new_stub_form,
    not_found,
    scope_detail,
    stub_detail,
)

CHAOS = {"latency": {"base_ms": 100, "jitter_ms": 25}, "faults": {"connection_drop": None}}

PAGES = {
    "dashboard": dashboard([stub_view("one")], [request_view("/a")], ["qa"]),
    "empty dashboard": dashboard([], [], []),
    "form": new_stub_form(["qa"]),
    "stub": stub_detail(stub_view("one", chaos=CHAOS)),
    "scope": scope_detail("qa", [stub_view("one", "qa")], [request_view("/a", scope="qa")]),
    "not found": not_found("There is no such stub."),
}


@pytest.mark.parametrize(
    "text",
    [
        "Assertive Mock API Admin",
        'id="stubs-panel"',
        'id="requests-panel"',
        'id="scopes-panel"',
        "htmx.org",
        "Create New Stub",
        "Requests (latest 100)",
        "Scopes",
        "Matched Stub ID",
    ],
)
def test_the_dashboard_has_the_texts_that_its_users_look_for(text: str) -> None:
    assert text in PAGES["dashboard"]


@pytest.mark.parametrize(
    "text",
    [
        "Create a Stub",
        "1. Match",
        "2. Action type",
        "3. Action details",
        "4. Review",
        "Create Stub",
        "Common headers",
        "Content-Type: application/json",
        'data-target-textarea="ui-request-headers"',
        'data-target-textarea="ui-response-headers"',
        'data-target-textarea="ui-proxy-headers"',
        'id="ui-chaos-delay-ms"',
        'id="ui-chaos-jitter-ms"',
        "Chaos latency is sampled from",
    ],
)
def test_the_form_has_the_texts_that_its_users_look_for(text: str) -> None:
    assert text in PAGES["form"]


@pytest.mark.parametrize("text", ["Stub Detail", '"base_ms": 100', '"jitter_ms": 25', '"status_code": 200'])
def test_the_page_of_a_stub_shows_it_as_indented_json(text: str) -> None:
    assert text in PAGES["stub"]


def test_the_page_of_a_stub_leaves_out_what_is_not_asked() -> None:
    blocks = [each.text for each in read(stub_detail(stub_view("one", request={"path": "/a"}))).all("pre")]
    assert json.loads(blocks[0]) == {"path": "/a"}
    assert json.loads(blocks[1]) == {
        "response": {"status_code": 200, "headers": {}, "body": "text", "template_body": None}
    }


def test_the_page_of_a_stub_holds_the_view_whole() -> None:
    view = stub_view("one", "qa", chaos=CHAOS)
    assert json.loads(read(stub_detail(view)).all("pre")[-1].text) == view


def test_a_stub_without_chaos_has_no_block_for_it() -> None:
    assert "Chaos" not in [each.text for each in read(stub_detail(stub_view("one"))).all("h2")]


def test_the_page_of_a_scope_has_its_stubs_and_its_requests() -> None:
    page = read(PAGES["scope"])
    assert page.one("h1").text == "Scope Detail"
    assert "one" in page.one("table", aria_label="Stubs").text
    assert "/a" in page.one("table", aria_label="Requests").text


def test_a_stub_is_made_in_the_scope_whose_page_one_comes_from() -> None:
    assert read(PAGES["scope"]).one("a", href="/__admin__/stubs/new?scope=qa").text == "Create New Stub"
    assert [each.attributes["value"] for each in read(PAGES["form"]).all("option", value="qa")] == ["qa"]


def test_a_scoped_stub_is_deleted_in_its_scope() -> None:
    button = read(stub_detail(stub_view("a/b", "qa"))).one("button", class_="danger")
    assert button.attributes["hx-delete"] == "/__mock__/stubs/a%2Fb"
    assert json.loads(button.attributes["hx-headers"] or "") == {"qa": "1"}
    assert button.attributes["data-next"] == "/__admin__/scopes/qa"


def test_a_page_that_is_not_there_says_so() -> None:
    assert [each.text for each in read(PAGES["not found"]).all("p", role="alert")] == ["There is no such stub."]


@pytest.mark.parametrize("name", PAGES)
def test_every_element_ends_and_no_id_is_there_twice(name: str) -> None:
    ids = read(PAGES[name]).ids()
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("name", PAGES)
def test_every_control_has_a_label_or_a_name(name: str) -> None:
    page = read(PAGES[name])
    labelled = {each.attributes["for"] for each in page.all("label") if "for" in each.attributes}
    controls = page.where(lambda each: each.tag in {"input", "select", "textarea"})
    unlabelled = [each for each in controls if each.attributes["id"] not in labelled]
    # Those of a choice stand inside of their labels.
    assert {each.attributes["type"] for each in unlabelled} <= {"radio"}
    assert all(each.text or each.attributes.get("aria-label") for each in page.all("button"))


@pytest.mark.parametrize("name", PAGES)
def test_what_describes_a_control_is_there(name: str) -> None:
    page = read(PAGES[name])
    described = [
        each.attributes["aria-describedby"] or "" for each in page.elements if "aria-describedby" in each.attributes
    ]
    assert set(" ".join(described).split()) <= set(page.ids())


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_one_heading_of_the_first_rank_and_names_itself_in_its_title(name: str) -> None:
    page = read(PAGES[name])
    assert len(page.all("h1")) == 1
    assert page.one("title").text.endswith("Assertive Mock API Admin")


@pytest.mark.parametrize("name", PAGES)
def test_nothing_of_a_page_comes_from_elsewhere(name: str) -> None:
    page = read(PAGES[name])
    sources = [each.attributes["src"] or "" for each in page.all("script")]
    sources += [each.attributes["href"] or "" for each in page.all("link", rel="stylesheet")]
    assert sources
    assert set(sources) <= set(assets())


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_script_and_no_style_of_its_own(name: str) -> None:
    page = read(PAGES[name])
    assert all(not each.text for each in page.all("script"))
    assert not page.all("style")
    assert not page.where(lambda each: any(re.match("on|style$", name) for name in each.attributes))


def test_no_icon_is_asked_of_the_mocked_service() -> None:
    assert (read(PAGES["dashboard"]).one("link", rel="icon").attributes["href"] or "").startswith("data:")


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    assert "http" not in PAGE_HEADERS["content-security-policy"]
    assert "unsafe" not in PAGE_HEADERS["content-security-policy"]


@pytest.mark.parametrize("path", assets())
def test_every_asset_is_there_and_asks_for_nothing_elsewhere(path: str) -> None:
    asset = assets()[path]
    text = asset.body.decode()
    assert text
    assert not re.search(r"https?:|url\(|@import", text)
    assert asset.media_type.split(";")[0] == {"css": "text/css", "js": "text/javascript"}[path.rpartition(".")[2]]
