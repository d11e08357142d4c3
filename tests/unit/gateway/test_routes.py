from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import synthetic
from understudy_gateway.transcoding import templates
from understudy_gateway.transcoding.contract import understudy
from understudy_gateway.transcoding.operations import compile_routes
from understudy_gateway.transcoding.routes import (
    MEMO_PATH_BYTES_MAX,
    AmbiguousRoute,
    BadEncoding,
    MethodNotAllowed,
    PathNotFound,
    RouteTree,
)
from understudy_gateway.transcoding.templates import InvalidTemplate, Variable

UNDERSTUDY = compile_routes(understudy())
SYNTHETIC = compile_routes(synthetic.contract())


def tree(*routes: str) -> RouteTree[str]:
    made: RouteTree[str] = RouteTree()
    for route in routes:
        method, path = route.split(" ")
        made.add(method, templates.parse(path), route)
    return made


def test_a_template_knows_its_steps_variables_and_verb() -> None:
    parsed = templates.parse("/v1/{shelf.name=shelves/*}/books/{rest=**}:copy")
    assert parsed.steps == ("v1", "shelves", "*", "books", "**")
    assert parsed.variables == (Variable(("shelf", "name"), 1, 3), Variable(("rest",), 4, None))
    assert parsed.verb == "copy"


@pytest.mark.parametrize("text", ["", "v1/a", "/", "/a/", "/a//b", "/a{b}", "/{a}b", "/{a=**}/b", "/{a", "/{a=x//y}"])
def test_a_malformed_template_is_refused(text: str) -> None:
    with pytest.raises(InvalidTemplate):
        templates.parse(text)


def test_the_same_route_twice_is_refused() -> None:
    with pytest.raises(AmbiguousRoute):
        tree("GET /a/{b}", "GET /a/{c}")


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (b"/api/v1/sessions/ci-42", ("ci-42",)),
        (b"/api/v1/sessions/feature%2Flogin", ("feature/login",)),
        (b"/api/v1/sessions/50%2525", ("50%25",)),
        (b"/api/v1/sessions/a:publish", ("a:publish",)),
        (b"/api/v1/sessions/a%20b", ("a b",)),
        (b"/api/v1/sessions/a+b", ("a+b",)),
        ("/api/v1/sessions/é".encode(), ("é",)),
        (b"/api/v1/sessions/%C3%A9", ("é",)),
        (b"/api/v1/sess%69ons/x", ("x",)),
    ],
)
def test_a_session_key_is_one_segment_decoded_once(path: bytes, values: tuple[str, ...]) -> None:
    match = UNDERSTUDY.find("GET", path)
    assert (match.target.rpc, match.values) == ("/understudy.v1.SessionService/GetSession", values)


@given(st.text(min_size=1).filter(lambda key: key not in {".", ".."}))
def test_any_key_that_is_quoted_comes_back(key: str) -> None:
    encoded = quote(key, safe="").encode()
    assert UNDERSTUDY.find("GET", b"/api/v1/sessions/" + encoded).values == (key,)


@given(st.binary(max_size=40))
def test_any_bytes_are_routed_or_refused(path: bytes) -> None:
    with pytest.raises((PathNotFound, BadEncoding, MethodNotAllowed)):
        UNDERSTUDY.find("GET", b"/nowhere/" + path)


@pytest.mark.parametrize("path", [b"/%", b"/%4", b"/%zz", b"/%ff", b"/\xff", b"/api/v1/sessions/%C3"])
def test_bad_encoding_is_told_apart_from_an_unknown_path(path: bytes) -> None:
    with pytest.raises(BadEncoding):
        UNDERSTUDY.find("GET", path)


@pytest.mark.parametrize(
    "path", [b"", b"/", b"/api/v1/sessions", b"/api/v1/sessions/", b"/api/v1/sessions/a/", b"/api/v1//a"]
)
def test_other_paths_are_not_found(path: bytes) -> None:
    with pytest.raises(PathNotFound):
        UNDERSTUDY.find("GET", path)


def test_a_verb_belongs_to_its_route() -> None:
    match = UNDERSTUDY.find("POST", b"/api/v1/projects/p/environments/e/mocks/ovr_x:publish")
    assert match.target.rpc == "/understudy.v1.MockService/PublishMock"
    assert match.values == ("p", "e", "ovr_x")


def test_a_variable_does_not_swallow_the_verb_of_a_sibling() -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        UNDERSTUDY.find("GET", b"/api/v1/projects/p/environments/e/mocks/ovr_x:publish")
    assert refused.value.allowed == ["POST"]


def test_an_encoded_colon_is_no_verb() -> None:
    match = UNDERSTUDY.find("GET", b"/api/v1/projects/p/environments/e/mocks/ovr_x%3Apublish")
    assert match.values == ("p", "e", "ovr_x:publish")


def test_a_verb_needs_something_before_it() -> None:
    with pytest.raises(MethodNotAllowed):
        UNDERSTUDY.find("POST", b"/api/v1/projects/p/environments/e/mocks/:publish")


def test_a_known_path_names_its_methods() -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        UNDERSTUDY.find("PATCH", b"/api/v1/sessions/a")
    assert refused.value.allowed == ["DELETE", "GET", "HEAD", "PUT"]


def test_a_literal_is_tried_before_a_variable() -> None:
    routes = tree("GET /a/{b}", "GET /a/fixed")
    assert routes.find("GET", b"/a/fixed").target == "GET /a/fixed"


def test_a_variable_is_tried_when_the_literal_leads_nowhere() -> None:
    routes = tree("GET /a/fixed/c", "GET /a/{b}/d", "GET /{rest=**}")
    assert routes.find("GET", b"/a/fixed/d").target == "GET /a/{b}/d"
    assert routes.find("GET", b"/a/fixed/e").target == "GET /{rest=**}"


def test_a_literal_of_another_method_does_not_hide_a_variable() -> None:
    routes = tree("POST /a/fixed", "GET /a/{b}")
    assert routes.find("GET", b"/a/fixed").target == "GET /a/{b}"


def test_any_method_counts_after_the_one_named() -> None:
    routes = tree("* /a", "GET /a")
    assert routes.find("GET", b"/a").target == "GET /a"
    assert routes.find("BREW", b"/a").target == "* /a"


def test_the_rest_of_a_path_may_end_with_a_verb() -> None:
    routes = tree("GET /f/{name=**}", "GET /f/{name=**}:stat")
    assert routes.find("GET", b"/f/a/b:stat") == ("GET /f/{name=**}:stat", ("a/b",))
    assert routes.find("GET", b"/f/a/b") == ("GET /f/{name=**}", ("a/b",))


def test_a_variable_may_span_segments() -> None:
    assert SYNTHETIC.find("GET", b"/shelves/1/books/a%2Fb/c").values == ("1/books/a/b/c",)


def test_a_custom_method_is_routed() -> None:
    assert SYNTHETIC.find("PURGE", b"/things/a").target.rpc == "/synthetic.v1.ThingService/Find"


def test_a_path_too_long_to_remember_is_routed_all_the_same() -> None:
    key = "k" * MEMO_PATH_BYTES_MAX
    assert UNDERSTUDY.find("GET", f"/api/v1/sessions/{key}".encode()).values == (key,)


def test_a_route_added_later_is_found() -> None:
    routes = tree("GET /{a}")
    assert routes.find("GET", b"/x").target == "GET /{a}"
    routes.add("GET", templates.parse("/x"), "later")
    assert routes.find("GET", b"/x").target == "later"
