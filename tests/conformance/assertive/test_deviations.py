"""Where the product is not met exactly: each deviation that is listed, seen from outside, with the way around it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.assertive_server import AssertiveUser, proxied, template, text
from support.told_upstream import PATIENCE_SECONDS, answer, running_told_upstream
from understudy_gateway.dialects.assertive.deviations import DEVIATIONS

MIB = 1 << 20


def holds(user: AssertiveUser, path: str, criterion: Any, body: bytes) -> bool:
    """Tell whether a body fits a criterion."""
    stub = user.stub({"path": path, "body": criterion})
    status = user.ask("POST", path, content=body).status_code
    assert user.delete_stub(stub) == 200
    return status == 200


def json(criterion: Any) -> Any:
    return {"$json": {"inner_criteria": criterion}}


def refused(user: AssertiveUser, **parts: Any) -> bool:
    """Tell whether a stub is refused when it is made."""
    answer = user.post_stub({"request": {"path": "/refused"}, "action": text()} | parts)
    if answer.status_code == 200:
        user.delete_stub(answer.json()["stub_id"])
    assert answer.status_code in (200, 422)
    return answer.status_code == 422


def _patterns(user: AssertiveUser, path: str) -> None:
    for pattern in ("a(?!b)", r"(a)\1", r"a\Z"):
        assert refused(user, request={"body": {"$regex": {"pattern": pattern}}})
    for pattern, body in (("a$", "a\n"), (r"\d", "٣"), (r"\w", "é")):
        assert not holds(user, path, {"$regex": {"pattern": pattern}}, body.encode())
    assert holds(user, path, {"$regex": {"pattern": r"\pL\pN\z"}}, "é٣".encode())


def _cases(user: AssertiveUser, path: str) -> None:
    assert holds(user, path, {"$ignore_case": {"value": "ß"}}, b"SS")
    assert not holds(user, path, {"$eq": {"value": "ß"}}, b"SS")


def _booleans(user: AssertiveUser, path: str) -> None:
    wires: list[Any] = [{"$eq": {"value": 1}}, {"$gt": {"value": 0}}, {"$odd": {}}]
    for wire in wires:
        assert not holds(user, path, json(wire), b"true")
    assert holds(user, path, json({"$eq": {"value": True}}), b"true")


def _compared(user: AssertiveUser, path: str) -> None:
    for operator in ("$gt", "$gte", "$lt", "$lte"):
        assert refused(user, request={"body": json({operator: {"value": [1]}})})
    assert refused(user, request={"body": json({"$between": {"lower": [1], "upper": [2]}})})
    assert holds(user, path, json({"$contains_exactly": {"items": [{"$gt": {"value": 1}}]}}), b"[2]")


def _elements(user: AssertiveUser, path: str) -> None:
    assert not holds(user, path, json({"$contains": {"items": ["a"]}}), b'{"a": 1}')
    assert not holds(user, path, json({"$contains_exactly": {"items": ["a"]}}), b'{"a": 1}')
    assert holds(user, path, json({"$key_values": {"key_values": {"a": 1}}}), b'{"a": 1}')
    assert holds(user, path, {"$contains_exactly": {"items": ["a", "b"]}}, b"ab")
    by_criterion = {"$contains_exactly": {"items": [{"$regex": {"pattern": "a"}}]}}
    assert refused(user, request={"body": by_criterion}) or not holds(user, path, by_criterion, b"a")
    assert holds(user, path, {"$regex": {"pattern": "[a]b$"}}, b"ab")


def _not_put(user: AssertiveUser, path: str) -> None:
    above = {"$gt": {"value": 5}}
    assert not holds(user, path, json(above), b'"text"')
    assert holds(user, path, json({"$not": {"value": above}}), b'"text"')
    assert not holds(user, path, json(above), b"no json")
    assert user.called(path, times=3)


def _unsendable(user: AssertiveUser, path: str) -> None:
    assert refused(user, request={"path": {"$gt": 5}})
    assert refused(user, action=text("", 600))
    assert refused(user, action=proxied("nowhere"))
    for name in ("", "a b", "a:b", "é"):
        assert refused(user, action=text("", headers={name: "1"}))
    user.stub({"path": path}, {"response": {"status_code": 200, "headers": {"x-n": 1.5, "x-b": False}, "body": ""}})
    answer = user.write("GET", path)
    assert (answer.values("x-n"), answer.values("x-b")) == (["1.5"], ["false"])


def _own_headers(user: AssertiveUser, path: str) -> None:
    headers = {"Content-Length": "99", "Connection": "close", "Date": "never", "Transfer-Encoding": "chunked"}
    user.stub({"path": path}, text("body", headers=headers | {"X-Own": "1"}))
    answer = user.write("GET", path)
    assert (answer.body, answer.values("x-own"), answer.values("content-length")) == (b"body", ["1"], ["4"])
    assert answer.values("transfer-encoding") == []
    assert "never" not in answer.values("date")
    assert "close" not in answer.values("connection")


def _header_values(user: AssertiveUser, path: str) -> None:
    for value in ("é", "a\nb", "a\x00", "\x7f"):
        assert refused(user, action=text("", headers={"x-a": value}))
    user.stub({"path": path}, text("", headers={"x-a": "a\tb %C3%A9"}))
    assert user.write("GET", path).values("x-a") == ["a\tb %C3%A9"]


def _no_text(user: AssertiveUser, path: str) -> None:
    body = b"a\xff"
    fitting: list[Any] = [{"$neq": {"value": "a"}}, {"$not": {"value": {"$regex": {"pattern": "a"}}}}]
    others: list[Any] = [{"$eq": {"value": "a"}}, {"$length": {"value": 2}}, {"$regex": {"pattern": "a"}}]
    for wire in others:
        assert not holds(user, path, wire, body)
    for wire in fitting:
        assert holds(user, path, wire, body)
    assert {each["body"] for each in user.requests(path)} == {"a\ufffd"}


def _not_a_number(user: AssertiveUser, path: str) -> None:
    for body in (b"NaN", b'{"a": NaN}', b"[Infinity]", b"-Infinity"):
        assert not holds(user, path, json({"$neq": {"value": 5}}), body)
        answer = user.ask("POST", "/__mock__/assert", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 422
    assert holds(user, path, json({"$eq": {"value": None}}), b"null")


def _sizes(user: AssertiveUser, path: str) -> None:
    assert refused(user, chaos={"latency": {"base_ms": 120_001}})
    assert not refused(user, chaos={"latency": {"base_ms": 120_000}})
    assert refused(user, action={"sse": {"events": [{"data": "", "delay_ms": 120_001}]}})
    assert not refused(user, action=proxied("http://127.0.0.1:9/", timeout=10_000))
    assert refused(user, action=text("a" * (MIB + 1)))
    assert not refused(user, action=text("a" * MIB))
    assert refused(user, request={"body": "a" * (64 * 1024 + 1)})
    assert not refused(user, request={"path": path, "body": "a" * 64 * 1024})
    deep: Any = {"$eq": {"value": "a"}}
    for _ in range(30):
        deep = {"$not": {"value": deep}}
    assert refused(user, request={"body": deep})
    long = {"$length": {"value": {"$gt": {"value": 5}}}}
    assert holds(user, path, long, b"a" * MIB)
    assert not holds(user, path, long, b"a" * (MIB + 1))


def _templates(user: AssertiveUser, path: str) -> None:
    for source in (
        "{% include 'other' %}",
        "{% import 'other' as other %}",
        "{% block a %}{% endblock %}",
        "{% for each in range(100000) %}{% endfor %}",
        "{{ 'a' * 2000000 }}",
    ):
        stub = user.stub({"path": path}, template(source))
        answer = user.ask("GET", path)
        assert (answer.status_code, answer.json()["error"]) == (500, "TEMPLATE_RENDER_ERROR")
        assert user.delete_stub(stub) == 200


def _numbers(user: AssertiveUser, path: str) -> None:
    for body, sent in ((1.5, "1.5"), (True, "true")):
        stub = user.stub({"path": path}, {"response": {"status_code": 200, "headers": {}, "body": body}})
        assert user.said("GET", path) == (200, sent)
        assert user.delete_stub(stub) == 200


def _times(user: AssertiveUser, path: str) -> None:
    user.ask("GET", path)
    assert [user.asserts(path=path, times=times) for times in (0, 1, 2)] == [False, True, False]


def _not_on_record(user: AssertiveUser, path: str) -> None:
    user.ask("POST", path, content=b"a" * (256 * 1024 + 1))
    (seen,) = user.requests(path)
    assert seen["body"] == "a" * 256 * 1024
    assert user.asserts(path=path)
    assert not user.asserts(path=path + "/other", body={"$regex": {"pattern": "a+b"}})
    undecided = user.ask("POST", "/__mock__/assert", json={"path": path, "body": {"$regex": {"pattern": "a+b"}}})
    assert (undecided.status_code, set(undecided.json())) == (500, {"detail"})


def _counted(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path}, text("once"), max_calls=1)
    user.stub({"path": path, "method": "PUT"}, text("stronger"))
    assert [user.said(method, path)[1] for method in ("PUT", "GET", "GET")] == [
        "stronger",
        "once",
        "NO_STUB_MATCH_FOUND",
    ]


def _passed_on(user: AssertiveUser, path: str) -> None:
    gate = threading.Event()
    with running_told_upstream() as target, ThreadPoolExecutor(1) as caller:
        target.tell(gate, answer())
        user.stub({"path": path}, proxied(target.url))
        call = caller.submit(user.ask, "GET", path)
        try:
            assert target.asked.wait(PATIENCE_SECONDS)
            assert not user.asserts(path=path)
        finally:
            gate.set()
        assert call.result().status_code == 200
    assert user.asserts(path=path)


def _from_elsewhere(user: AssertiveUser, path: str) -> None:
    payload = {"request": {"path": path}, "action": text("made")}
    for headers in ({"origin": "http://elsewhere.example.com"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        answer = user.ask("POST", "/__mock__/stubs", json=payload, headers=headers)
        assert (answer.status_code, set(answer.json())) == (403, {"detail"})
    assert user.said("GET", path)[0] == 404
    # Mock traffic is the app's: from wherever it is.
    assert user.ask("POST", "/__mock__/stubs", json=payload, headers={"origin": f"http://{user.address}"}).is_success
    assert user.said("GET", path, headers={"origin": "http://elsewhere.example.com"}) == (200, "made")


SHOWN: dict[str, Callable[[AssertiveUser, str], None]] = {
    "Patterns of `$regex`": _patterns,
    "Cases of letters in `$ignore_case`": _cases,
    "True and false beside numbers": _booleans,
    "What `$gt`, `$gte`, `$lt`, `$lte` and `$between` compare with": _compared,
    "Elements of objects, and characters in their places": _elements,
    "A criterion that cannot be put to a value": _not_put,
    "Wrong criteria, and headers, statuses and URLs that cannot be sent": _unsendable,
    "Headers of the connection, of the length and of the date in an answer": _own_headers,
    "Values of headers": _header_values,
    "Bodies that are not UTF-8": _no_text,
    "JSON that a number cannot be read from": _not_a_number,
    "Sizes and times": _sizes,
    "Templates": _templates,
    "Numbers, true and false as bodies": _numbers,
    "A number as `times`": _times,
    "What counts towards `max_calls`": _counted,
    "When a call that a stub passes on is on record": _passed_on,
    "Calls that are not on record any more": _not_on_record,
    "Calls that a browser makes for a page of another site": _from_elsewhere,
}
# These are shown by test_elsewhere, where sessions can be made, and by test_process.
SHOWN_ELSEWHERE = {"Names of scopes", "Ids in the file of stubs"}


@pytest.mark.parametrize("subject", SHOWN)
def test_a_deviation_is_as_listed(scoped: AssertiveUser, path: str, subject: str) -> None:
    SHOWN[subject](scoped, path)


def test_every_deviation_is_shown() -> None:
    assert {each.subject for each in DEVIATIONS} == set(SHOWN) | SHOWN_ELSEWHERE
