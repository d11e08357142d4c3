"""Where the product is not met exactly: each deviation that is listed, shown."""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from assertive.core import ensure_criteria
from assertive.serialize import deserialize
from support.assertive_door import Door
from understudy.v1.log_service_pb2 import LogEntry
from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy_gateway.dialects.assertive import asserting, preload, reading, requests, stubs
from understudy_gateway.dialects.assertive.criteria import Subject, criterion
from understudy_gateway.dialects.assertive.deviations import DEVIATIONS, listed
from understudy_gateway.dialects.assertive.times import verdict
from understudy_gateway.dialects.assertive.validation import Invalid
from understudy_gateway.dialects.assertive.wire import parse
from understudy_server.core.matching.request import Request
from understudy_server.core.matching.values import Json
from understudy_server.core.responding.assertive_templates import compile_assertive
from understudy_server.core.steps import Steps
from understudy_server.core.templating.methods import OF_LISTS, OF_MAPPINGS, OF_TEXTS
from understudy_server.core.templating.standard import STANDARD
from understudy_server.definitions.criteria import compile_criterion
from understudy_server.definitions.matchers import compile_matcher
from understudy_server.definitions.unusable import Unusable

RESPONSE: dict[str, Any] = {"status_code": 200, "headers": {}, "body": ""}


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


def _templates() -> None:
    def bad(source: str) -> str:
        return compile_assertive(source)._bad

    assert bad("{% macro b(a) %}{% if a is odd %}{{ a|upper }}{% endif %}{% endmacro %}{{ b(1) }}") == ""
    assert bad("{% bad %}") == "Encountered unknown tag 'bad'."
    assert bad("{{ 1 + }}") == "a value should be where the end of the tag is"
    for tag in ("block", "include", "import"):
        assert "a template stands alone" in bad(f"{{% {tag} 'a' %}}")
    for tag in ("print", "autoescape"):
        assert bad(f"{{% {tag} 1 %}}") == f"Encountered unknown tag {tag!r}."
    for name in ("pprint", "urlize", "xmlattr"):
        assert bad(f"{{{{ 1|{name} }}}}") == f"No filter named {name!r}."
    for name in ("escaped", "filter", "test"):
        assert bad(f"{{{{ 1 is {name} }}}}") == f"No test named {name!r}."
    assert not {"cycler", "joiner", "lipsum"} & set(STANDARD)
    (listed_here,) = [each.here for each in DEVIATIONS if each.subject == "Templates"]
    methods, _, _ = listed_here.partition("Texts have the methods ")[2].partition(", and there are no others")
    assert re.findall("`([a-z]+)`", methods) == [*OF_TEXTS, *OF_LISTS, *OF_MAPPINGS]


def _plain_bodies() -> None:
    for body, text in ((5, "5"), (True, "true")):
        made = stubs.translate({"request": {}, "action": {"response": {**RESPONSE, "body": body}}})
        assert made.action.respond.json == text


def _number_of_times() -> None:
    wanted = asserting.translate({"times": 3}).times
    assert [verdict(wanted, count, count) for count in (2, 3)] == [False, True]


async def _not_on_record(door: Door) -> None:
    for _ in range(2):
        await door.record("/a")
    door.desk.world.journal.lose(await door.stream(), 1)
    await door.post("/__mock__/assert", {"path": "/a", "times": 1}, status=500)
    assert await door.post("/__mock__/assert", {"path": "/a"}) == {"result": True}


async def _names(door: Door) -> None:
    await door.desk.put(PutSessionRequest(session_key="ci"))
    await door.post("/__mock__/scopes", {"name": "ci"}, status=409)


async def _from_elsewhere(door: Door) -> None:
    payload = {"request": {}, "action": {"response": RESPONSE}}
    for headers, status in (
        ({"origin": "http://elsewhere.example.com"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": str(door.http.base_url).rstrip("/"), "sec-fetch-site": "same-origin"}, 200),
    ):
        answer = await door.http.post("/__mock__/stubs", json=payload, headers=headers)
        assert answer.status_code == status
    page = await door.http.get("/__admin__", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})
    assert page.status_code == 200


def _ids() -> None:
    stub = '{"request": {}, "action": {"proxy": {"url": "http://a"}}, "id": "%s"}'
    for text in (f"[{stub % 'a'}, {stub % 'a'}]", f"[{stub % ('é' * 23)}]"):
        with pytest.raises(preload.PreloadError):
            preload.read(text.encode())


def SEEN_AT_THE_PROXY() -> None:  # noqa: N802 - a mark among functions
    """Shown by the tests of a whole server."""


SHOWN: Mapping[str, Callable[[], None] | Callable[[Door], Awaitable[None]]] = {
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
    "Templates": _templates,
    "Numbers, true and false as bodies": _plain_bodies,
    "A number as `times`": _number_of_times,
    "Sizes and times": _limits,
    "What counts towards `max_calls`": SEEN_AT_THE_PROXY,
    "When a call that a stub passes on is on record": SEEN_AT_THE_PROXY,
    "Calls that are not on record any more": _not_on_record,
    "Names of scopes": _names,
    "Calls that a browser makes for a page of another site": _from_elsewhere,
    "Ids in the file of stubs": _ids,
}


@pytest.mark.parametrize("subject", [subject for subject, show in SHOWN.items() if show is not SEEN_AT_THE_PROXY])
async def test_a_deviation_is_as_it_is_listed(subject: str, door: Door) -> None:
    show = SHOWN[subject]
    if inspect.iscoroutinefunction(show):
        await show(door)
    else:
        show()  # type: ignore[call-arg]


def test_each_deviation_is_listed_once() -> None:
    assert [each.subject for each in DEVIATIONS] == list(SHOWN)


def test_the_documentation_lists_them_word_for_word() -> None:
    page = (Path(__file__).resolve().parents[4] / "docs/dialects/assertive.md").read_text(encoding="utf-8")
    _, _, after = page.partition("<!-- deviations: made by understudy_gateway.dialects.assertive.deviations -->\n\n")
    assert after.partition("\n<!-- end of the deviations -->")[0] == listed()
