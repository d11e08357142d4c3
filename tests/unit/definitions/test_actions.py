"""Actions that cannot be compiled are refused, with the path to the fault; plain ones need no answerer."""

from typing import Any

import pytest
from support.answering import message
from understudy_server.core.responding.response import Response
from understudy_server.definitions.actions import check_action, compile_action, file_names_of
from understudy_server.definitions.unusable import Unusable

PLAIN: list[tuple[dict[str, Any], int, Response]] = [
    ({}, 0, Response()),
    ({"respond": {}}, 0, Response()),
    (
        {"respond": {"status": 402, "text": "x"}, "delay": {"fixedMs": 5}},
        5,
        Response(402, (("content-type", "text/plain; charset=utf-8"),), b"x"),
    ),
    ({"delay": {}}, 0, Response()),
    ({"respond": {"text": "x", "bare": True}}, 0, Response(200, (), b"x")),
    ({"respond": {"json": "1", "bare": True}}, 0, Response(200, (), b"1")),
]


@pytest.mark.parametrize(("action", "delay_ms", "response"), PLAIN)
def test_a_fixed_response_after_a_fixed_time_needs_no_answerer(
    action: dict[str, Any], delay_ms: int, response: Response
) -> None:
    assert compile_action(message(action), "a") == (response, delay_ms, None)
    check_action(message(action), "a", ())


@pytest.mark.parametrize(
    "action",
    [
        {"respond": {"template": "x"}},
        {"respond": {"file": "x"}},
        {"respond": {"headerTemplates": True}},
        {"delay": {"uniform": {"maxMs": 1}}},
        {"delay": {"logNormal": {"medianMs": 1}}},
        {"fault": {"kind": "FAULT_KIND_RESET"}},
        {"bytesPerSecond": 1},
        {"extract": [{"key": "a", "increment": 1}]},
        {"sequence": {"steps": [{}]}},
        {"events": {"events": [{"data": "x"}]}},
        {"forward": {"target": "http://a.example"}},
    ],
)
def test_all_else_has_an_answerer(action: dict[str, Any]) -> None:
    assert compile_action(message(action), "a").answer is not None
    check_action(message(action), "a", {"x"})


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"respond": {"template": "\n{{ x"}}, "respond.template", "template"),
    (
        {"respond": {"headers": [{}, {"name": "a", "value": "{{"}], "headerTemplates": True}},
        "respond.headers[1].value",
        "template",
    ),
    ({"sequence": {}}, "sequence.steps", "required"),
    ({"sequence": {"steps": [{}, {"respond": {"template": "{{"}}]}}, "sequence.steps[1].respond.template", "template"),
    (
        {"sequence": {"steps": [{"delay": {"uniform": {"minMs": 2}}}]}},
        "sequence.steps[0].delay.uniform.max_ms",
        "order",
    ),
    ({"sequence": {"steps": [{"fault": {}}]}}, "sequence.steps[0].fault.kind", "required"),
    ({"sequence": {"steps": [{}], "order": 9}}, "sequence.order", "unknown"),
    ({"events": {}}, "events.events", "required"),
    ({"events": {"events": [{"data": "a"}, {"data": "{% x %}"}]}}, "events.events[1].data", "template"),
    ({"events": {"events": [{"event": "{{"}]}}, "events.events[0].event", "template"),
    ({"events": {"events": [{"id": "{{"}]}}, "events.events[0].id", "template"),
    ({"events": {"events": [{"data": "a"}], "rounds": 0}}, "events.rounds", "endless"),
    ({"forward": {"target": "http://a.example:99999"}}, "forward.target", "url"),
    ({"forward": {"target": "http://[::zz]/"}}, "forward.target", "url"),
    ({"forward": {"target": "ftp://a.example"}}, "forward.target", "url"),
    ({"forward": {"target": "http://a.example", "path": {}}}, "forward.path", "required"),
    ({"forward": {"target": "http://a.example", "path": {"replace": "/{nope}"}}}, "forward.path.replace", "parameter"),
    (
        {"forward": {"target": "http://a.example", "path": {"substitute": {"pattern": "("}}}},
        "forward.path.substitute.pattern",
        "pattern",
    ),
    (
        {"forward": {"target": "http://a.example", "path": {"substitute": {"pattern": "a", "replacement": "\\1"}}}},
        "forward.path.substitute.replacement",
        "replacement",
    ),
    (
        {
            "forward": {
                "target": "http://a.example",
                "path": {"substitute": {"pattern": "(a)", "replacement": "\\1" * 21}},
            }
        },
        "forward.path.substitute.replacement",
        "replacement",
    ),
    ({"delay": {"uniform": {"minMs": 5, "maxMs": 4}}}, "delay.uniform.max_ms", "order"),
    ({"delay": {"logNormal": {}}}, "delay.log_normal.median_ms", "required"),
    ({"fault": {}}, "fault.kind", "required"),
    ({"fault": {"kind": 99}}, "fault.kind", "required"),
    ({"extract": [{"increment": 1}]}, "extract[0].key", "required"),
    ({"extract": [{"key": "a"}]}, "extract[0]", "required"),
    ({"extract": [{"key": "a", "jsonPath": "$["}]}, "extract[0].json_path", "json_path"),
    ({"extract": [{"key": "a", "template": "{{"}]}, "extract[0].template", "template"),
    ({"extract": [{"key": "a", "value": "{"}]}, "extract[0].value", "json"),
    ({"extract": [{"key": "a", "pathParameter": "nope"}]}, "extract[0].path_parameter", "parameter"),
    ({"extract": [{"key": "a", "increment": 1, "scope": "STATE_SCOPE_CHAIN"}]}, "extract[0].scope", "chain"),
    ({"extract": [{"key": "a", "increment": 1, "scope": 9}]}, "extract[0].scope", "unknown"),
]


@pytest.mark.parametrize(("action", "path", "rule"), REFUSED)
def test_what_cannot_be_compiled_is_refused_with_the_path_to_the_fault(
    action: dict[str, Any], path: str, rule: str
) -> None:
    for refuse in (
        lambda: compile_action(message(action), "mock.action"),
        lambda: check_action(message(action), "mock.action", ()),
    ):
        with pytest.raises(Unusable) as raised:
            refuse()
        assert (raised.value.path, raised.value.rule) == (f"mock.action.{path}", rule)
        assert raised.value.path in str(raised.value) or rule in ("endless", "parameter")


def test_the_message_says_what_is_wrong_with_a_template_and_where() -> None:
    with pytest.raises(
        Unusable, match=r"^a\.respond\.template is not a template: there is no filter 'nope' \(line 2\)$"
    ):
        compile_action(message({"respond": {"template": "\n{{ 1|nope }}"}}), "a")


@pytest.mark.parametrize(
    ("action", "path"),
    [
        ({"respond": {"file": "b.pdf"}}, "a.respond.file"),
        ({"sequence": {"steps": [{}, {"respond": {"file": "b.pdf"}}]}}, "a.sequence.steps[1].respond.file"),
    ],
)
def test_a_file_that_is_not_there_is_refused(action: dict[str, Any], path: str) -> None:
    check_action(message(action), "a", {"b.pdf"})
    assert file_names_of(message(action)) == {"b.pdf"}
    with pytest.raises(Unusable) as raised:
        check_action(message(action), "a", {"c.pdf"})
    assert (raised.value.path, raised.value.rule, raised.value.given) == (path, "file", "b.pdf")


def test_what_is_there_for_the_mock_may_be_named() -> None:
    action = {
        "forward": {"target": "http://a.example", "path": {"replace": "/{id}"}},
        "extract": [{"key": "a", "pathParameter": "id", "scope": "STATE_SCOPE_CHAIN"}],
    }
    check_action(message(action), "a", (), chain="checkout", parameters=["id"])


def test_all_templates_of_an_action_together_are_bounded() -> None:
    events = [{"data": "{{ request.query.a }}" * 100}] * 10
    with pytest.raises(Unusable) as raised:
        compile_action(message({"events": {"events": events}}), "a")
    assert (raised.value.path, raised.value.rule) == ("a.events.events[7].data", "template")
    compile_action(message({"events": {"events": [{"data": "{ plain }"}] * 1000}}), "a")
