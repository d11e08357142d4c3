"""From the parts of an HTTP request to the message of a call, and the mask of what is there."""

from typing import Any
from urllib.parse import quote

import pytest
from google.rpc.code_pb2 import INVALID_ARGUMENT
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st
from support import synthetic
from understudy import status
from understudy.v1 import session_service_pb2
from understudy_gateway.transcoding.contract import understudy
from understudy_gateway.transcoding.operations import compile_routes
from understudy_gateway.transcoding.requests import RequestParts

UNDERSTUDY = compile_routes(understudy())
SYNTHETIC = compile_routes(synthetic.contract())
SESSION = "/api/v1/sessions/ci-42"
MOCK = "/api/v1/projects/p/environments/e/mocks/ovr_x"


def decode(
    method: str, url: str, body: bytes | str = b"", headers: dict[bytes, bytes] | None = None
) -> tuple[Any, Any]:
    """Decode a request of Understudy, or of the synthetic contract when its path says so."""
    path, _, query = url.partition("?")
    tree = UNDERSTUDY if path.startswith("/api/") else SYNTHETIC
    match = tree.find(method, path.encode())
    text = body.encode() if isinstance(body, str) else body
    return match.target.request.decode(RequestParts(match.values, query.encode("latin-1"), headers or {}, text))


def problem(refusal: Status | None) -> tuple[str, str, str]:
    assert refusal is not None
    assert refusal.code == INVALID_ARGUMENT
    read = status.read(refusal)
    return read.reason, read.field, read.rule


def test_the_path_and_the_query_fill_a_get() -> None:
    message, refusal = decode("GET", f"{SESSION}?project=checkout&environment=staging")
    expected = session_service_pb2.GetSessionRequest(session_key="ci-42", project="checkout", environment="staging")
    assert (message, refusal) == (expected, None)


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ("", []),
        ("{}", []),
        ('{"label":null}', ["label"]),
        ('{"overrides":[]}', ["overrides"]),
        ('{"globalDelayMs":0,"scenario":"scn_x"}', ["global_delay_ms", "scenario"]),
        ('{"project":"p","environment":"e","sessionKey":"other","label":"x"}', ["label"]),
        ('{"unknown":1,"label":""}', ["label"]),
    ],
)
def test_the_keys_of_a_put_become_its_mask(body: str, paths: list[str]) -> None:
    message, refusal = decode("PUT", SESSION, body)
    assert refusal is None
    assert message.HasField("update_mask")
    assert list(message.update_mask.paths) == paths
    assert message.session_key == "ci-42"


ENVIRONMENT = "/api/v1/projects/p/environments/e"


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ("{}", []),
        ('{"name":"a"}', ["name"]),
        ('{"cors":{"forwardPreflights":true},"limits":{}}', ["cors", "limits"]),
    ],
)
def test_the_keys_of_a_patch_become_its_mask_by_top_level_names(body: str, paths: list[str]) -> None:
    message, refusal = decode("PATCH", ENVIRONMENT, body)
    assert refusal is None
    assert list(message.update_mask.paths) == paths


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ("{}", []),
        ('{"name":"a"}', ["name"]),
        ('{"matcher":{"method":"GET"},"action":{}}', ["matcher.method"]),
        ('{"action":{"respond":{"status":201,"headers":[]}}}', ["action.respond.status", "action.respond.headers"]),
        ('{"matcher":{"query":{"a":{"equals":"b"}}}}', ["matcher.query"]),
        ('{"matcher":{"body":{"not":{"jsonPath":{"path":"$"}}}}}', ["matcher.body.not.json_path.path"]),
        ('{"action":{"respond":{"json":null}}}', ["action.respond.json"]),
        ('{"action":{"respond":null,"delay":{"fixedMs":1}}}', ["action.respond", "action.delay.fixed_ms"]),
        ('{"lifetime":null,"tags":null,"priority":null}', ["lifetime", "tags", "priority"]),
        ('{"matcher":{"body":{}}}', []),
        ('{"id":"ovr_y","state":"draft","revision":7}', ["id"]),
    ],
)
def test_where_objects_are_merged_the_mask_leads_into_them(body: str, paths: list[str]) -> None:
    message, refusal = decode("PATCH", MOCK, body)
    assert refusal is None
    assert list(message.update_mask.paths) == paths


def test_an_object_that_says_nothing_is_not_there_to_be_merged() -> None:
    message, refusal = decode("PATCH", MOCK, '{"matcher":{"body":{}},"action":{"respond":{}},"name":"a"}')
    assert refusal is None
    assert [field.name for field, _ in message.mock.ListFields()] == ["name"]


def test_what_is_cleared_within_an_object_is_absent() -> None:
    message, refusal = decode("PATCH", MOCK, '{"matcher":{"body":null,"method":"GET"}}')
    assert refusal is None
    assert list(message.update_mask.paths) == ["matcher.body", "matcher.method"]
    assert not message.mock.matcher.HasField("body")


def test_one_alternative_may_be_cleared_where_another_is_set() -> None:
    message, refusal = decode("PATCH", MOCK, '{"matcher":{"body":{"equals":null,"contains":"x"}}}')
    assert refusal is None
    assert list(message.update_mask.paths) == ["matcher.body.equals", "matcher.body.contains"]
    assert message.mock.matcher.body.WhichOneof("test") == "contains"


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ('{"action":{"respond":{"headers":[{"name":null}]}}}', "mock.action.respond.headers[0].name", "null"),
        ('{"matcher":{"query":{"a":null}}}', "mock.matcher.query['a']", "type"),
        ('{"matcher":{"query":{"a":{"equals":null}}}}', "mock.matcher.query['a'].equals", "null"),
        ('{"matcher":{"body":{"equals":"a","contains":"b"}}}', "mock.matcher.body.contains", "oneof"),
        ('{"action":{"respond":[]}}', "mock.action.respond", "type"),
        ('{"action":{"respond":{"nothing":1}}}', "mock.action.respond.nothing", "unknown"),
    ],
)
def test_what_cannot_be_merged_is_refused(body: str, field: str, rule: str) -> None:
    assert problem(decode("PATCH", MOCK, body)[1]) == ("invalid_field", field, rule)


def test_null_clears_nothing_where_objects_are_set_whole() -> None:
    assert problem(decode("PATCH", ENVIRONMENT, '{"cors":null}')[1]) == ("invalid_field", "changes.cors", "null")


def test_criteria_may_be_nested_as_deep_as_the_contract_says_and_deeper_ones_are_read_to_be_refused() -> None:
    for levels in (24, 25):
        nested = '{"all":{"criteria":[' * (levels - 1) + '{"equals":"x"}' + "]}}" * (levels - 1)
        message, refusal = decode("POST", f"{ENVIRONMENT}/mocks", f'{{"name":"a","matcher":{{"body":{nested}}}}}')
        assert refusal is None
        # It can go through every door and every file: protobuf reads 100 messages within each other.
        assert type(message).FromString(message.SerializeToString()) == message


def test_json_that_is_nested_too_deep_is_refused_as_such() -> None:
    nested = '{"not":' * 95 + '{"equals":"x"}' + "}" * 95
    _, refusal = decode("POST", f"{ENVIRONMENT}/mocks", f'{{"name":"a","matcher":{{"body":{nested}}}}}')
    assert problem(refusal)[0] == "invalid_json"
    assert status.read(refusal).message == "The JSON is nested deeper than 96 levels."


FILE = f"{ENVIRONMENT}/files/reports%2Fmay.pdf"


@pytest.mark.parametrize(
    ("headers", "content_type"),
    [
        ({b"content-type": b"application/pdf"}, "application/pdf"),
        ({b"content-type": b" text/plain; charset=utf-8 "}, "text/plain; charset=utf-8"),
        ({b"content-type": b""}, ""),
        ({}, ""),
    ],
)
def test_a_body_of_bytes_is_taken_as_it_is_with_its_type(headers: dict[bytes, bytes], content_type: str) -> None:
    message, refusal = decode("PUT", FILE, b'\x00{"not": json\xff', headers)
    assert refusal is None
    assert (message.project, message.environment, message.name) == ("p", "e", "reports/may.pdf")
    assert (message.content.data, message.content.content_type) == (b'\x00{"not": json\xff', content_type)


def test_a_body_of_no_bytes_is_there() -> None:
    message, refusal = decode("PUT", FILE)
    assert refusal is None
    assert message.HasField("content")


def test_the_type_of_a_body_is_asked_for_only_where_it_is_kept() -> None:
    assert b"content-type" in UNDERSTUDY.find("PUT", FILE.encode()).target.headers
    assert b"content-type" not in UNDERSTUDY.find("PUT", SESSION.encode()).target.headers


def test_a_request_without_a_mask_gets_none() -> None:
    message, refusal = decode("POST", "/api/v1/projects/p/environments/e/mocks", '{"name":"a"}')
    assert refusal is None
    assert (message.project, message.mock.name) == ("p", "a")


def test_the_body_wins_over_the_query() -> None:
    message, _ = decode("PUT", f"{SESSION}?project=one&environment=two", '{"project":"three"}')
    assert (message.project, message.environment) == ("three", "two")


def test_other_fields_do_not_come_from_the_query_beside_a_whole_body() -> None:
    message, refusal = decode("PUT", f"{SESSION}?label=x&sessionKey=y")
    assert refusal is None
    assert (message.label, message.session_key) == ("", "ci-42")


@pytest.mark.parametrize(
    "name", ["nothing", "session_key", "mockId", "expectedRevision", "updateMask", "mock.name", "project.x"]
)
def test_an_unknown_parameter_is_refused(name: str) -> None:
    _, refusal = decode("GET", f"/api/v1/projects/p/environments/e/mocks?{name}=1")
    assert problem(refusal) == ("invalid_field", name, "unknown")


def test_an_unknown_parameter_is_ignored_where_the_contract_is_lenient() -> None:
    assert decode("GET", f"{SESSION}?nothing=1")[1] is None


def test_two_values_for_one_field_are_refused() -> None:
    _, refusal = decode("GET", f"{SESSION}?project=a&project=b")
    assert problem(refusal) == ("invalid_field", "project", "repeated")


@pytest.mark.parametrize(
    ("text", "limit"),
    [("7", 7), ("0", 0), ("-3", -3), ("99999999999", 2**31 - 1), ("2.0", 2), ("+5", 5)],
)
def test_a_number_that_is_clamped_is_read(text: str, limit: int) -> None:
    message, refusal = decode("GET", f"{SESSION}/logs?limit={quote(text)}")
    assert refusal is None
    assert message.limit == limit


@pytest.mark.parametrize("text", ["", "abc", "1.5", "٣", "1e2", "true", "0x1"])
def test_text_that_is_no_number_counts_as_absent_where_numbers_are_clamped(text: str) -> None:
    message, refusal = decode("GET", f"{SESSION}/logs?limit={quote(text)}")
    assert refusal is None
    assert not message.HasField("limit")


def test_two_values_are_refused_even_where_numbers_are_clamped() -> None:
    assert problem(decode("GET", f"{SESSION}/logs?limit=1&limit=2")[1])[2] == "repeated"


@pytest.mark.parametrize(("text", "reason"), [("x", "invalid_mode"), ("", "invalid_mode"), ("RESET", "invalid_mode")])
def test_a_field_of_the_query_has_its_own_reason(text: str, reason: str) -> None:
    assert problem(decode("DELETE", f"{SESSION}?mode={text}")[1]) == (reason, "mode", "enum")


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [
        ("thing.text=a%20b+c", "text", "a b c"),
        ("thing.textList=a&thing.textList=b", "text_list", ["a", "b"]),
        ("thing.truth=true", "truth", True),
        ("thing.truth=false", "truth", False),
        ("thing.whole=-1", "whole", -1),
        ("thing.ratio=1e3", "ratio", 1000.0),
        ("thing.blob=AAE%3D", "blob", b"\0\1"),
        ("thing.colour=dark_green", "colour", 2),
        ("thing.loose=%7B%22a%22:1.0%7D", "loose", '{"a":1.0}'),
    ],
)
def test_a_nested_field_is_bound_by_its_dotted_name(query: str, field: str, value: object) -> None:
    message, refusal = decode("GET", f"/things/a?{query}")
    assert refusal is None
    assert getattr(message.thing, field) == value


def test_a_time_in_the_query_is_read() -> None:
    message, refusal = decode("GET", "/things/a?thing.inner.at=1970-01-01T00:00:01Z")
    assert refusal is None
    assert message.thing.inner.at.seconds == 1


@pytest.mark.parametrize(
    "query",
    [
        "thing.truth=True",
        "thing.truth=1",
        "thing.truth=",
        "thing.whole=",
        "thing.whole=1.5",
        "thing.ratio=NaN",
        "thing.blob=!!",
        "thing.at=now",
        "thing.loose={",
        "thing=1",
        "thing.inners=1",
        "thing.innerList=1",
        "thing.atList=1970-01-01T00:00:01Z",
        "thing.text.more=1",
        "name=other",
    ],
)
def test_what_a_parameter_cannot_be_is_refused(query: str) -> None:
    assert problem(decode("GET", f"/things/a?{query}")[1])[0] == "invalid_field"


def test_a_fault_in_the_query_names_the_path_of_its_field() -> None:
    assert problem(decode("GET", "/things/a?thing.inner.wholeList=x")[1])[1] == "thing.inner.whole_list"


@pytest.mark.parametrize("query", ["project=%", "project=%zz", "%ff=1", "project=\xff"])
def test_a_query_that_is_not_percent_encoded_utf_8_is_refused(query: str) -> None:
    assert problem(decode("GET", f"{SESSION}?{query}")[1]) == ("invalid_request", "", "encoding")


@pytest.mark.parametrize(
    ("header", "revision"),
    [(b'"7"', 7), (b'W/"7"', 7), (b"7", 7), (b' "7" ', 7), (b"*", 0), (b'"0"', 0)],
)
def test_an_entity_tag_is_read_as_a_revision(header: bytes, revision: int) -> None:
    message, refusal = decode("PATCH", MOCK, "{}", {b"if-match": header})
    assert refusal is None
    assert message.expected_revision == revision


@pytest.mark.parametrize("header", [b"", b'"', b'""', b"x", b'"7', b'"1", "2"', b"\xff", b"1.5", b"9" * 30])
def test_an_entity_tag_that_is_no_revision_is_refused(header: bytes) -> None:
    _, refusal = decode("DELETE", MOCK, headers={b"if-match": header})
    assert problem(refusal)[:2] == ("invalid_field", "expected_revision")


@pytest.mark.parametrize(
    ("method", "url"),
    [
        *(("POST", f"{MOCK}:{verb}") for verb in ("publish", "unpublish", "activate", "deactivate")),
        ("PUT", SESSION),
        ("DELETE", SESSION),
    ],
)
def test_what_is_answered_with_an_entity_tag_takes_one(method: str, url: str) -> None:
    message, refusal = decode(method, url, headers={b"if-match": b'"7"'})
    assert (refusal, message.expected_revision) == (None, 7)


def test_a_revision_is_no_part_of_the_body_of_a_session() -> None:
    message, refusal = decode("PUT", SESSION, '{"expectedRevision":7}')
    assert (refusal, message.expected_revision, list(message.update_mask.paths)) == (None, 0, [])


def test_a_header_that_is_no_entity_tag_is_taken_as_it_is() -> None:
    assert decode("GET", "/things/a", headers={b"x-trace": b' W/"7" '})[0].trace == 'W/"7"'


def test_a_variable_may_fill_a_nested_field() -> None:
    assert decode("GET", "/deep/a%2Fb")[0].thing.text == "a/b"


def test_malformed_json_leaves_the_rest_readable() -> None:
    message, refusal = decode("PUT", f"{SESSION}?project=p", '{"label":')
    assert problem(refusal)[0] == "invalid_json"
    assert (message.session_key, message.project) == ("ci-42", "p")


@pytest.mark.parametrize("body", ["[]", "null", "1", '"a"', b"\xff", " "])
def test_a_body_that_is_no_object_is_refused(body: bytes | str) -> None:
    assert problem(decode("PUT", SESSION, body)[1])[0] == "invalid_json"


def test_the_first_fault_is_the_one_reported() -> None:
    _, refusal = decode("PUT", SESSION, '{"label":1,"globalDelayMs":"x"}')
    assert problem(refusal)[1] == "label"


def test_a_fault_in_the_place_is_reported_before_any_other() -> None:
    _, refusal = decode("PUT", SESSION, '{"label":1,"environment":2,"project":3}')
    assert problem(refusal)[1] == "project"


def test_a_refusal_says_what_was_given_and_names_the_field() -> None:
    _, refusal = decode("PUT", SESSION, '{"globalDelayMs":"100"}')
    read = status.read(refusal)
    expected = ("global_delay_ms must be a whole number.", "global_delay_ms", "100")
    assert (read.message, read.field, read.given) == expected


def test_a_long_offending_value_is_cut() -> None:
    _, refusal = decode("PUT", SESSION, f'{{"globalDelayMs":"{"x" * 5000}"}}')
    assert len(status.read(refusal).given) == 100


def test_the_places_of_the_query_are_told_apart_from_those_of_the_body() -> None:
    put = UNDERSTUDY.find("PUT", SESSION.encode()).target.request
    assert put.places(b"project=a&environment=b&label=c") == {"project": "a", "environment": "b"}
    assert put.places(b"") == {}
    assert put.places(b"project=%zz") == {}


def test_a_call_without_a_body_has_no_other_place_than_its_message() -> None:
    assert UNDERSTUDY.find("GET", SESSION.encode()).target.request.places(b"project=a") == {}


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_no_bytes_break_a_request(query: bytes, body: bytes) -> None:
    match = UNDERSTUDY.find("PUT", SESSION.encode())
    message, _ = match.target.request.decode(RequestParts(match.values, query, {}, body))
    message.SerializeToString()


@pytest.mark.parametrize("sent", ["größe".encode(), "größe".encode("latin-1")])
def test_a_header_is_read_as_the_proxy_reads_it(sent: bytes) -> None:
    path = "/api/v1/projects/p/environments/e/flags/a:evaluate"
    message, refusal = decode("POST", path, "{}", {b"x-flowmock-session": sent, b"baggage": b"run=" + sent})
    assert (refusal, message.session_key, message.baggage) == (None, "größe", "run=größe")
