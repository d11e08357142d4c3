"""Section 11: the admin pages, as they are sent."""

from urllib.parse import urljoin

import pytest
from support.assertive_server import AssertiveUser, events, proxied, text


def page(user: AssertiveUser, path: str, status: int = 200) -> str:
    answer = user.ask("GET", path)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    return answer.text


def test_the_dashboard_has_its_title_and_panels(user: AssertiveUser) -> None:
    html = page(user, "/__admin__")
    for part in (
        "Assertive Mock API Admin", 'id="stubs-panel"', 'id="requests-panel"', 'id="scopes-panel"', "Create New Stub",
        "Requests (latest 100)", "Scopes",
    ):  # fmt: skip
        assert part in html


def test_the_form_has_its_steps_and_fields(user: AssertiveUser) -> None:
    html = page(user, "/__admin__/stubs/new")
    for part in (
        "Create a Stub", "1. Match", "Create Stub", "Common headers", "Content-Type: application/json",
        'data-target-textarea="ui-request-headers"', 'data-target-textarea="ui-response-headers"',
        'data-target-textarea="ui-proxy-headers"', 'id="ui-chaos-delay-ms"', 'id="ui-chaos-jitter-ms"',
        "Chaos latency is sampled from",
    ):  # fmt: skip
        assert part in html
    for step in ("2.", "3.", "4."):
        assert step in html


@pytest.mark.parametrize("path", ["/__admin__", "/__admin__/stubs/new"])
def test_a_page_needs_nothing_from_elsewhere(user: AssertiveUser, path: str) -> None:
    html = page(user, path)
    sources = [
        part.partition('"')[0] for mark in ('src="', '<link rel="stylesheet" href="') for part in html.split(mark)[1:]
    ]
    assert sources
    for each in sources:
        assert "//" not in each
        assert user.ask("GET", urljoin(path, each)).status_code == 200


def test_assets_are_not_sent_twice(user: AssertiveUser) -> None:
    html = page(user, "/__admin__")
    source = urljoin("/__admin__", html.split('src="')[1].partition('"')[0])
    first = user.ask("GET", source)
    assert user.ask("GET", source, headers={"if-none-match": first.headers["etag"]}).status_code == 304


def test_a_stub_is_listed_and_shown(user: AssertiveUser, path: str) -> None:
    stub = user.stub({"path": path, "method": "GET"}, text("a"), chaos={"latency": {"base_ms": 100}})
    for listed in (page(user, "/__admin__"), page(user, "/__admin__/partials/stubs")):
        assert f'href="/__admin__/stubs/{stub}"' in listed
        assert path in listed
    detail = page(user, f"/__admin__/stubs/{stub}")
    assert "Stub Detail" in detail
    assert '"base_ms": 100' in detail.replace("&quot;", '"').replace("&#34;", '"')
    assert path in detail
    assert user.delete_stub(stub) == 200


def test_the_kind_of_an_action_is_listed(user: AssertiveUser, path: str) -> None:
    made = [user.stub({"path": path}, action) for action in (text(), proxied("http://127.0.0.1:9/"), events("a"))]
    rows = [part for part in page(user, "/__admin__/partials/stubs").split("<tr") if path in part]
    assert [[kind for kind in ("response", "proxy", "sse") if kind in row] for row in rows] == [
        ["response"], ["proxy"], ["sse"],
    ]  # fmt: skip
    for each in made:
        user.delete_stub(each)


def test_a_scoped_stub_is_not_listed_but_shown(scoped: AssertiveUser, path: str) -> None:
    stub = scoped.stub({"path": path})
    assert stub not in page(scoped.unscoped, "/__admin__/partials/stubs")
    assert stub not in page(scoped, "/__admin__/partials/stubs")
    assert scoped.scope in page(scoped.unscoped, f"/__admin__/stubs/{stub}")


def test_requests_are_listed_newest_first_with_their_stub(user: AssertiveUser, path: str) -> None:
    stub = user.stub({"path": path + "/b"})
    user.ask("GET", path + "/a")
    user.ask("POST", path + "/b")
    html = page(user, "/__admin__/partials/requests")
    assert "Requests (latest 100)" in html
    assert "Matched Stub ID" in html
    assert html.index(path + "/b") < html.index(path + "/a")
    assert f'href="/__admin__/stubs/{stub}"' in html


def test_the_latest_hundred_requests_are_listed(user: AssertiveUser, path: str) -> None:
    for number in range(110):
        user.ask("GET", f"{path}/{number:03}")
    html = page(user, "/__admin__/partials/requests")
    listed = [f"{number:03}" for number in range(110) if f"{path}/{number:03}" in html]
    assert listed == [f"{number:03}" for number in range(10, 110)]


def test_requests_of_scopes_are_listed_with_the_scope(scoped: AssertiveUser, path: str) -> None:
    scoped.ask("GET", path)
    assert path not in page(scoped.unscoped, "/__admin__/partials/requests")
    html = page(scoped.unscoped, f"/__admin__/scopes/{scoped.scope}")
    assert "Scope Detail" in html
    assert path in html


def test_a_scope_shows_the_stubs_that_are_active_for_it(scoped: AssertiveUser, path: str) -> None:
    own, everybodys = scoped.stub({"path": path}), scoped.unscoped.stub({"path": path})
    html = page(scoped.unscoped, f"/__admin__/scopes/{scoped.scope.upper()}")
    assert own in html
    assert everybodys in html
    assert scoped.scope in page(scoped.unscoped, "/__admin__/partials/scopes")


@pytest.mark.parametrize("path", ["/__admin__/stubs/no-such", "/__admin__/scopes/no-such"])
def test_what_is_not_there_has_no_page(user: AssertiveUser, path: str) -> None:
    assert "no-such" in page(user, path, 404)


def test_a_stub_of_all_is_deleted_from_the_list(user: AssertiveUser, path: str) -> None:
    stub = user.stub({"path": path})
    answer = user.ask("DELETE", f"/__admin__/actions/stubs/{stub}")
    assert answer.status_code == 200
    assert path not in answer.text
    assert 'id="stubs-panel"' in page(user, "/__admin__")
    assert stub not in [each["stub_id"] for each in user.stubs()]
    again = user.ask("DELETE", f"/__admin__/actions/stubs/{stub}")
    assert (again.status_code, stub in again.text) == (404, True)


def test_a_scoped_stub_is_not_deleted_from_the_list(scoped: AssertiveUser) -> None:
    stub = scoped.stub({"path": "/a"})
    assert scoped.unscoped.ask("DELETE", f"/__admin__/actions/stubs/{stub}").status_code == 404
    assert scoped.said("GET", "/a") == (200, "here")


def test_a_scope_is_deleted_from_the_list(user: AssertiveUser) -> None:
    with user.in_new_scope("team-admin"):
        answer = user.ask("DELETE", "/__admin__/actions/scopes/team-admin")
        assert answer.status_code == 200
        assert "team-admin" not in user.scopes()
        again = user.ask("DELETE", "/__admin__/actions/scopes/team-admin")
        assert (again.status_code, "team-admin" in again.text) == (404, True)


@pytest.mark.parametrize("part", ["<script>alert(1)</script>", "'\"><img src=x onerror=alert(1)>"])
def test_what_others_sent_is_shown_and_not_run(user: AssertiveUser, path: str, part: str) -> None:
    stub = user.stub({"path": f"{path}/{part}", "body": part}, text(part))
    user.ask("POST", path, content=part.encode(), headers={"x-own": "<script>alert(1)</script>"})
    for each in ("/__admin__", f"/__admin__/stubs/{stub}"):
        html = page(user, each)
        assert path in html
        assert "<script>alert" not in html
        assert "<img src=x" not in html
    user.delete_stub(stub)
