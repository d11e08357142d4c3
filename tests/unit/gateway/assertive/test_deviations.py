"""Where the product is not met exactly: each deviation that is listed, shown."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from assertive.core import ensure_criteria
from assertive.serialize import deserialize
from understudy.v1.log_service_pb2 import LogEntry
from understudy.v1.matching_pb2 import RequestMatcher
from understudy_gateway.dialects.assertive import preload, reading, requests, stubs
from understudy_gateway.dialects.assertive.criteria import Subject, criterion
from understudy_gateway.dialects.assertive.deviations import DEVIATIONS
from understudy_gateway.dialects.assertive.validation import Invalid
from understudy_gateway.dialects.assertive.wire import parse
from understudy_server.core.matching.request import Request
from understudy_server.core.matching.values import Json
from understudy_server.core.steps import Steps
from understudy_server.definitions.criteria import compile_criterion
from understudy_server.definitions.matchers import compile_matcher
from understudy_server.definitions.unusable import Unusable


def here(wire: Any, value: Any) -> bool:
    return compile_criterion(criterion(parse(wire), Subject.JSON), "body").holds(Json(value), Steps())


def product(wire: Any, value: Any) -> bool:
    return bool(ensure_criteria(deserialize(wire)).run_match(value))


def refused(**stub: Any) -> bool:
    response = {"status_code": 200, "headers": {}, "body": ""}
    try:
        stubs.translate({"request": {}, "action": {"response": response}, **stub})
    except Invalid:
        return True
    return False


def _patterns() -> None:
    lookahead = {"$regex": {"pattern": "a(?!b)"}}
    assert product(lookahead, "ac")
    with pytest.raises(Unusable):
        here(lookahead, "ac")
    for pattern, text in (("a$", "a\n"), (r"\d", "٣"), (r"\w", "é")):
        assert product({"$regex": {"pattern": pattern}}, text)
        assert not here({"$regex": {"pattern": pattern}}, text)
    assert here({"$regex": {"pattern": r"\pL\pN\z"}}, "é٣")


def _cases() -> None:
    assert not product({"$ignore_case": {"value": "ß"}}, "SS")
    assert here({"$ignore_case": {"value": "ß"}}, "SS")


def _booleans() -> None:
    wires: list[Any] = [{"$eq": {"value": 1}}, {"$gt": {"value": 0}}, {"$odd": {}}]
    for wire in wires:
        assert product(wire, True)
        assert not here(wire, True)
    assert here({"$eq": {"value": True}}, True)


def _order() -> None:
    wire = {"$gt": {"value": [1]}}
    assert product(wire, [2])
    assert refused(request={"body": {"$json": {"inner_criteria": wire}}})
    assert here({"$contains_exactly": {"items": [{"$gt": {"value": 1}}]}}, [2])


def _elements() -> None:
    for wire, value in (
        ({"$contains": {"items": ["a"]}}, {"a": 1}),
        ({"$contains_exactly": {"items": ["a"]}}, {"a": 1}),
        ({"$contains_exactly": {"items": [{"$regex": {"pattern": "a"}}]}}, "a"),
    ):
        assert product(wire, value)
        assert not here(wire, value)
    assert here({"$key_values": {"key_values": {"a": {"$and": {"items": []}}}}}, {"a": 1})


def _unfit() -> None:
    wire = {"$gt": {"value": 1}}
    with pytest.raises(TypeError):
        product(wire, "2")
    assert not here(wire, "2")
    assert here({"$not": {"value": wire}}, "2")


def _wrong() -> None:
    with pytest.raises(TypeError):
        product({"$gt": 5}, 6)
    assert refused(request={"body": {"$gt": 5}})
    for response in ({"status_code": 700, "headers": {}}, {"status_code": 200, "headers": {"x": None}}):
        assert refused(action={"response": {**response, "body": ""}})
    assert refused(action={"proxy": {"url": "/nowhere"}})
    assert not refused(action={"response": {"status_code": 200, "headers": {"x": 5}, "body": ""}})


def _own_headers() -> None:
    response = {"status_code": 200, "headers": {"Content-Length": "9", "x": "1"}, "body": ""}
    made = stubs.translate({"request": {}, "action": {"response": response}})
    assert [each.name for each in made.action.respond.headers] == ["x"]


def _values() -> None:
    assert refused(action={"response": {"status_code": 200, "headers": {"x": "é"}, "body": ""}})


def _bytes() -> None:
    def fits(wire: Any) -> bool:
        matcher = RequestMatcher(body=criterion(parse(wire), Subject.BODY))
        return compile_matcher(matcher, "matcher").matches(Request("POST", "/", "", b"\xff"))

    assert product({"$length": {"value": 1}}, b"\xff")
    assert not fits({"$length": {"value": 1}})
    assert fits({"$neq": {"value": "x"}})
    shown = requests.view(LogEntry(details={"request_body": {"content": b"\xff"}}), None)
    assert shown["body"] == "�"


def _constants() -> None:
    assert product({"$json": {"inner_criteria": {"$gt": {"value": 1}}}}, "Infinity")
    assert not here({"$json": {"inner_criteria": {"$gt": {"value": 1}}}}, "Infinity")
    with pytest.raises(Invalid):
        reading.read(b'{"a": NaN}', None)


def _limits() -> None:
    assert refused(chaos={"latency": {"base_ms": 120_001}})
    assert refused(action={"sse": {"events": [{"data": "", "delay_ms": 120_001}]}})
    proxied = stubs.translate({"request": {}, "action": {"proxy": {"url": "http://a", "timeout": 9999}}})
    assert proxied.action.forward.first_byte_ms == 600_000


def _ids() -> None:
    stub = '{"request": {}, "action": {"proxy": {"url": "http://a"}}, "id": "%s"}'
    for text in (f"[{stub % 'a'}, {stub % 'a'}]", f"[{stub % ('é' * 23)}]"):
        with pytest.raises(preload.PreloadError):
            preload.read(text.encode())


SHOWN: Mapping[str, Callable[[], None]] = {
    "Patterns of `$regex`": _patterns,
    "Cases of letters in `$ignore_case`": _cases,
    "True and false beside numbers": _booleans,
    "What `$gt`, `$gte`, `$lt`, `$lte` and `$between` compare with": _order,
    "Elements of objects, and characters in their places": _elements,
    "A criterion that cannot be put to a value": _unfit,
    "Wrong criteria, and headers, statuses and URLs that cannot be sent": _wrong,
    "Headers of the connection, of the length and of the date in an answer": _own_headers,
    "Values of headers": _values,
    "Bodies that are not UTF-8": _bytes,
    "JSON that a number cannot be read from": _constants,
    "Sizes and times": _limits,
    "Ids in the file of stubs": _ids,
}


@pytest.mark.parametrize("subject", [each.subject for each in DEVIATIONS])
def test_a_deviation_is_as_it_is_listed(subject: str) -> None:
    SHOWN[subject]()


def test_each_deviation_is_listed_once() -> None:
    assert [each.subject for each in DEVIATIONS] == list(SHOWN)
