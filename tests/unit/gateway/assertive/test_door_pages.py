"""The pages over the door: what is on them, what they delete, and that all of it comes from here."""

import re
from collections.abc import Sequence

import httpx
import pytest
from support.assertive_door import Door
from understudy.v1.log_service_pb2 import DeleteLogsRequest, DeleteLogsResponse
from understudy_gateway.dialects.assertive.control import is_control
from understudy_gateway.dialects.assertive_admin.assets import PAGE_HEADERS
from understudy_gateway.dialects.assertive_admin.names import ASSET_NAMES, ASSETS
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Stream


async def page(door: Door, path: str, status: int = 200) -> str:
    answer = await door.http.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert {name: answer.headers[name] for name in PAGE_HEADERS} == dict(PAGE_HEADERS)
    return answer.text


async def test_the_dashboard_has_its_panels_full(door: Door) -> None:
    await door.make_scope("team-a")
    everybodys, own = await door.make_stub(path="/hello"), await door.make_stub("team-a", path="/mine")
    await door.record("/called", mock_id=f"ovr_{everybodys}")
    await door.record("/of-the-scope", "team-a")
    text = await page(door, "/__admin__")
    for expected in ("Assertive Mock API Admin", 'id="stubs-panel"', "htmx.org", "Create New Stub", "Scopes"):
        assert expected in text
    for expected in ("Requests (latest 100)", "Matched Stub ID", everybodys, "/hello", "/called", "team-a"):
        assert expected in text
    # Of scopes only the names are there.
    for other in (own, "/mine", "/of-the-scope"):
        assert other not in text


async def test_each_panel_is_a_fragment_with_the_same_in_it(door: Door) -> None:
    made = await door.make_stub()
    await door.make_scope("team-a")
    await door.record("/called")
    for name, expected in (("stubs", made), ("requests", "/called"), ("scopes", "team-a")):
        fragment = await page(door, f"/__admin__/partials/{name}")
        assert expected in fragment
        assert "<html" not in fragment


async def test_the_newest_hundred_calls_are_shown_newest_first(door: Door) -> None:
    for number in range(130):
        await door.record(f"/call-{number:03}")
    # Pages ask again and again: what was read is not read anew, and what is new is there.
    for newest in (129, 130, 131):
        text = await page(door, "/__admin__/partials/requests")
        shown = re.findall(r"<summary><code[^>]*>/call-(\d+)", text)
        assert [int(each) for each in shown] == list(range(newest, newest - 100, -1))
        await door.record(f"/call-{newest + 1:03}")


async def test_a_stub_of_any_scope_has_a_page(door: Door) -> None:
    await door.make_scope("team-a")
    own = await door.make_stub("team-a", chaos={"latency": {"base_ms": 100}})
    text = await page(door, f"/__admin__/stubs/{own}")
    assert "Stub Detail" in text
    assert '"base_ms": 100' in text
    assert "team-a" in text
    assert "Stub Detail" in await page(door, f"/__admin__/stubs/{await door.make_stub()}")


async def test_a_scope_has_a_page_with_what_is_active_in_it_and_its_own_calls(door: Door) -> None:
    await door.make_scope("team-a")
    made = [await door.make_stub("team-a"), await door.make_stub()]
    await door.record("/mine", "team-a")
    await door.record("/everybodys")
    text = await page(door, "/__admin__/scopes/Team-A")
    assert "Scope Detail" in text
    assert all(each in text for each in made)
    assert "/mine" in text
    assert "/everybodys" not in text


async def test_a_scope_that_was_made_anew_has_a_page_of_its_own(door: Door) -> None:
    for path in ("/before", "/after"):
        await door.make_scope("team-a")
        await door.record(path, "team-a")
        text = await page(door, "/__admin__/scopes/team-a")
        assert re.findall(r"/before|/after", text) == [path]
        await door.delete("/__mock__/scopes/team-a")


@pytest.mark.parametrize("path", ["/__admin__/stubs/nobody", "/__admin__/scopes/nobody", "/__admin__/stubs/%3Cb%3E"])
async def test_what_is_not_there_has_a_page_that_says_so(door: Door, path: str) -> None:
    text = await page(door, path, 404)
    assert "was not found" in text
    assert "<b>" not in text


async def test_the_form_knows_the_scopes(door: Door) -> None:
    await door.make_scope("team-a")
    text = await page(door, "/__admin__/stubs/new")
    assert "Create a Stub" in text
    assert '<option value="team-a">' in text


async def test_a_global_stub_is_deleted_from_its_panel_and_a_scoped_one_is_not_found(door: Door) -> None:
    await door.make_scope("team-a")
    everybodys, own = await door.make_stub(), await door.make_stub("team-a")
    answer = await door.http.delete(f"/__admin__/actions/stubs/{everybodys}")
    assert answer.status_code == 200
    assert everybodys not in answer.text
    answer = await door.http.delete(f"/__admin__/actions/stubs/{own}", headers={"team-a": "1"})
    assert answer.status_code == 404
    assert f"Stub '{own}' was not found" in answer.text
    assert await door.stub_ids("team-a") == [own]


async def test_a_scope_is_deleted_from_its_panel(door: Door) -> None:
    await door.make_scope("team-a")
    answer = await door.http.delete("/__admin__/actions/scopes/team-a")
    assert (answer.status_code, "team-a" in answer.text) == (200, False)
    answer = await door.http.delete("/__admin__/actions/scopes/team-a")
    assert answer.status_code == 404
    # As in a text: a quote there means nothing.
    assert "Scope 'team-a' was not found" in answer.text


async def test_the_files_of_the_pages_are_here_and_are_not_sent_twice(door: Door) -> None:
    for name in ASSET_NAMES:
        answer = await door.http.get(ASSETS + name)
        assert answer.status_code == 200
        assert len(answer.content) > 100
        assert answer.headers["content-type"].split("/")[0] in ("text", "image")
        etag = answer.headers["etag"]
        for known in (etag, f'"other", W/{etag}'):
            again = await door.http.get(ASSETS + name, headers={"if-none-match": known})
            assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/docs", "/__admin__", "/__admin__/stubs/new"])
async def test_whatever_a_page_loads_is_a_call_of_the_control_plane(door: Door, path: str) -> None:
    text = (await door.http.get(path)).text
    loaded = re.findall(r'(?:src|href)="([^"#]+)"', text)
    assert len(loaded) > 2
    for each in loaded:
        if not each.startswith("data:"):
            assert is_control("GET", str(httpx.URL("http://here/docs").join(each).raw_path, "ascii")), each


async def test_the_page_of_the_api_shows_its_document(door: Door) -> None:
    answer = await door.http.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert 'url: "openapi.json"' in answer.text
    assert f'src="{ASSETS}swagger-ui-bundle.js"' in answer.text
    document = await door.get("/openapi.json")
    assert document["openapi"] == "3.1.0"


async def test_a_page_reads_no_more_calls_than_it_shows(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(300):
        await door.record(f"/{number}")
    journal = door.desk.world.journal
    read = journal.read
    seen: list[Exchange] = []

    async def noting(stream: Stream, after: int, limit: int) -> Sequence[Exchange]:
        found = await read(stream, after, limit)
        seen.extend(found)
        return found

    monkeypatch.setattr(journal, "read", noting)
    text = await page(door, "/__admin__/partials/requests")
    assert [each.path for each in seen] == [f"/{number}" for number in range(200, 300)]
    assert re.findall(r">/(\d+)<", text) == [str(number) for number in range(299, 199, -1)]


async def test_calls_that_are_not_on_record_any_more_are_not_shown(door: Door) -> None:
    await door.make_scope("team-a")
    for scope in ("", "team-a"):
        await door.record("/called", scope)
    shown = ("/__admin__/partials/requests", "/__admin__/scopes/team-a")
    assert ["/called" in await page(door, path) for path in shown] == [True, True]
    for key in (" ", "team-a"):
        await door.desk.call("LogService.DeleteLogs", DeleteLogsRequest(session_key=key), DeleteLogsResponse)
    assert ["/called" in await page(door, path) for path in shown] == [False, False]
