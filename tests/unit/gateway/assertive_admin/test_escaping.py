"""Whatever stands in stubs, requests and names stays text: pages have the elements they have with harmless data."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assertive_admin_stage import request_view, stub_view
from support.page_reading import read
from understudy_gateway.dialects.assertive_admin.page import (
    dashboard,
    new_stub_form,
    not_found,
    scope_detail,
    stub_detail,
)
from understudy_gateway.dialects.assertive_admin.panels import scopes_panel, stubs_panel

HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "' autofocus onfocus=alert(1) x='",
    "</code></pre></td></table><h1>owned</h1>",
    "<!--",
    "]]>",
    "&lt;b&gt;",
    "javascript:alert(1)",
    "../../__mock__/scopes",
]


def everything(text: str) -> list[str]:
    """Every page and fragment, with the text in every place that comes from outside."""
    request: dict[str, Any] = {"method": text, "path": text, "host": text, "body": text}
    request["headers"] = {"$key_values": {"key_values": {text: {"$eq": {"value": text}}}}}
    response = {"status_code": 200, "headers": {text: text}, "body": text, "template_body": None}
    action = {"response": response, "proxy": None, "sse": None}
    stub = stub_view(text, text, request=request, action=action, chaos={text: text})
    call = request_view(
        text, text, host=text, scope=text, matched_stub_id=text, body=text, headers={text: text}, query={text: text}
    )
    return [
        dashboard([stub], [call], [text]),
        new_stub_form([text]),
        stub_detail(stub),
        scope_detail(text, [stub], [call]),
        not_found(text),
        stubs_panel([], text),
        scopes_panel([], text),
    ]


def shape(page: str) -> list[tuple[str, list[str]]]:
    """The elements of a page and the names of their attributes, without what depends on the length of a text."""
    return [(each.tag, sorted(set(each.attributes) - {"class"})) for each in read(page).elements]


HARMLESS = [shape(each) for each in everything("harmless")]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_changes_no_element(text: str) -> None:
    assert [shape(each) for each in everything(text)] == HARMLESS


@given(st.text(st.characters(exclude_categories=[]), min_size=1))
def test_no_text_changes_an_element(text: str) -> None:
    pages = everything(text)
    assert [shape(each) for each in pages] == HARMLESS
    for each in pages:
        each.encode()


@pytest.mark.parametrize("text", HOSTILE)
def test_every_link_and_every_call_stays_on_the_pages(text: str) -> None:
    for page in everything(text):
        for element in read(page).where(lambda each: each.tag != "link"):
            for name in ("href", "src", "hx-get", "hx-delete", "data-next"):
                target = element.attributes.get(name) or "/docs"
                assert target.startswith(("/__admin__", "/__mock__/stubs/", "/docs", "#content")), target
                assert ".." not in target.split("/")
