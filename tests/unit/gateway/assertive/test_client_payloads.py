"""Whatever the product's own client can send is taken, and means what the client's library says."""

import json
import warnings
from typing import Any

import assertive
import httpx
import pytest
from assertive import Criteria
from assertive.serialize import serialize
from assertive_mock_api_client import MockApiClient
from hypothesis import given
from hypothesis import strategies as st
from support.accepted_stubs import accept
from understudy_gateway.dialects.assertive import asserting, reading, stubs
from understudy_gateway.dialects.assertive.asserting import Assertion
from understudy_gateway.dialects.assertive.stubs import Translated
from understudy_gateway.dialects.assertive.times import verdict
from understudy_server.core.matching.request import Request
from understudy_server.definitions.matchers import compile_matcher


class Sent:
    """What a client sent last, translated; it takes the place of the way to a server."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stub: Translated | None = None
        self.assertion: Assertion | None = None
        monkeypatch.setattr(httpx, "post", self._post)

    def _post(self, url: str, *, json: Any, headers: dict[str, str]) -> httpx.Response:
        request = httpx.Request("POST", url, json=json, headers=headers)
        payload = reading.read(request.content, request.headers["content-type"])
        if url.endswith("/assert"):
            self.assertion = asserting.translate(payload)
            return httpx.Response(200, json={"result": True}, request=request)
        self.stub = made = stubs.translate(payload)
        accept(made)
        return httpx.Response(200, json={"success": True, "stub_id": "s"}, request=request)

    def fits(self, received: Request) -> bool:
        assert self.stub is not None
        return compile_matcher(self.stub.matcher, "matcher").matches(received)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    return Sent(monkeypatch)


_TEXTS = st.sampled_from(["", "a", "ab", "1", "é"])
_VALUES = st.none() | st.integers(0, 3) | _TEXTS | st.lists(st.integers(0, 3), max_size=2)
_LEAVES: st.SearchStrategy[Criteria] = st.one_of(
    _VALUES.map(assertive.is_eq),
    _VALUES.map(assertive.is_neq),
    *[
        (_TEXTS | st.integers(0, 3)).map(kind)
        for kind in (assertive.is_gt, assertive.is_gte, assertive.is_lt, assertive.is_lte)
    ],
    st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda ends: assertive.is_between(*ends)),
    st.tuples(_TEXTS, _TEXTS).map(lambda ends: assertive.is_between(*ends).exclusive()),
    st.just(assertive.is_even()),
    st.just(assertive.is_odd()),
    _TEXTS.map(assertive.ignore_case),
    st.sampled_from(["a", "[0-9]+", ""]).map(assertive.regex),
    st.integers(0, 3).map(assertive.has_length),
)


def _joined(inner: st.SearchStrategy[Criteria]) -> st.SearchStrategy[Criteria]:
    pairs = st.tuples(inner, inner | _VALUES)
    members = st.dictionaries(_TEXTS, inner | _VALUES, max_size=2)
    items = st.lists(inner | _VALUES, max_size=2)
    return st.one_of(
        pairs.map(lambda pair: pair[0] & pair[1]),
        pairs.map(lambda pair: pair[0] | pair[1]),
        pairs.map(lambda pair: pair[0] ^ pair[1]),
        inner.map(lambda each: ~each),
        inner.map(assertive.has_length),
        items.map(lambda found: assertive.contains(*found)),
        items.map(lambda found: assertive.contains_exactly(*found)),
        members.map(assertive.has_key_values),
        members.map(assertive.has_exact_key_values),
        (inner | members).map(assertive.as_json_matches),
        members.map(assertive.is_eq),
    )


CRITERIA = st.recursive(_LEAVES, _joined, max_leaves=5)


@given(data=st.data())
def test_every_criterion_that_a_client_sends_is_taken(data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        sent = Sent(monkeypatch)
        parts = {
            part: data.draw(st.none() | CRITERIA) for part in ("host", "headers", "query", "path", "method", "body")
        }
        client = MockApiClient()
        client.when_requested_with(**parts).respond_with(status_code=200, headers={}, body="x")
        assert client.confirm_request(**parts, times=data.draw(CRITERIA))
        assert sent.stub is not None
        assert sent.assertion is not None


@given(
    wanted=CRITERIA | st.dictionaries(st.sampled_from(["a", "b"]), CRITERIA | _VALUES, min_size=1, max_size=2),
    value=st.dictionaries(st.sampled_from(["a", "b"]), _VALUES, max_size=2) | _VALUES,
)
def test_json_matches_where_the_clients_own_criterion_does(wanted: Any, value: Any) -> None:
    body = json.dumps(value)
    try:
        expected = assertive.as_json_matches(wanted).run_match(body)
    except (TypeError, ValueError):
        # It cannot be put to the value: what it means then is ours to say.
        return
    with pytest.MonkeyPatch.context() as monkeypatch:
        sent = Sent(monkeypatch)
        MockApiClient().when_requested_with(json=wanted).respond_with(status_code=200, headers={}, body="x")
        if _deviates(wanted):
            return
        assert sent.fits(Request("POST", "/", "", body.encode())) is bool(expected)


def _deviates(wanted: Any) -> bool:
    """What sees elements sees the keys of objects and the characters of texts, to the product alone."""
    return "$contains" in json.dumps(serialize(wanted))


def test_every_answer_that_a_client_can_ask_for_is_taken(sent: Sent) -> None:
    client = MockApiClient(scope_name="team-a")

    def when() -> Any:
        return client.when_requested_with(path="/users/{id}", method="GET")

    when().respond_with(status_code=200, headers={"Content-Type": "text/plain"}, body="hello", max_calls=2)
    assert sent.stub is not None
    assert sent.stub.max_calls == 2
    when().respond_with(status_code=204, headers={}, body="")
    when().respond_with(status_code=200, headers={}, body={"a": [1]})
    when().respond_with_json(status_code=200, body={"a": 1})
    assert sent.stub.action.respond.text == '{"a": 1}'
    when().respond_with_template(status_code=200, template_body="{{ request.path_params.id }}")
    when().respond_with_sse(events=[{"data": "a", "id": "1", "event": "e", "retry": 1, "delay_ms": 0}])
    when().proxy_to(url="http://127.0.0.1:1/x", headers={"x-a": "1"}, timeout=3)
    when().with_latency(delay_ms=5, jitter_ms=2).with_connection_drop(probability=0.5).proxy_to(url="http://a")
    assert sent.stub.action.fault.probability == 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        when().with_delay(delay_ms=5).respond_with(status_code=200, headers={}, body="x")
    assert sent.stub.action.delay.fixed_ms == 5


def test_what_a_client_asks_about_calls_is_taken(sent: Sent) -> None:
    client = MockApiClient()
    for times, held in ((assertive.is_gte(1), [1, 2]), (2, [2]), (assertive.is_eq(0) | 2, [0, 2]), (None, [1, 2])):
        assert client.confirm_request(path="/a", times=times)
        assert sent.assertion is not None
        assert [count for count in range(3) if verdict(sent.assertion.times, count, count)] == held


@pytest.mark.parametrize("wanted", [assertive.contains("a", "b"), assertive.contains_exactly("a", "b")])
@pytest.mark.parametrize("value", ["ab", "ba", "a", ["a", "b"], ["b", "a"], ["a", "b", "c"], [], ""])
def test_elements_and_characters_match_where_the_clients_own_criterion_does(
    sent: Sent, wanted: Criteria, value: Any
) -> None:
    MockApiClient().when_requested_with(json=wanted).respond_with(status_code=200, headers={}, body="x")
    assert sent.fits(Request("POST", "/", "", json.dumps(value).encode())) is wanted.run_match(value)
