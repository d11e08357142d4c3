"""What templates of answers can speak of: the request, the session, state, time, chance and made-up data."""

import re

import pytest
from support.answering import CHAIN, ENVIRONMENT, SESSION, draws_of, rendered, scene
from understudy_server.core.matching.request import OVERLONG
from understudy_server.core.responding.template_functions import FUNCTIONS, NOTES_MAX
from understudy_server.core.responding.template_request import PARTS
from understudy_server.core.responding.templates import LANGUAGE, begin, compile_text
from understudy_server.core.templating.faults import BadTemplate, Fault
from understudy_server.state.memory import MemoryState

REQUEST = scene(
    "/users/7%2Fa?name=Bo&name=Al&page=2",
    method="POST",
    body=b'{"a": {"b": [1, 2]}, "items": 5}',
    headers={"X-Id": "q1", "x-id": "q2", "Cookie": "sid=3; theme=dark"},
    parameters={"id": "7/a"},
)
FORM = scene("/", method="POST", body=b"color=red&color=blue&size=4")

PART_EXAMPLES = {
    "method": [("{{ request.method }}", "POST")],
    "path": [("{{ request.path }}", "/users/7/a")],
    "target": [("{{ request.target }}", "/users/7%2Fa?name=Bo&name=Al&page=2")],
    "host": [("{{ request.host }}", "shop.example.com")],
    "query": [
        ("{{ request.query.name }}{{ request.query['page'] }}", "Al2"),
        ("{{ request.query.zz|default('-') }}{{ request.query.get('zz', '-') }}", "--"),
        ("{{ request.query|tojson }}", '{"name":"Al","page":"2"}'),
    ],
    "query_all": [("{{ request.query_all.name|join('+') }}", "Bo+Al")],
    "headers": [
        ("{{ request.headers['X-ID'] }}{{ request.headers['x-id'] }}", "q1q1"),
        ("{{ request.headers.nope is defined }}", "False"),
        ("{{ request.headers.keys()|join(',') }}", "x-id,cookie"),
    ],
    "cookies": [("{{ request.cookies.sid }}{{ request.cookies.theme }}", "3dark")],
    "path_params": [("{{ request.path_params.id }}", "7/a")],
    "body": [("{{ request.body|length }}", "32")],
    "json": [
        ("{{ request.json.a.b[1] }}{{ request.json['items'] }}{{ request.json.items }}", "255"),
        ("{{ request.json.zz.y|default('-') }}{{ request.json.zz.y is defined }}", "-False"),
        ("{% for key in request.json %}{{ key }};{% endfor %}", "a;items;"),
        ("{{ request.json.get('a').b|tojson }}", "[1,2]"),
    ],
    "form": [("{{ request.form.keys()|list|length }}", "1")],
}
OTHER_EXAMPLES = [
    ("{{ session.key }} {{ session.seed }}", "ci-42 seed:7"),
    ("{{ occurrence }}", "1"),
    ("{{ now() }}", "2026-06-23T12:00:00.123Z"),
    ("{{ now('%Y/%m', days=10) }} {{ now(format='%H:%M', hours=-1, minutes=2, seconds=60) }}", "2026/07 11:03"),
    ("{{ now_ms() }} {{ now_ms(days=1) - now_ms() }}", "1782216000123 86400000"),
    ("{{ now_seconds() }}", "1782216000"),
    ("{{ {'id': request.path_params.id, 'page': request.query.page|int}|tojson }}", '{"id":"7/a","page":2}'),
    ("{% set request = {'method': 'mine'} %}{{ request.method }}", "mine"),
    ("{% for state in [1] %}{{ state }}{% endfor %}", "1"),
]
DRAWN = {
    "fake": (["{{ fake('city') }}", "{{ fake.first_name() }}", "{{ fake.FirstName() }}"], r"[A-Z].+"),
    "random_bool": (["{{ random_bool() }}", "{{ random_bool(0.9) }}"], "True|False"),
    "random_choice": (["{{ random_choice(['a', 'b']) }}", "{{ ['a', 'b']|random }}"], "[ab]"),
    "random_float": (["{{ random_float(1, 2, digits=3) }}"], r"[12]\.[0-9]{1,3}"),
    "random_int": (["{{ random_int(5, 7) }}"], "[567]"),
    "random_string": (["{{ random_string(8) }}", "{{ random_string(8, alphabet='xyz') }}"], "[A-Za-z0-9]{8}"),
    "uuid": (["{{ uuid() }}"], "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
}


@pytest.mark.parametrize(("source", "result"), [each for examples in PART_EXAMPLES.values() for each in examples])
def test_a_part_of_the_request_is_this(source: str, result: str) -> None:
    assert rendered(source, REQUEST) == result


def test_every_part_of_the_request_has_an_example() -> None:
    assert set(PART_EXAMPLES) == set(PARTS)
    assert {*DRAWN, "now", "now_ms", "now_seconds"} == set(FUNCTIONS)


@pytest.mark.parametrize(("source", "result"), OTHER_EXAMPLES)
def test_what_is_no_part_of_the_request_is_this(source: str, result: str) -> None:
    assert rendered(source, REQUEST) == result


@pytest.mark.parametrize(("source", "form"), [(source, form) for sources, form in DRAWN.values() for source in sources])
def test_what_is_drawn_has_its_form_and_is_noted_once(source: str, form: str) -> None:
    draws = draws_of(REQUEST)
    made = compile_text(source).render(begin(REQUEST, draws))
    assert re.fullmatch(form, made)
    assert [draw.value for draw in draws.noted] == [made]


def test_a_form_is_read() -> None:
    assert rendered("{{ request.form.color }}{{ request.form.size }}", FORM) == "blue4"


@pytest.mark.parametrize("field", [b"a&", b"%61&", b"a=b&"])
def test_a_form_of_many_fields_takes_more_steps_than_there_are(field: bytes) -> None:
    with pytest.raises(Fault, match="more steps"):
        rendered("{{ request.form.a }}", scene("/", body=field * (1024 * 1024 // len(field))))


def test_the_whole_request_can_be_printed() -> None:
    assert '"path_params":{"id":"7/a"}' in rendered("{{ request|tojson }}", REQUEST)
    assert "'form'" in rendered("{{ request }}", FORM)


def test_values_of_state_are_found_by_their_whole_key_first() -> None:
    state = MemoryState()
    state.set_value(SESSION, "order.id", 5)
    state.set_value(SESSION, "order", {"id": 9, "name": {"first": "Bo"}})
    state.set_value(CHAIN, "n", 1)
    state.set_value(ENVIRONMENT, "n", [2])
    given = scene(state=state)
    assert (
        rendered(
            "{{ state.session.order.id }}{{ state.session['order.id'] }}{{ state.session.order.name.first }}", given
        )
        == "55Bo"
    )
    assert rendered("{{ state.chain.n }}{{ state.environment.n[0] }}", given) == "12"
    assert rendered("{{ state.session.nope|default('-') }}{{ state.session.order.nope is defined }}", given) == "-False"
    assert rendered("{{ state.session.keys()|join(',') }}", given) == "order,order.id"
    assert rendered("{{ state.session|tojson }}", given) == '{"order":{"id":9,"name":{"first":"Bo"}},"order.id":5}'
    assert rendered("{% set s = state.session %}{{ s['order.id'] }}{{ s.order.id }}", given) == "59"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ request.json.a.zz.y }}", "request.json.a.zz is undefined (line 1)"),
        ("{{ request.query.zz }}", "request.query.zz is undefined (line 1)"),
        ("{{ request.headers['x-zz'] }}", "request.headers.x-zz is undefined (line 1)"),
        ("{{ state.session.zz }}", "state.session.zz is undefined (line 1)"),
        ("{{ session.zz }}", "session.zz is undefined (line 1)"),
        ("{{ fake('zz') }}", "there is no made-up data of the name zz (line 1)"),
        ("{{ random_int(2, 1) }}", "random_int needs its lower end first (line 1)"),
        ("{{ random_choice([]) }}", "there is nothing to choose from (line 1)"),
        ("{{ random_string(999) }}", "it was given a value that it cannot take (line 1)"),
        (
            "{{ now('%99999Y') }}",
            "the format of a time is of % and one letter each, and at most 200 characters long (line 1)",
        ),
        ("{{ now(days=10**9) }}", "a number grows too large (line 1)"),
    ],
)
def test_what_is_not_there_is_told(source: str, message: str) -> None:
    with pytest.raises(Fault) as raised:
        rendered(source, REQUEST)
    assert str(raised.value) == message


def test_a_body_that_is_not_json_is_told() -> None:
    given = scene("/", body=b"{")
    assert rendered("{{ request.json is defined }}{{ request.json.a|default('-') }}", given) == "False-"
    with pytest.raises(Fault, match=r"the request's body is not JSON, so request\.json is undefined"):
        rendered("{{ request.json.a }}", given)


@pytest.mark.parametrize(
    "source", ["{{ request.body }}", "{{ request.json.a }}", "{{ request.form.a }}", "{{ request }}"]
)
def test_a_body_that_is_too_long_to_be_looked_at_is_told(source: str) -> None:
    with pytest.raises(Fault, match="longer than what may be looked at"):
        rendered(source, scene("/", body=OVERLONG))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ request.nope }}", "request has no 'nope'; it has " + ", ".join(PARTS) + " (line 1)"),
        ("{{ state.nope.x }}", "state has no 'nope'; it has session, chain, environment (line 1)"),
        ("\n{{ fake.nope() }}", "there is no function fake.nope (line 2)"),
        ("{{ fake.city(1) }}", "fake.city takes other arguments: too many positional arguments (line 1)"),
        ("{{ now(weeks=1) }}", "now takes other arguments: got an unexpected keyword argument 'weeks' (line 1)"),
    ],
)
def test_what_no_request_can_have_is_refused(source: str, message: str) -> None:
    with pytest.raises(BadTemplate) as raised:
        compile_text(source)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("source", "counts", "wants_body"),
    [
        ("text", False, False),
        ("{{ request.query.a }}{{ now() }}{{ state.session.a }}", False, False),
        ("{{ request.query.get('a') }}", False, False),
        ("{{ request.json.a }}", False, True),
        ("{{ request['body'] }}", False, True),
        ("{{ request.form.a }}", False, True),
        ("{{ request.json.get('a') }}", False, True),
        ("{{ request.get('json') }}", False, True),
        ("{{ request[request.method] }}", False, True),
        ("{% set r = request %}{{ r.body }}", False, True),
        ("{% for part in request %}{% endfor %}", False, True),
        ("{{ request|tojson }}", False, True),
        ("{% macro m(x) %}{{ x.body }}{% endmacro %}{{ m(request) }}", False, True),
        ("{{ occurrence }}", True, False),
        ("{{ uuid() }}", True, False),
        ("{{ fake.city() }}", True, False),
        ("{% set f = fake %}{{ f.city() }}", True, False),
        ("{% set f = random_int %}{{ f() }}", True, False),
        ("{{ [1, 2]|random }}", True, False),
        ("{% set x | upper %}{{ random_int() }}{% endset %}{{ x }}", True, False),
    ],
)
def test_a_template_tells_what_it_needs(source: str, counts: bool, wants_body: bool) -> None:
    template = compile_text(source)
    assert (template.counts, template.wants_body) == (counts, wants_body)


@pytest.mark.parametrize(
    ("source", "repeats"),
    [
        ("text", True),
        ("{{ request.query.a }}{{ request.headers.b|upper }}{{ request.path_params.id }}", True),
        ("{% if request.query.a == 'b' %}{{ 1 + 2 }}{% endif %}", True),
        ("{{ now() }}", False),
        ("{{ state.session.a }}", False),
        ("{{ request.query.get(state.session.a) }}", False),
        ("{{ occurrence }}", False),
        ("{{ [1, 2]|random }}", False),
        ("{% set f = now %}{{ f() }}", False),
        ("{{ fake.city() }}", False),
    ],
)
def test_a_template_tells_whether_it_follows_from_the_request_alone(source: str, repeats: bool) -> None:
    assert compile_text(source).repeats is repeats


def test_only_so_many_draws_are_noted() -> None:
    given = scene()
    draws = draws_of(given)
    compile_text("{% for i in range(500) %}{{ random_int() }}{% endfor %}").render(begin(given, draws))
    assert len(draws.noted) == NOTES_MAX + 1
    assert draws.noted[-1].name == "more"


def test_bytes_that_are_not_utf_8_come_out_as_they_came_in() -> None:
    given = scene("/?a=%ff", body=b"\xfe\xc3\xa9")
    made = rendered("{{ request.query.a }}{{ request.body }}", given)
    assert made.encode("utf-8", "surrogateescape") == b"\xff\xfe\xc3\xa9"


def test_whatever_has_a_shortcut_is_the_same_by_its_parts() -> None:
    state = MemoryState()
    state.set_value(SESSION, "x", {"y": 1})
    given = scene(
        "/?a=1&a=2", body=b'{"x": {"y": 3}}', headers={"a": "b", "cookie": "c=d"}, parameters={"id": "7"}, state=state
    )
    paths = ["method", "query.a", "query.zz", "headers.a", "headers.zz", "cookies.c", "cookies.zz", "path_params.id"]
    paths += ["path_params.zz", "json", "json.x", "json.x.y", "json.x.zz", "json.zz.y", "host"]
    for path in [f"request.{path}" for path in paths] + ["state.session.x.y", "state.session.x", "state.session.zz"]:
        assert LANGUAGE.shortcut(tuple(path.split("."))) is not None
        parts = path.split(".")
        bound = f"{{% set r = {parts[0]} %}}{{{{ r.{'.'.join(parts[1:])}|default('none')|tojson }}}}"
        assert rendered(f"{{{{ {path}|default('none')|tojson }}}}", given) == rendered(bound, given)
