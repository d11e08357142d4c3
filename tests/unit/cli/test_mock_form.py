from pathlib import Path

import pytest
from understudy.v1.actions_pb2 import Action, Delay, Header, Respond
from understudy.v1.manifest_service_pb2 import ManifestMock
from understudy.v1.matching_pb2 import Criterion, RequestMatcher
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.mock_form import MockFlags, answer_of, requests_of

DECLINED = ManifestMock(
    name="Declined",
    matcher=RequestMatcher(method="POST", path="/api/pay", query={"currency": Criterion(equals="EUR")}),
    action=Action(respond=Respond(status=402, headers=[Header(name="x-a", value="1")], text="no")),
)


def put(flags: MockFlags, form: ManifestMock | None = None) -> ManifestMock:
    made = ManifestMock()
    made.CopyFrom(form or ManifestMock())
    flags.put_into(made)
    return made


def refused(flags: MockFlags) -> str:
    with pytest.raises(CommandFailed) as caught:
        put(flags)
    assert caught.value.exit_code is ExitCode.USAGE
    return caught.value.message


def test_flags_make_a_whole_mock() -> None:
    flags = MockFlags(
        name="Declined", method="post", path="/api/pay", query=["currency=EUR"], status=402, header=["x-a:  1 "],
        body_text="no",
    )  # fmt: skip
    assert put(flags) == DECLINED


def test_flags_that_are_not_given_change_nothing() -> None:
    assert not MockFlags().given()
    assert put(MockFlags(), DECLINED) == DECLINED


def test_a_list_that_is_given_is_the_exact_one() -> None:
    changed = put(MockFlags(query=["a=b=c", "d="], header=["x-b: c: d"]), DECLINED)
    assert {name: each.equals for name, each in changed.matcher.query.items()} == {"a": "b=c", "d": ""}
    assert [(each.name, each.value) for each in changed.action.respond.headers] == [("x-b", "c: d")]


def test_empty_text_clears() -> None:
    changed = put(MockFlags(method="", path="", query=[""], header=[""]), DECLINED)
    assert requests_of(changed.matcher) == "any request"
    assert not changed.action.respond.headers


def test_a_body_can_be_taken_away() -> None:
    assert put(MockFlags(no_body=True), DECLINED).action.respond.WhichOneof("body") is None


def test_a_delay_of_nothing_ends_the_delay() -> None:
    slow = ManifestMock(action=Action(delay=Delay(fixed_ms=5)))
    assert put(MockFlags(delay_ms=0), slow).action.delay.fixed_ms == 0


def test_json_is_kept_as_it_was_written() -> None:
    assert put(MockFlags(body_json='{"b": 1.0, "a": 1}')).action.respond.json == '{"b": 1.0, "a": 1}'


def test_what_is_no_json_is_refused() -> None:
    assert refused(MockFlags(body_json="{a: 1}")).startswith("--body-json is not JSON: ")


def test_two_bodies_are_refused() -> None:
    flags = MockFlags(body_json="1", body_text="x")
    assert refused(flags) == "--body-json and --body-text exclude each other"


@pytest.mark.parametrize("flags", [MockFlags(query=["currency"]), MockFlags(header=["x-a"]), MockFlags(query=["=x"])])
def test_a_pair_without_its_sign_is_refused(flags: MockFlags) -> None:
    assert "has not the form" in refused(flags)


def test_one_parameter_cannot_have_two_values() -> None:
    assert refused(MockFlags(query=["a=1", "a=2"])) == "--query names 'a' twice"


@pytest.mark.parametrize(
    ("name", "content", "kind", "content_type"),
    [
        ("cart.json", b'{"items": []}', "json", ""),
        ("page.html", b"<p>\xc3\xa9</p>", "text", "text/html; charset=utf-8"),
        ("notes", b"x", "text", ""),
        ("dot.png", b"\x89PNG\xff", "binary", "image/png"),
    ],
)
def test_a_file_is_answered_as_what_it_is(
    tmp_path: Path, name: str, content: bytes, kind: str, content_type: str
) -> None:
    (tmp_path / name).write_bytes(content)
    respond = put(MockFlags(body_file=str(tmp_path / name))).action.respond
    value = getattr(respond, kind)
    assert respond.WhichOneof("body") == kind
    assert (value if kind == "binary" else value.encode()) == content
    assert [each.value for each in respond.headers] == ([content_type] if content_type else [])


def test_a_content_type_that_is_given_counts_more_than_the_name_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("x")
    flags = MockFlags(body_file=str(tmp_path / "page.html"), header=["Content-Type: text/x"])
    assert [each.value for each in put(flags).action.respond.headers] == ["text/x"]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refused(MockFlags(body_file=str(tmp_path / "none")))


@pytest.mark.parametrize(
    ("matcher", "line"),
    [
        (RequestMatcher(), "any request"),
        (RequestMatcher(method="GET"), "GET any path"),
        (RequestMatcher(path="/a"), "/a"),
        (DECLINED.matcher, "POST /api/pay?currency=EUR"),
        (RequestMatcher(path="/a", query={"q": Criterion(json_subset="{}")}), "/a?q"),
        (RequestMatcher(path="/a", body=Criterion(equals="x")), "/a, by body"),
    ],
)
def test_requests_are_told_in_a_line(matcher: RequestMatcher, line: str) -> None:
    assert requests_of(matcher) == line


def test_answers_are_told_in_a_line() -> None:
    assert answer_of(Action()) == "200"
    assert (
        answer_of(Action(respond=Respond(status=402, json="{}"), delay=Delay(fixed_ms=250))) == "402 json, after 250 ms"
    )
