"""Calls that a browser makes for pages of other sites."""

from typing import Any

import pytest
from support.assertive_door import Door, stub
from understudy_gateway.dialects.assertive.elsewhere import is_from_elsewhere

HOST = "shop.example.com:8910"


def is_refused(method: str = "POST", host: str = HOST, **headers: str) -> bool:
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return is_from_elsewhere(method, [(b"host", host.encode()), *lines])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": f"http://{HOST}"},
        {"origin": f"https://{HOST}", "sec_fetch_site": "same-origin"},
        {"origin": "HTTP://Shop.Example.Com:8910"},
        {"sec_fetch_site": "none"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "same-origin"},
    ],
)
def test_what_comes_from_here_or_from_no_page_is_taken(headers: dict[str, str]) -> None:
    assert not is_refused(**headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example.com"},
        {"origin": "http://shop.example.com"},
        {"origin": "http://shop.example.com:3000", "sec_fetch_site": "same-site"},
        {"origin": f"http://evil.example.com/{HOST}"},
        {"origin": f"http://{HOST}.evil.example.com"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": HOST},
        {"origin": f"file://{HOST}"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "cross-site", "origin": f"http://{HOST}"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"},
    ],
)
def test_what_a_page_from_elsewhere_asks_for_is_refused(headers: dict[str, str]) -> None:
    assert is_refused(**headers)


@pytest.mark.parametrize(
    ("host", "origin", "expected"),
    [
        ("shop.example.com", "http://shop.example.com", False),
        ("shop.example.com:80", "http://shop.example.com", False),
        ("shop.example.com:443", "https://shop.example.com", False),
        ("shop.example.com:443", "http://shop.example.com", True),
        ("[::1]:8910", "http://[::1]:8910", False),
    ],
)
def test_a_usual_port_need_not_be_named(host: str, origin: str, expected: bool) -> None:
    assert is_refused(host=host, origin=origin) is expected


def test_a_link_to_a_page_can_be_followed() -> None:
    assert not is_refused("GET", sec_fetch_site="cross-site", sec_fetch_mode="navigate")
    assert is_refused("GET", sec_fetch_site="cross-site", sec_fetch_mode="no-cors")


@pytest.mark.parametrize(
    ("method", "path", "payload"),
    [
        ("POST", "/__mock__/stubs", stub()),
        ("POST", "/__mock__/scopes", {"name": "team-b"}),
        ("POST", "/__mock__/assert", {}),
        ("DELETE", "/__mock__/scopes/team-a", None),
        ("DELETE", "/__admin__/actions/scopes/team-a", None),
        ("GET", "/__mock__/requests", None),
    ],
)
async def test_nothing_is_done_for_a_page_from_elsewhere(door: Door, method: str, path: str, payload: Any) -> None:
    await door.make_scope("team-a")
    headers = {"origin": "http://evil.example.com", "sec-fetch-site": "cross-site"}
    answer = await door.http.request(method, path, headers=headers, json=payload)
    assert answer.status_code == 403
    assert answer.json() == {"detail": "A page of another site asks for this: only those that come from here may."}
    assert await door.stub_ids() == []
    assert await door.get("/__mock__/scopes") == {"scopes": ["team-a"]}
