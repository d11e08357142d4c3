"""What actions plan: responses, sequences, delays, faults, what is kept, and that chance repeats."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.answering import CHAIN, ENVIRONMENT, SESSION, answerer, draws_of, planned, scene
from understudy_server.core.draws import Draw
from understudy_server.core.responding.files import FileContent
from understudy_server.core.responding.plan import Failed, FaultKind, PlannedFault
from understudy_server.core.responding.prepared import Prepared
from understudy_server.core.state import VALUES_MAX
from understudy_server.state.memory import MemoryState


def prepared(action: dict[str, Any], *given: Any, **fields: Any) -> Prepared:
    answer = planned(action, *given, **fields).answer
    assert isinstance(answer, Prepared)
    return answer


def seen(answer: Prepared) -> tuple[bytes, bytes]:
    return answer.head, answer.body


def failed(action: dict[str, Any], *given: Any, **fields: Any) -> tuple[str, str]:
    answer = planned(action, *given, **fields).answer
    assert isinstance(answer, Failed)
    return answer.code, answer.message


def texts(*bodies: str) -> list[dict[str, Any]]:
    return [{"respond": {"text": body}} for body in bodies]


def bodies(action: dict[str, Any], uses: int) -> list[bytes]:
    answer = answerer(action)
    found = []
    for occurrence in range(1, uses + 1):
        given = scene(occurrence=occurrence)
        plan = answer.plan(given, draws_of(given))
        assert isinstance(plan.answer, Prepared)
        found.append(plan.answer.body)
    return found


def test_a_template_makes_the_body_and_is_text_unless_a_header_says_otherwise() -> None:
    made = prepared({"respond": {"status": 201, "template": "Hello {{ request.query.name }}"}}, scene("/?name=Bo"))
    assert made.status == 201
    assert made.body == b"Hello Bo"
    assert made.raw_headers == ((b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"8"))
    typed = {"headers": [{"name": "Content-Type", "value": "text/html"}], "template": "<p>{{ 1 }}</p>"}
    assert prepared({"respond": typed}).raw_headers[0] == (b"Content-Type", b"text/html")


def test_an_answer_made_is_the_same_bytes_as_one_prepared() -> None:
    headers = [{"name": "x-a", "value": "1"}, {"name": "Set-Cookie", "value": "a=b"}, {"name": "x-a", "value": "2"}]
    fixed = prepared({"respond": {"text": "hé", "headers": headers}, "bytesPerSecond": 5})
    made = prepared({"respond": {"template": "h{{ 'é' }}", "headers": headers}})
    assert seen(made) == seen(fixed)
    assert made.raw_headers == fixed.raw_headers
    assert fixed.stored_headers[2] == (b"Set-Cookie", b"[redacted]")


def test_values_of_headers_are_templates_when_it_says_so() -> None:
    respond = {
        "headers": [{"name": "location", "value": "/orders/{{ request.query.id }} "}, {"name": "x", "value": "1"}],
        "headerTemplates": True,
        "json": "{}",
    }
    made = prepared({"respond": respond}, scene("/?id=7"))
    assert made.raw_headers[:3] == ((b"content-type", b"application/json"), (b"location", b"/orders/7"), (b"x", b"1"))
    assert made.body == b"{}"
    kept = prepared({"respond": {"headers": respond["headers"], "template": "x"}})
    assert kept.raw_headers[1] == (b"location", b"/orders/{{ request.query.id }} ")


@pytest.mark.parametrize("value", ["a%0d%0aset-cookie:%20x", "%00", "%c3%a9", "a%7f", "x" * 9000])
def test_a_value_that_no_header_may_have_fails(value: str) -> None:
    respond = {"headers": [{"name": "x-a", "value": "{{ request.query.a }}"}], "headerTemplates": True}
    assert failed({"respond": respond}, scene(f"/?a={value}")) == (
        "template_failed",
        "the header x-a would have a value that no header may have",
    )


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_has_no_length(status: int) -> None:
    made = prepared({"respond": {"status": status, "template": "{{ 1 }}"}})
    assert made.body == b""
    assert b"content-length" not in made.head


def test_a_file_is_sent_as_it_is_now() -> None:
    held = {"a.pdf": FileContent(b"one", "application/pdf")}
    action = {"respond": {"file": "a.pdf", "headers": [{"name": "x-a", "value": "1"}]}}
    answer = answerer(action, held.get)
    given = scene()
    first = answer.plan(given, draws_of(given)).answer
    assert isinstance(first, Prepared)
    assert first.raw_headers == ((b"content-type", b"application/pdf"), (b"x-a", b"1"), (b"content-length", b"3"))
    assert answer.plan(given, draws_of(given)).answer is first
    held["a.pdf"] = FileContent(b"another", "text/plain")
    second = answer.plan(given, draws_of(given)).answer
    assert isinstance(second, Prepared)
    assert (second.body, second.raw_headers[0][1]) == (b"another", b"text/plain")
    del held["a.pdf"]
    gone = answer.plan(given, draws_of(given)).answer
    assert gone == Failed("file_missing", "the mock answers with the file 'a.pdf', which is not there")


def test_a_file_has_the_type_that_a_header_says() -> None:
    respond = {
        "file": "a",
        "headers": [{"name": "Content-Type", "value": "{{ request.query.t }}"}],
        "headerTemplates": True,
    }
    made = prepared({"respond": respond}, scene("/?t=text/css"), {"a": FileContent(b"x", "text/plain")}.get)
    assert made.raw_headers == ((b"Content-Type", b"text/css"), (b"content-length", b"1"))


def test_a_sequence_goes_in_order_and_stays_at_its_end() -> None:
    assert bodies({"sequence": {"steps": texts("a", "b", "c")}}, 5) == [b"a", b"b", b"c", b"c", b"c"]


def test_a_cyclic_sequence_begins_anew() -> None:
    steps = {"steps": texts("a", "b"), "order": "SEQUENCE_ORDER_CYCLIC"}
    assert bodies({"sequence": steps}, 5) == [b"a", b"b", b"a", b"b", b"a"]


def test_a_random_sequence_follows_its_weights() -> None:
    steps = [{**step, "weight": weight} for step, weight in zip(texts("a", "b", "c"), (0, 8, 1), strict=True)]
    found = bodies({"sequence": {"steps": steps, "order": "SEQUENCE_ORDER_RANDOM"}}, 1000)
    assert 60 < found.count(b"a") < 140
    assert 740 < found.count(b"b") < 860


def test_a_step_by_chance_is_noted_by_its_number() -> None:
    plan = planned({"sequence": {"steps": texts("a", "b"), "order": "SEQUENCE_ORDER_RANDOM"}})
    assert isinstance(plan.answer, Prepared)
    assert plan.draws == (Draw("step", "1" if plan.answer.body == b"a" else "2"),)


def test_a_step_has_its_own_delay_and_fault_or_the_actions() -> None:
    action = {
        "sequence": {"steps": [{"delay": {"fixedMs": 7}}, {"fault": {"kind": "FAULT_KIND_RESET"}}, {"delay": {}}]},
        "delay": {"fixedMs": 5},
        "fault": {"kind": "FAULT_KIND_CUT", "fraction": 0.25},
    }
    plans = [planned(action, scene(occurrence=use)) for use in (1, 2, 3)]
    assert [plan.delay_ms for plan in plans] == [7, 5, 0]
    cut = PlannedFault(FaultKind.CUT, 0.25)
    assert [plan.fault for plan in plans] == [cut, PlannedFault(FaultKind.RESET), cut]


def test_a_delay_by_chance_is_in_its_range_and_noted() -> None:
    found = set()
    for use in range(1, 200):
        plan = planned({"delay": {"uniform": {"minMs": 10, "maxMs": 12}}}, scene(occurrence=use))
        assert plan.draws == (Draw("delay_ms", str(plan.delay_ms)),)
        found.add(plan.delay_ms)
    assert found == {10, 11, 12}


def test_half_of_log_normal_delays_are_below_the_median_and_none_above_the_greatest() -> None:
    action = {"delay": {"logNormal": {"medianMs": 100, "sigma": 1, "maxMs": 500}}}
    found = [planned(action, scene(occurrence=use)).delay_ms for use in range(1, 2001)]
    assert 900 < sum(delay < 100 for delay in found) < 1100
    assert max(found) == 500
    # Of a normal distribution 15.9 % lie more than one deviation below the mean.
    assert 240 < sum(delay < 100 / 2.718 for delay in found) < 400


def test_a_delay_that_is_no_chance_is_not_noted() -> None:
    for delay in ({"uniform": {"minMs": 5, "maxMs": 5}}, {"logNormal": {"medianMs": 5}}):
        plan = planned({"delay": delay})
        assert (plan.delay_ms, plan.draws) == (5, ())


def test_the_longest_log_normal_delay_is_two_minutes() -> None:
    action = {"delay": {"logNormal": {"medianMs": 120000, "sigma": 10}}}
    assert max([planned(action, scene(occurrence=use)).delay_ms for use in range(1, 50)]) == 120_000


def test_a_fault_happens_as_often_as_it_says_and_is_noted() -> None:
    action = {"fault": {"kind": "FAULT_KIND_GARBAGE", "probability": 0.25}}
    plans = [planned(action, scene(occurrence=use)) for use in range(1, 2001)]
    happened = [plan for plan in plans if plan.fault]
    assert 420 < len(happened) < 580
    assert {plan.draws for plan in happened} == {(Draw("fault", "garbage"),)}
    assert {plan.draws for plan in plans if not plan.fault} == {(Draw("fault", "none"),)}


def test_a_fault_that_is_sure_is_no_chance() -> None:
    assert planned({"fault": {"kind": "FAULT_KIND_RESET"}}).draws == ()
    assert planned({"fault": {"kind": "FAULT_KIND_RESET", "probability": 0}}).fault is None
    assert not answerer({"fault": {"kind": "FAULT_KIND_RESET", "probability": 1}}).counts


def test_an_answer_that_failed_has_no_fault_and_keeps_its_delay() -> None:
    action = {"respond": {"template": "\n{{ nope }}"}, "fault": {"kind": "FAULT_KIND_RESET"}, "delay": {"fixedMs": 9}}
    plan = planned(action)
    assert plan.answer == Failed("template_failed", "nope is undefined (line 2)")
    assert (plan.fault, plan.delay_ms) == (None, 9)


def test_the_body_is_sent_at_the_speed_that_is_said() -> None:
    assert planned({"bytesPerSecond": 1024}).bytes_per_second == 1024


EXTRACTIONS: list[tuple[dict[str, Any], Any]] = [
    ({"jsonPath": "$.order.items[*].id"}, 4),
    ({"jsonPath": "$.order"}, {"items": [{"id": 4}, {"id": 5}]}),
    ({"header": "X-Request-Id"}, "r1"),
    ({"query": "page"}, "1"),
    ({"cookie": "sid"}, "abc"),
    ({"pathParameter": "id"}, "7"),
    ({"template": "{{ request.method }}-{{ request.query.page }}"}, "POST-2"),
    ({"value": '{"a": [1, 2.50]}'}, {"a": [1, 2.5]}),
    ({"increment": -3}, -3),
]


@pytest.mark.parametrize(("source", "value"), EXTRACTIONS)
def test_what_is_extracted_is_kept(source: dict[str, Any], value: Any) -> None:
    state = MemoryState()
    given = scene(
        "/users/7?page=1&page=2",
        method="POST",
        body=b'{"order": {"items": [{"id": 4}, {"id": 5}]}}',
        headers={"x-request-id": "r1", "cookie": "sid=abc"},
        parameters={"id": "7"},
        state=state,
    )
    planned({"extract": [{"key": "k", **source}]}, given, parameters=["id"])
    assert state.value(SESSION, "k") == value


@pytest.mark.parametrize(
    "source", [{"jsonPath": "$.nope"}, {"header": "x-nope"}, {"query": "nope"}, {"cookie": "nope"}, {"jsonPath": "$.a"}]
)
def test_where_there_is_nothing_nothing_is_kept_and_nothing_is_lost(source: dict[str, Any]) -> None:
    state = MemoryState()
    state.set_value(SESSION, "k", "before")
    for body in (b"{}", b"no json", b""):
        planned({"extract": [{"key": "k", **source}]}, scene(body=body, state=state))
    assert state.value(SESSION, "k") == "before"


def test_what_is_extracted_is_there_for_the_answer_and_for_what_is_extracted_next() -> None:
    action = {
        "extract": [
            {"key": "n", "increment": 2},
            {"key": "n", "increment": 3, "scope": "STATE_SCOPE_CHAIN"},
            {"key": "sum", "template": "{{ state.session.n + state.chain.n }}", "scope": "STATE_SCOPE_ENVIRONMENT"},
        ],
        "respond": {"template": "{{ state.environment.sum }}"},
    }
    state = MemoryState()
    assert prepared(action, scene(state=state), chain="checkout").body == b"5"
    assert prepared(action, scene(state=state), chain="checkout").body == b"10"
    assert [state.value(owner, key) for owner, key in ((SESSION, "n"), (CHAIN, "n"), (ENVIRONMENT, "sum"))] == [
        4,
        6,
        "10",
    ]


def test_what_cannot_be_kept_is_told() -> None:
    state = MemoryState()
    state.set_value(SESSION, "k", "text")
    assert failed({"extract": [{"key": "k", "increment": 1}]}, scene(state=state)) == (
        "not_a_number",
        "'k' is not a number, and so nothing can be added to it",
    )
    for number in range(VALUES_MAX - 1):
        state.set_value(SESSION, str(number), 0)
    assert failed({"extract": [{"key": "new", "value": "1"}]}, scene(state=state)) == (
        "state_full",
        "there is no room to keep 'new'",
    )
    assert failed({"extract": [{"key": "k", "template": "{{ nope }}"}]})[0] == "template_failed"


def test_a_path_that_takes_too_long_is_told() -> None:
    body = b"[" + b",".join([b'{"a":1}'] * 9000) + b"]"
    action = {"extract": [{"key": "k", "jsonPath": "$..[?$..[?@.a == 2]]"}]}
    assert failed(action, scene(body=body)) == ("template_failed", "the answer takes more steps than one answer may")


CHANCY: dict[str, Any] = {
    "sequence": {
        "steps": [
            {"respond": {"template": "{{ uuid() }}"}},
            {"respond": {"template": "{{ fake.name() }}{{ random_int() }}"}},
        ],
        "order": "SEQUENCE_ORDER_RANDOM",
    },
    "delay": {"uniform": {"minMs": 0, "maxMs": 100000}},
    "fault": {"kind": "FAULT_KIND_RESET", "probability": 0.5},
}


@given(st.permutations(range(1, 9)), st.integers(0, 2**31), st.sampled_from(["ovr_a", "ovr_b"]))
def test_chance_repeats_whatever_the_order_of_the_requests(order: list[int], seed: int, mock: str) -> None:
    answer = answerer(CHANCY)

    def plans(uses: list[int]) -> dict[int, Any]:
        found = {}
        for use in uses:
            given = scene(occurrence=use, seed=f"seed:{seed}", mock=mock)
            plan = answer.plan(given, draws_of(given))
            assert isinstance(plan.answer, Prepared)
            found[use] = (seen(plan.answer), plan.delay_ms, plan.fault, plan.draws)
        return found

    assert plans(order) == plans(sorted(order))


def test_another_seed_mock_or_use_is_another_chance() -> None:
    plans = [
        planned(CHANCY, scene(occurrence=use, seed=seed, mock=mock)).draws
        for use, seed, mock in ((1, "seed:1", "a"), (2, "seed:1", "a"), (1, "seed:2", "a"), (1, "seed:1", "b"))
    ]
    assert len(set(plans)) == 4


def test_what_is_drawn_for_delay_and_fault_does_not_depend_on_the_request() -> None:
    action = {
        **CHANCY,
        "extract": [{"key": "k", "template": "{% for i in range(request.query.n|int) %}{{ uuid() }}{% endfor %}"}],
    }
    first, second = (planned(action, scene(f"/?n={number}")) for number in (0, 5))
    assert (first.delay_ms, first.fault, first.draws[:3]) == (second.delay_ms, second.fault, second.draws[:3])


@pytest.mark.parametrize(
    ("action", "counts", "wants_body"),
    [
        ({"bytesPerSecond": 1}, False, False),
        ({"delay": {"uniform": {"minMs": 1, "maxMs": 2}}}, True, False),
        ({"fault": {"kind": "FAULT_KIND_RESET", "probability": 0.5}}, True, False),
        ({"sequence": {"steps": texts("a", "b")}}, True, False),
        ({"sequence": {"steps": texts("a")}}, False, False),
        ({"respond": {"template": "{{ occurrence }}"}}, True, False),
        ({"respond": {"template": "{{ request.json.a }}"}}, False, True),
        ({"respond": {"template": "{{ request.path }}"}}, False, False),
        ({"extract": [{"key": "a", "jsonPath": "$.a"}]}, False, True),
        ({"extract": [{"key": "a", "query": "a"}]}, False, False),
        ({"events": {"events": [{"data": "{{ uuid() }}"}, {"data": "{{ request.body }}"}]}}, True, True),
        (
            {"respond": {"headers": [{"name": "a", "value": "{{ request.json.a }}"}], "headerTemplates": True}},
            False,
            True,
        ),
        ({"forward": {"target": "http://a.example"}}, False, False),
    ],
)
def test_an_answer_tells_what_it_needs(action: dict[str, Any], counts: bool, wants_body: bool) -> None:
    answer = answerer(action)
    assert (answer.counts, answer.wants_body) == (counts, wants_body)


@given(st.binary(max_size=50), st.text(max_size=20))
def test_whatever_the_request_says_the_answer_is_made_or_failed(body: bytes, query: str) -> None:
    target = "/?a=" + query.replace("&", "").encode("utf-8", "surrogatepass").decode("latin-1")
    action = {
        "respond": {
            "headers": [{"name": "x-a", "value": "{{ request.query.a }}"}],
            "headerTemplates": True,
            "template": "{{ request.body }}{{ request.json|default('-')|tojson }}{{ request.form|tojson }}",
        },
        "extract": [
            {"key": "q", "query": "a"},
            {"key": "b", "template": "{{ request.body }}"},
            {"key": "j", "jsonPath": "$"},
        ],
    }
    plan = planned(action, scene(target, body=body))
    assert isinstance(plan.answer, Prepared | Failed)


def test_bytes_go_through_a_template_unchanged() -> None:
    body = bytes(range(256))
    made = prepared({"respond": {"template": "{{ request.body }}"}}, scene(body=body))
    assert made.body == body
    coded = prepared({"respond": {"binary": base64.b64encode(body).decode()}, "bytesPerSecond": 1})
    assert coded.body == body


@pytest.mark.parametrize(
    ("action", "repeats"),
    [
        ({"bytesPerSecond": 1}, True),
        ({"delay": {"fixedMs": 5}, "bytesPerSecond": 1}, True),
        ({"delay": {"uniform": {"minMs": 1, "maxMs": 2}}}, False),
        ({"fault": {"kind": "FAULT_KIND_RESET", "probability": 0.5}}, False),
        ({"sequence": {"steps": texts("a", "b")}}, False),
        ({"respond": {"template": "{{ request.path|upper }}"}}, True),
        ({"respond": {"template": "{{ request.json.a }}"}}, True),
        ({"respond": {"template": "{{ now() }}"}}, False),
        ({"respond": {"headers": [{"name": "a", "value": "{{ uuid() }}"}], "headerTemplates": True}}, False),
        ({"extract": [{"key": "a", "query": "a"}]}, False),
        ({"events": {"events": [{"data": "a"}]}}, False),
        ({"forward": {"target": "http://a.example"}}, False),
    ],
)
def test_an_answer_tells_whether_the_same_request_has_it_again(action: dict[str, Any], repeats: bool) -> None:
    assert answerer(action).repeats is repeats
