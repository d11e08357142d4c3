"""Section 7: templates."""

from typing import Any

import pytest
from support.assertive_server import AssertiveUser, template, text

JSON = {"content-type": "application/json"}


@pytest.fixture
def render(user: AssertiveUser, path: str) -> Any:
    """Renders a template for a call; its answer."""

    def answer(source: str, **parts: Any) -> Any:
        stub = user.stub({"path": path + "/{id}/{name}"}, template(source))
        try:
            return user.ask("POST", path + "/42/zo%C3%AB?a=1&a=2&b", **parts)
        finally:
            user.delete_stub(stub)

    return answer


# A template, and what it makes of a call with these headers and a body of text.
TEXTS = {
    "path": ("{{ request.path[-7:] }}", "/42/zoë"),
    "method": ("{{ request.method }}", "POST"),
    "host": ("{{ request.host }}", "127.0.0.1"),
    "scope": ("{{ request.scope is none }}", "True"),
    "query": ("{{ request.query.a }}|{{ request.query.b }}|{{ request.query['a'] }}", "2||2"),
    "headers": ("{{ request.headers['x-team'] }}{{ request.headers.accept }}", "qatext/*"),
    "parameters": ("{{ request.path_params.id }} {{ request.path_params.name }}", "42 zoë"),
    "body": ("{{ request.body }}", "<b>&'\""),
    "a filter": ("{{ request.method | lower }} {{ request.query.nope | default('none') }}", "post none"),
    "a test": ("{{ request.query.nope is defined }}", "False"),
    "a choice": ("{% if request.query.a == '2' %}two{% else %}other{% endif %}", "two"),
    "a loop": ("{% for each in [1, 2, 3] %}{{ each }}{% if not loop.last %},{% endif %}{% endfor %}", "1,2,3"),
    "a variable": ("{% set x = request.query.a %}{{ x }}{{ x }}", "22"),
    "a comment": ("a{# not this #}b", "ab"),
    "arithmetic": ("{{ (request.query.a | int + 1) * 2 }}", "6"),
    "one line feed at the end": ("a\n", "a"),
    "two line feeds at the end": ("a\n\n", "a\n"),
    "no template": ("plain", "plain"),
    "braces of its own": ("{{ '{{' }}{ a }", "{{{ a }"),
    "joined texts": ("{{ request.query.a ~ '-' ~ request.method }}", "2-POST"),
    "membership": ("{{ 'a' in request.query }} {{ 'z' in request.query }}", "True False"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_template_renders(render: Any, name: str) -> None:
    source, wanted = TEXTS[name]
    answer = render(source, headers={"X-Team": "qa", "accept": "text/*"}, content=b"<b>&'\"")
    assert (answer.status_code, answer.text) == (200, wanted)


def test_the_scope_has_its_name(scoped: AssertiveUser) -> None:
    scoped.stub({"path": "/a"}, template("{{ request.scope }}"))
    assert scoped.said("GET", "/a") == (200, scoped.scope)


# A template, a body of JSON and what is made of it.
BODIES = {
    "a field": ("{{ request.body.user.id }}", '{"user": {"id": "u_123"}}', "u_123"),
    "an element": ("{{ request.body[1] }}", "[1, 2]", "2"),
    "a number": ("{{ request.body + 1 }}", "41", "42"),
    "a number with a fraction": ("{{ request.body }}", "1.5", "1.5"),
    "text": ("{{ request.body }}", '"a"', "a"),
    "a loop": (
        "{% for each in request.body.list %}<{{ each.n }}>{% endfor %}",
        '{"list": [{"n": 1}, {"n": 2}]}',
        "<1><2>",
    ),
    "a field called items": ("{{ request.body.items }}", '{"items": 3}', "3"),
    "a field called keys": ("{{ request.body.keys }}", '{"keys": "mine"}', "mine"),
    "null": ("{{ request.body is none }}", "null", "True"),
    "the length": ("{{ request.body | length }}", '{"a": 1, "b": 2}', "2"),
}


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "application/problem+json"])
@pytest.mark.parametrize("name", BODIES)
def test_json_is_parsed(render: Any, name: str, kind: str) -> None:
    source, body, wanted = BODIES[name]
    answer = render(source, headers={"content-type": kind}, content=body.encode())
    assert (answer.status_code, answer.text) == (200, wanted)


@pytest.mark.parametrize(
    "headers", [{}, {"content-type": "text/plain"}, {"content-type": "application/jsonp"}], ids=str
)
def test_what_is_not_called_json_stays_text(render: Any, headers: dict[str, str]) -> None:
    answer = render("{{ request.body }}{{ request.body | length }}", headers=headers, content=b'{"a": 1}')
    assert (answer.status_code, answer.text) == (200, '{"a": 1}8')


def test_no_body_is_empty_text(render: Any) -> None:
    assert render("<{{ request.body }}>").text == "<>"


@pytest.mark.parametrize("body", [b"", b"{", b"<a>", b'{"a": 1} more'])
@pytest.mark.parametrize("source", ["{{ request.body.a }}", "the body is not looked at"])
def test_a_body_that_is_no_json_under_its_name_is_an_error(render: Any, source: str, body: bytes) -> None:
    answer = render(source, headers=JSON, content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/json")
    assert answer.json() == {
        "error": "TEMPLATE_RENDER_ERROR",
        "detail": "Invalid JSON request body for JSON content-type",
    }


def test_a_static_body_needs_no_json(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path}, text("{{ static }}"))
    assert user.said("POST", path, headers=JSON, content=b"{") == (200, "{{ static }}")


# What fails, and how the product words it.
FAILING = {
    "an unknown name": ("{{ nope }}", "'nope' is undefined"),
    "an unknown field": ("{{ request.query.name }}", "'dict object' has no attribute 'name'"),
    "a field of an unknown one": ("{{ request.query.name.first }}", "'dict object' has no attribute 'name'"),
    "an unknown tag": ("{% bad %}", "Encountered unknown tag 'bad'."),
    "an unknown name in a condition": ("{% if nope %}a{% endif %}", "'nope' is undefined"),
    "an unknown name in a loop": ("{% for each in nope %}a{% endfor %}", "'nope' is undefined"),
    "an expression that does not end": ("{{ request.", ""),
    "a block that does not end": ("{% if true %}", ""),
    "a division by zero": ("{{ 1 / 0 }}", ""),
    "an unknown filter": ("{{ request.method | nope }}", ""),
}


@pytest.mark.parametrize("name", FAILING)
def test_a_template_that_fails_says_so_when_it_is_called(render: Any, name: str) -> None:
    source, words = FAILING[name]
    answer = render(source)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/json")
    body = answer.json()
    assert (set(body), body["error"]) == ({"error", "detail"}, "TEMPLATE_RENDER_ERROR")
    assert body["detail"]
    if words:
        assert body["detail"] == words


def test_a_call_whose_template_fails_is_on_record(user: AssertiveUser, path: str) -> None:
    stub = user.stub({"path": path}, template("{{ nope }}"))
    assert user.ask("GET", path).status_code == 500
    assert [each["matched_stub_id"] for each in user.requests(path)] == [stub]


def test_a_branch_that_is_not_taken_does_not_fail(render: Any) -> None:
    assert render("{% if request.query.a == '3' %}{{ nope }}{% endif %}ok").text == "ok"


@pytest.mark.parametrize(
    "source", ["{{ ''.__class__.__mro__ }}", "{{ request.__class__ }}", "{{ request.query.__init__ }}"]
)
def test_a_template_reaches_nothing_but_the_request(render: Any, source: str) -> None:
    answer = render(source)
    assert "class" not in answer.text or answer.status_code == 500
    assert "object at" not in answer.text
