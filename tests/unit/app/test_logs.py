"""Logs: pages of exchanges, previews, and captured bodies as JSON."""

import base64
import hashlib
import json

import pytest
from support.asking import Asker
from support.desk import Desk
from support.dispatching import START_MS, World
from understudy.options.v1.options_pb2 import ROLE_CI
from understudy.v1.log_service_pb2 import (
    SIDE_REQUEST,
    SIDE_RESPONSE,
    GetLogBodyRequest,
    GetLogBodyResponse,
    GetLogRequest,
    GetLogResponse,
    ListLogsRequest,
    ListLogsResponse,
    LogEntry,
)
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy_server.app.logs import BODY_BYTES_MAX
from understudy_server.app.times import milliseconds
from understudy_server.core.draws import Draw
from understudy_server.core.exchange import MASKED, MASKED_AND_CUT, Captured, Exchange
from understudy_server.core.record import Stream

LIST = "LogService.ListLogs"
BODY = "LogService.GetLogBody"


async def ids_of(here: World, project: str, environment: str) -> tuple[str, str]:
    """The ids of a project and of an environment, which callers never see."""
    found = await here.store.read(lambda tx: tx.project(project))
    assert found is not None
    place = await here.store.read(lambda tx: tx.environment(found.id, environment))
    assert place is not None
    return found.id, place.id


async def record(desk: Desk, *bodies: Captured | None, session_key: str = "ci-42") -> list[str]:
    """Note an exchange for each body, which is the request's; their ids, oldest first."""
    project_id, environment_id = await ids_of(desk.world, desk.project, desk.environment)
    journal = desk.world.journal
    made = [
        Exchange(
            id=f"log_{len(journal.exchanges) + number:04}",
            project_id=project_id,
            environment_id=environment_id,
            session_key=session_key,
            session_id="",
            method="POST",
            path="/pay",
            query="a=1",
            status=402,
            started_at_ms=START_MS,
            duration_ms=7,
            mock_id="",
            request_headers=(),
            response_headers=(),
            request_body=body,
            response_body=None,
        )
        for number, body in enumerate(bodies)
    ]
    journal.exchanges.extend(made)
    return [each.id for each in made]


async def page(desk: Desk, request: ListLogsRequest | None = None) -> ListLogsResponse:
    request = request or ListLogsRequest()
    request.session_key = request.session_key or "ci-42"
    return await desk.call(LIST, request, ListLogsResponse)


async def entry(desk: Desk, body: Captured | None) -> LogEntry:
    await record(desk, body)
    return (await page(desk)).logs[0]


async def read(desk: Desk, content: bytes, size_bytes: int | None = None) -> GetLogBodyResponse:
    """Capture a body and ask for it. ``size_bytes``: its whole length, when not all was kept."""
    size = len(content) if size_bytes is None else size_bytes
    (log_id,) = await record(desk, Captured(content, size))
    return await desk.call(BODY, GetLogBodyRequest(log_id=log_id, side=SIDE_REQUEST), GetLogBodyResponse)


def body(text: bytes = b"{}") -> Captured:
    return Captured(text, len(text))


@pytest.mark.parametrize(
    "content",
    [b'{ "b": 1,  "a": 1.10, "b": 2 }', b"null", b" [1] \n", b'"\\ud800"', b"9" * 5_000, b"1e999", '"ü"'.encode()],
)
async def test_json_is_given_as_it_was(desk: Desk, content: bytes) -> None:
    answer = await read(desk, content)
    assert (answer.body.data, answer.body.content_type) == (content, "application/json")


@pytest.mark.parametrize(
    "content",
    [b"plain", "tëxt 🙂".encode(), b"NaN", b'{"a": Infinity}', b"{'a': 1}", b"\xef\xbb\xbf{}", b"a\x00b", b'say "hi"'],
)
async def test_other_text_is_given_as_a_json_string(desk: Desk, content: bytes) -> None:
    assert json.loads((await read(desk, content)).body.data) == content.decode()


@pytest.mark.parametrize(
    "content", [b"\xff\x00", b"\xfe\xff\x00{\x00}", b'{"a": "\xff"}', b"cut \xc3", "{}".encode("utf-16")]
)
async def test_bytes_are_given_as_base64_in_a_json_string(desk: Desk, content: bytes) -> None:
    assert base64.b64decode(json.loads((await read(desk, content)).body.data)) == content


@pytest.mark.parametrize(
    "content",
    [b"[" + b" " * (BODY_BYTES_MAX - 2) + b"]", b"x" * BODY_BYTES_MAX, b'"' * BODY_BYTES_MAX, b"\xff" * BODY_BYTES_MAX],
    ids=["json", "text", "quotes", "bytes"],
)
async def test_a_body_of_exactly_the_limit_is_whole(desk: Desk, content: bytes) -> None:
    answer = await read(desk, content)
    json.loads(answer.body.data)
    assert (answer.truncated, answer.size_bytes) == (False, BODY_BYTES_MAX)


async def test_json_over_the_limit_is_cut_and_says_so(desk: Desk) -> None:
    content = b'["' + b"x" * BODY_BYTES_MAX + b'"]'
    answer = await read(desk, content)
    assert answer.body.data == content[:BODY_BYTES_MAX]
    assert (answer.truncated, answer.size_bytes) == (True, BODY_BYTES_MAX + 4)


@pytest.mark.parametrize("shift", range(4))
async def test_json_is_not_cut_through_a_character(desk: Desk, shift: int) -> None:
    content = b'["' + b"x" * shift + "🙂".encode() * (BODY_BYTES_MAX // 4) + b'"]'
    answer = await read(desk, content)
    assert content.decode().startswith(answer.body.data.decode())
    assert BODY_BYTES_MAX - 3 <= len(answer.body.data) <= BODY_BYTES_MAX


@pytest.mark.parametrize("shift", range(4))
async def test_text_over_the_limit_is_still_one_json_string(desk: Desk, shift: int) -> None:
    content = b"x" * shift + "🙂".encode() * (BODY_BYTES_MAX // 4 + 1)
    answer = await read(desk, content)
    shown = json.loads(answer.body.data)
    assert content.decode().startswith(shown)
    assert answer.truncated
    assert BODY_BYTES_MAX - 3 <= len(shown.encode()) <= BODY_BYTES_MAX


async def test_bytes_over_the_limit_are_cut_before_they_are_written_in_base64(desk: Desk) -> None:
    answer = await read(desk, b"\xff" * (BODY_BYTES_MAX + 1))
    assert base64.b64decode(json.loads(answer.body.data)) == b"\xff" * BODY_BYTES_MAX
    assert answer.truncated


async def test_a_body_that_was_not_kept_whole_says_how_long_it_was(desk: Desk) -> None:
    answer = await read(desk, b'{"a": "\xc3', size_bytes=1_000_000)
    assert (answer.body.data, answer.truncated, answer.size_bytes) == (b'{"a": "', True, 1_000_000)


async def test_json_nested_beyond_all_reason_is_given_as_text(desk: Desk) -> None:
    content = b"[" * 100_000 + b"]" * 100_000
    assert json.loads((await read(desk, content)).body.data) == content.decode()


async def test_a_body_in_which_values_are_masked_is_whole_whatever_its_length(desk: Desk) -> None:
    (log_id,) = await record(desk, Captured(b'{"a":"[redacted]"}', 1_000, "application/json", MASKED))
    answer = await desk.call(BODY, GetLogBodyRequest(log_id=log_id, side=SIDE_REQUEST), GetLogBodyResponse)
    assert answer.body.data == b'{"a":"[redacted]"}'
    assert (answer.truncated, answer.size_bytes, answer.withheld) == (False, 1_000, False)


async def test_a_masked_body_of_which_only_the_beginning_is_kept_says_so(desk: Desk) -> None:
    (log_id,) = await record(desk, Captured(b'["[redacted]","[red', 5, "application/json", MASKED_AND_CUT))
    answer = await desk.call(BODY, GetLogBodyRequest(log_id=log_id, side=SIDE_REQUEST), GetLogBodyResponse)
    assert (answer.body.data, answer.truncated, answer.size_bytes) == (b'["[redacted]","[red', True, 5)


async def test_a_withheld_body_is_told_by_its_length_and_hash(desk: Desk) -> None:
    digest = hashlib.sha256(b"{'a': 1}").hexdigest()
    (log_id,) = await record(desk, Captured(b"", 8, "application/json", digest))
    answer = await desk.call(BODY, GetLogBodyRequest(log_id=log_id, side=SIDE_REQUEST), GetLogBodyResponse)
    assert json.loads(answer.body.data) == {"withheld": True, "sizeBytes": 8, "sha256": digest}
    assert (answer.body.content_type, answer.size_bytes) == ("application/json", 8)
    assert (answer.truncated, answer.withheld) == (False, True)
    (row,) = (await page(desk)).logs
    assert row.request_preview == answer.body.data.decode()


async def test_a_body_of_which_only_the_length_is_kept_says_how_long_it_was(desk: Desk) -> None:
    answer = await read(desk, b"", size_bytes=8)
    assert (answer.body.data, answer.truncated, answer.size_bytes, answer.withheld) == (b'""', True, 8, False)


async def test_a_side_without_a_body_is_not_found(desk: Desk) -> None:
    (log_id,) = await record(desk, body())
    assert await desk.code(BODY, GetLogBodyRequest(log_id=log_id, side=SIDE_RESPONSE)) == "not_found"


async def test_each_side_has_its_own_body(desk: Desk) -> None:
    (log_id,) = await record(desk, body(b"1"))
    exchanges = desk.world.journal.exchanges
    exchanges[0] = exchanges[0]._replace(response_body=body(b"2"))
    answers = [
        await desk.call(BODY, GetLogBodyRequest(log_id=log_id, side=side), GetLogBodyResponse)
        for side in (SIDE_REQUEST, SIDE_RESPONSE)
    ]
    assert [each.body.data for each in answers] == [b"1", b"2"]


async def test_an_unknown_log_is_not_found(desk: Desk) -> None:
    assert await desk.code(BODY, GetLogBodyRequest(log_id="log_none", side=SIDE_REQUEST)) == "not_found"


@pytest.mark.parametrize("side", [0, 3, -1])
async def test_a_body_is_of_one_of_two_sides(desk: Desk, side: int) -> None:
    request = GetLogBodyRequest(log_id="log_none", side=side)  # type: ignore[arg-type]
    problem = await desk.refused(BODY, request)
    assert (problem.reason, problem.field) == ("invalid_side", "side")


@pytest.mark.parametrize(
    ("place", "named", "code"),
    [
        (("", ""), "", ""),
        (("", ""), "checkout", ""),
        (("", ""), "other", "not_found"),
        (("", ""), "nowhere", "not_found"),
        (("checkout", ""), "", ""),
        (("checkout", ""), "checkout", ""),
        (("checkout", ""), "other", "scope_mismatch"),
        (("checkout", ""), "nowhere", "scope_mismatch"),
        (("checkout", "staging"), "", ""),
        (("checkout", "qa"), "", "scope_mismatch"),
        (("other", ""), "", "scope_mismatch"),
        (("other", "staging"), "", "scope_mismatch"),
    ],
)
async def test_a_key_reads_the_bodies_of_its_own_place(
    desk: Desk, place: tuple[str, str], named: str, code: str
) -> None:
    (log_id,) = await record(desk, body())
    key = await desk.world.make_key(ROLE_CI, *place)
    request = GetLogBodyRequest(log_id=log_id, side=SIDE_REQUEST, project=named)
    assert await desk.world.code(BODY, request, key) == code


async def test_a_row_tells_what_went_through(desk: Desk) -> None:
    row = await entry(desk, None)
    assert (row.method, row.path, row.query, row.status, row.duration_ms) == ("POST", "/pay", "a=1", 402, 7)
    assert milliseconds(row.created_at) == START_MS


async def test_a_row_without_a_mock_or_a_body_says_so(desk: Desk) -> None:
    row = await entry(desk, None)
    assert not row.override_applied
    assert not any(row.HasField(name) for name in ("override_id", "request_preview", "response_preview"))


async def test_a_row_names_the_mock_that_answered(desk: Desk) -> None:
    await record(desk, None)
    exchanges = desk.world.journal.exchanges
    exchanges[0] = exchanges[0]._replace(mock_id="ovr_a")
    (row,) = (await page(desk)).logs
    assert (row.override_applied, row.override_id) == (True, "ovr_a")


@pytest.mark.parametrize("findings", [(), ("carriers_disagree",), ("session_header_repeated", "carriers_disagree")])
async def test_a_row_names_what_was_odd_about_the_request(desk: Desk, findings: tuple[str, ...]) -> None:
    await record(desk, None)
    exchanges = desk.world.journal.exchanges
    exchanges[0] = exchanges[0]._replace(findings=findings)
    (row,) = (await page(desk)).logs
    assert tuple(row.findings) == findings


async def test_a_row_tells_what_was_drawn_and_which_use_of_the_mock_it_was(desk: Desk) -> None:
    await record(desk, None)
    exchanges = desk.world.journal.exchanges
    exchanges[0] = exchanges[0]._replace(draws=(Draw("delay_ms", "132"), Draw("fault", "true")), occurrence=3)
    (row,) = (await page(desk)).logs
    assert [(each.name, each.value) for each in row.draws] == [("delay_ms", "132"), ("fault", "true")]
    assert row.occurrence == 3


async def test_a_row_of_an_answer_without_chance_and_count_says_so(desk: Desk) -> None:
    row = await entry(desk, None)
    assert (list(row.draws), row.occurrence) == ([], 0)


@pytest.mark.parametrize(
    ("content", "preview"),
    [
        (b"x" * 512, "x" * 512),
        (b"x" * 513, "x" * 512),
        ("ü".encode() * 600, "ü" * 512),
        ("🙂".encode() * 600, "🙂" * 512),
        (b"x" * 511 + "🙂".encode(), "x" * 511 + "🙂"),
        (b"a\xffb", "a\ufffdb"),
    ],
    ids=["exact", "over", "two bytes", "four bytes", "last", "binary"],
)
async def test_a_preview_is_the_first_512_characters(desk: Desk, content: bytes, preview: str) -> None:
    assert (await entry(desk, body(content))).request_preview == preview


async def test_pages_go_back_in_time_without_gap_or_overlap(desk: Desk) -> None:
    made = await record(desk, *[None] * 5)
    pages, request = [], ListLogsRequest(limit=2)
    while True:
        found = await page(desk, request)
        pages.append([each.id for each in found.logs])
        if not found.HasField("next_cursor"):
            break
        request = ListLogsRequest(limit=2, before=found.next_cursor)
    assert pages == [made[:2:-1], made[2:0:-1], made[:1]]


async def test_since_gives_the_oldest_rows_after_the_cursor_and_no_cursor(desk: Desk) -> None:
    made = await record(desk, *[None] * 5)
    found = await page(desk, ListLogsRequest(limit=2, since=made[0]))
    assert [each.id for each in found.logs] == made[1:3]
    assert not found.HasField("next_cursor")


async def test_before_and_since_exclude_each_other(desk: Desk) -> None:
    problem = await desk.refused(LIST, ListLogsRequest(session_key="ci-42", before="a", since="b"))
    assert (problem.reason, problem.field, problem.rule) == ("invalid_field", "since", "exclusive")


@pytest.mark.parametrize(("limit", "rows"), [(0, 1), (-5, 1), (1, 1), (100, 100), (101, 100), (2**31 - 1, 100)])
async def test_a_limit_is_moved_into_its_range(desk: Desk, limit: int, rows: int) -> None:
    await record(desk, *[None] * 105)
    assert len((await page(desk, ListLogsRequest(limit=limit))).logs) == rows


async def test_without_a_limit_there_are_fifty_rows(desk: Desk) -> None:
    await record(desk, *[None] * 60)
    assert len((await page(desk)).logs) == 50


async def test_a_session_without_traffic_has_an_empty_page(desk: Desk) -> None:
    await desk.put()
    assert await page(desk) == ListLogsResponse()


async def test_a_page_beyond_the_last_row_of_a_key_without_a_session_is_empty(desk: Desk) -> None:
    (log_id,) = await record(desk, None)
    assert await page(desk, ListLogsRequest(before=log_id)) == ListLogsResponse()


async def test_a_key_without_session_and_traffic_is_not_found(desk: Desk) -> None:
    assert await desk.code(LIST, ListLogsRequest(session_key="ci-42")) == "not_found"


async def test_logs_outlive_a_session_whose_time_is_over(desk: Desk) -> None:
    await desk.put(PutSessionRequest(ttl_seconds=1))
    await record(desk, None)
    desk.world.clock.advance(1)
    assert len((await page(desk)).logs) == 1


async def test_a_session_whose_time_is_over_is_not_found_when_it_had_no_traffic(desk: Desk) -> None:
    await desk.put(PutSessionRequest(ttl_seconds=1))
    desk.world.clock.advance(1)
    assert await desk.code(LIST, ListLogsRequest(session_key="ci-42")) == "not_found"


async def test_logs_of_another_environment_are_not_shown(desk: Desk) -> None:
    await record(Desk(desk.world, environment="qa"), None)
    await desk.put()
    assert await page(desk) == ListLogsResponse()


async def test_a_key_is_normalised_before_it_is_looked_for(desk: Desk) -> None:
    await record(desk, None)
    assert len((await page(desk, ListLogsRequest(session_key=" ci-\r\n42 "))).logs) == 1


async def in_session(desk: Desk, *lost: int, count: int) -> Asker:
    """So many exchanges of a session, of which some were lost."""
    ask = Asker(desk)
    stream = await ask.begin()
    for _ in range(count):
        ask.record(stream)
    desk.world.journal.lose(stream, *lost)
    return ask


def gaps(found: ListLogsResponse) -> list[tuple[int, int]]:
    return [(each.number, each.lost_before) for each in found.logs]


async def test_rows_tell_what_was_lost_before_them(desk: Desk) -> None:
    await in_session(desk, 1, 2, 5, count=7)
    assert gaps(await page(desk)) == [(7, 0), (6, 1), (4, 0), (3, 2)]


async def test_what_was_lost_between_two_pages_is_told(desk: Desk) -> None:
    await in_session(desk, 3, count=6)
    first = await page(desk, ListLogsRequest(limit=3))
    assert gaps(first) == [(6, 0), (5, 0), (4, 1)]
    assert gaps(await page(desk, ListLogsRequest(limit=3, before=first.next_cursor))) == [(2, 0), (1, 0)]


async def test_what_was_lost_since_a_row_is_told(desk: Desk) -> None:
    await in_session(desk, 3, count=5)
    (oldest,) = (await page(desk, ListLogsRequest(limit=5))).logs[-2:-1]
    assert gaps(await page(desk, ListLogsRequest(since=oldest.id))) == [(4, 1), (5, 0)]


async def test_of_rows_without_a_session_no_loss_is_told(desk: Desk) -> None:
    ask = Asker(desk)
    stream = Stream(await ask.environment_id())
    for key in ("ci-42", "other", "ci-42"):
        ask.record(stream, session_key=key)
    assert gaps(await page(desk)) == [(3, 0), (1, 0)]


async def test_a_row_without_a_session_between_two_of_one_hides_no_loss(desk: Desk) -> None:
    ask = Asker(desk)
    stream = await ask.begin()
    for _ in range(2):
        ask.record(stream)
    ask.record(Stream(stream.environment_id), session_key=stream.session_key)
    ask.record(stream)
    desk.world.journal.lose(stream, 2)
    found = (await page(desk)).logs
    assert [(each.session_id, each.number, each.lost_before) for each in found] == [
        (stream.session_id, 3, 1),
        ("", 1, 0),
        (stream.session_id, 1, 0),
    ]


async def test_one_row_is_read_with_headers_and_bodies(desk: Desk) -> None:
    ask = Asker(desk)
    made = ask.record(await ask.begin(), headers=((b"X-A", b"1"),), body=b"{}")
    answer = await desk.world.call("LogService.GetLog", GetLogRequest(log_id=made.id))
    assert isinstance(answer, GetLogResponse)
    found = answer.log
    assert (found.id, found.details.request_body.content) == (made.id, b"{}")
    assert [(each.name, each.value) for each in found.details.request_headers] == [("X-A", "1")]


async def test_an_unknown_row_is_not_found(desk: Desk) -> None:
    assert await desk.code("LogService.GetLog", GetLogRequest(log_id="log_none")) == "not_found"
