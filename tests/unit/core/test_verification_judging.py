"""Whether a matcher fits a call on record: as it fitted the request, or undecided where masks stand in the way."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.calls_on_record import recorded_call
from support.criterion_messages import CONTENTS, CRITERIA, JSON, describing
from understudy.v1.matching_pb2 import Criterion, RequestMatcher
from understudy_server.core.exchange import MASKED, Captured, Exchange
from understudy_server.core.json_masking import JsonMask
from understudy_server.core.json_paths import parse
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.mismatch import Judged
from understudy_server.core.matching.request import Request
from understudy_server.core.redaction import MARKER, Redaction, redact
from understudy_server.core.steps import Steps
from understudy_server.core.verification_judging import (
    Fit,
    Recorded,
    distance_in_parts,
    fit,
    fit_in_parts,
)
from understudy_server.definitions.matchers import compile_matcher

BUDGET = 10**9


def fits(message: RequestMatcher, exchange: Exchange) -> Fit:
    return fit(compile_matcher(message, "matcher"), Recorded(exchange), Steps(BUDGET))


def _distance(matcher: Matcher, recorded: Recorded) -> Judged:
    parts = distance_in_parts(matcher, recorded)
    while True:
        try:
            next(parts)
        except StopIteration as end:
            judged: Judged = end.value
            return judged


def fitted(message: RequestMatcher, exchange: Exchange, body: bytes) -> bool:
    """Whether the request itself was matched."""
    request = Request(
        exchange.method, exchange.path, exchange.query, body, headers=exchange.request_headers, host="shop.test"
    )
    return compile_matcher(message, "matcher").matches(request)


def of_body(criterion: Criterion) -> RequestMatcher:
    return RequestMatcher(body=criterion)


@given(CRITERIA, CONTENTS)
def test_a_call_that_was_kept_whole_is_fitted_as_the_request_was(criterion: Criterion, body: bytes) -> None:
    exchange = recorded_call(body=body or None)
    found = fits(of_body(criterion), exchange)
    assert found is (Fit.YES if fitted(of_body(criterion), exchange, body) else Fit.NO)


_PATHS = ["$.a", "$.b", "$.a.b", "$..a", "$[0]", "$.a[1]", "$.*"]


@given(
    JSON.flatmap(lambda value: st.tuples(st.just(value), CRITERIA | describing(value))),
    st.lists(st.sampled_from(_PATHS), min_size=1, max_size=2),
)
def test_what_is_told_of_a_masked_body_is_what_was_true_of_the_body(
    case: tuple[Any, Criterion], paths: list[str]
) -> None:
    value, criterion = case
    body = json.dumps(value).encode()
    masked = JsonMask(tuple(map(parse, paths))).apply(body)
    assert masked is not None
    whole = Captured(body, len(body), "application/json")
    kept = whole if masked is body else Captured(masked, len(body), "application/json", MASKED)
    found = fits(of_body(criterion), recorded_call(body=kept))
    assert found in (Fit.UNDECIDED, fits(of_body(criterion), recorded_call(body=whole)))


@given(JSON.flatmap(lambda value: st.tuples(st.just(value), CRITERIA | describing(value))), st.integers(0, 3))
def test_what_is_told_of_a_body_that_was_cut_is_what_was_true_of_the_body(
    case: tuple[Any, Criterion], kept_bytes: int
) -> None:
    value, criterion = case
    body = json.dumps(value).encode() + b" " * 4
    found = fits(of_body(criterion), recorded_call(body=Captured(body[:kept_bytes], len(body))))
    assert found in (Fit.UNDECIDED, fits(of_body(criterion), recorded_call(body=body)))


_NAMES = st.sampled_from(["a", "b", "token"])
_VALUES = st.sampled_from(["", "1", "a", "12", "x=1"])
_CRITERIA_OF_HEADS = st.dictionaries(_NAMES, CRITERIA, max_size=2)


@given(
    query=st.lists(st.tuples(_NAMES, _VALUES), max_size=3),
    headers=st.lists(st.tuples(st.sampled_from(["a", "token", "cookie", "referer"]), _VALUES), max_size=3),
    named=st.builds(RequestMatcher, query=_CRITERIA_OF_HEADS, headers=_CRITERIA_OF_HEADS, cookies=_CRITERIA_OF_HEADS),
    whole=st.builds(RequestMatcher, all_query=CRITERIA) | st.builds(RequestMatcher, all_headers=CRITERIA),
)
def test_what_is_told_of_a_masked_head_is_what_was_true_of_the_head(
    query: list[tuple[str, str]], headers: list[tuple[str, str]], named: RequestMatcher, whole: RequestMatcher
) -> None:
    target = "/pay?" + "&".join([f"{name}={value}" for name, value in query])
    raw = tuple([(name.encode(), value.encode()) for name, value in headers])
    original = recorded_call(target=target, headers=raw)
    redaction = Redaction(header_names=frozenset({b"token"}), query_names=frozenset({"token"}))
    masked = original._replace(
        query=redaction.query(original.query), request_headers=redact(redaction.headers(original.request_headers))
    )
    for message in (named, whole):
        assert fits(message, masked) in (Fit.UNDECIDED, fits(message, original))


MASKED_BODY = Captured(b'{"amount":12,"card":{"number":"[redacted]","last4":"0002"}}', 80, "application/json", MASKED)


@pytest.mark.parametrize(
    ("test", "found"),
    [
        ({"json_subset": '{"amount": 12}'}, Fit.YES),
        ({"json_subset": '{"amount": 13}'}, Fit.NO),
        ({"json_subset": '{"card": {"last4": "0002"}}'}, Fit.YES),
        ({"json_subset": '{"card": {"number": "4242"}}'}, Fit.UNDECIDED),
        ({"json_subset": '{"amount": 13, "card": {"number": "4242"}}'}, Fit.NO),
        ({"json_subset": '{"card": {"number": "[redacted]"}}'}, Fit.UNDECIDED),
        ({"equals": "x"}, Fit.UNDECIDED),
        ({"present": True}, Fit.YES),
        ({"each": Criterion(present=True)}, Fit.NO),
        ({"some": Criterion(present=True)}, Fit.NO),
    ],
)
def test_masks_hide_what_they_stand_for_and_nothing_else(test: dict[str, Any], found: Fit) -> None:
    assert fits(of_body(Criterion(**test)), recorded_call(body=MASKED_BODY)) is found


@pytest.mark.parametrize(
    ("path", "criterion", "found"),
    [
        ("$.amount", Criterion(json_equals="12"), Fit.YES),
        ("$.card.number", Criterion(present=True), Fit.YES),
        ("$.card.number", Criterion(equals="4242"), Fit.UNDECIDED),
        ("$.card.number.first", Criterion(present=True), Fit.UNDECIDED),
        ("$.card.none", Criterion(present=False), Fit.YES),
        ("$..last4", Criterion(equals="0002"), Fit.UNDECIDED),
    ],
)
def test_a_path_to_one_place_is_followed_past_the_masks_beside_it(path: str, criterion: Criterion, found: Fit) -> None:
    message = Criterion()
    message.json_path.path = path
    message.json_path.criterion.CopyFrom(criterion)
    assert fits(of_body(message), recorded_call(body=MASKED_BODY)) is found


AUTHORIZED = recorded_call(headers=((b"Authorization", MARKER), (b"Accept", b"a/b"), (b"Cookie", MARKER)))


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (RequestMatcher(headers={"authorization": Criterion(present=True)}), Fit.YES),
        (RequestMatcher(headers={"authorization": Criterion(present=False)}), Fit.NO),
        (RequestMatcher(headers={"authorization": Criterion(equals="Bearer x")}), Fit.UNDECIDED),
        (RequestMatcher(headers={"accept": Criterion(equals="a/b")}), Fit.YES),
        (RequestMatcher(cookies={"theme": Criterion(present=False)}), Fit.UNDECIDED),
        (RequestMatcher(all_headers=Criterion(json_subset='{"accept": "a/b"}')), Fit.YES),
        (RequestMatcher(all_headers=Criterion(json_subset='{"authorization": "Bearer x"}')), Fit.UNDECIDED),
        (RequestMatcher(method="GET", headers={"authorization": Criterion(equals="Bearer x")}), Fit.NO),
    ],
)
def test_that_a_credential_was_sent_is_known_and_which_is_not(message: RequestMatcher, found: Fit) -> None:
    assert fits(message, AUTHORIZED) is found


_NOT_THERE = Criterion()
getattr(_NOT_THERE, "not").present = True


@pytest.mark.parametrize("body", [Captured(b"abc", 1_000), Captured(b"", 9, "", "0" * 64)], ids=["cut", "withheld"])
@pytest.mark.parametrize(
    ("criterion", "found"),
    [
        (Criterion(present=True), Fit.YES),
        (Criterion(empty=True), Fit.NO),
        (Criterion(prefix="abc"), Fit.UNDECIDED),
        (_NOT_THERE, Fit.NO),
    ],
)
def test_of_a_body_that_is_not_here_only_that_there_was_one_is_known(
    body: Captured, criterion: Criterion, found: Fit
) -> None:
    assert fits(of_body(criterion), recorded_call(body=body)) is found


def test_the_host_is_the_one_that_the_request_named() -> None:
    message = RequestMatcher(host=Criterion(equals="shop.test"))
    assert fits(message, recorded_call(headers=((b"Host", b"Shop.Test:8080"),))) is Fit.YES
    assert fits(message, recorded_call()) is Fit.NO


def test_what_takes_too_much_work_is_undecided_and_not_denied() -> None:
    body = b"[" + b"0," * 60_000 + b"0]"
    criterion = Criterion(each=Criterion(json_equals="0"))
    assert fits(of_body(criterion), recorded_call(body=body)) is Fit.UNDECIDED


def test_what_is_told_of_the_nearest_is_no_guess_about_a_mask() -> None:
    message = RequestMatcher(path="/refund", headers={"authorization": Criterion(equals="Bearer x")})
    judged = _distance(compile_matcher(message, "matcher"), Recorded(AUTHORIZED))
    assert [each.field for each in judged.mismatches] == ["matcher.path"]
    assert judged.distance > 0


def test_a_long_body_is_read_in_parts_and_fits_all_the_same() -> None:
    body = json.dumps([{"id": number} for number in range(20_000)]).encode()
    matcher = compile_matcher(of_body(Criterion(json_subset='{"id": 1}')), "matcher")
    recorded = Recorded(recorded_call(body=body))
    parts = list(fit_in_parts(matcher, recorded, Steps(BUDGET)))
    assert len(parts) > 3
    # What was read once is not read again.
    assert list(fit_in_parts(matcher, recorded, Steps(BUDGET))) == []
    assert fit(matcher, recorded, Steps(BUDGET)) is Fit.NO
    longer = compile_matcher(of_body(Criterion(length=Criterion(equals=str(len(body))))), "matcher")
    assert fit(longer, recorded, Steps(BUDGET)) is Fit.YES


def test_parts_of_a_request_are_explained_one_after_the_other() -> None:
    names = [f"x-{number}" for number in range(8)]
    message = RequestMatcher(headers={name: Criterion(equals="none") for name in names})
    matcher, recorded = compile_matcher(message, "matcher"), Recorded(recorded_call())
    assert len(list(distance_in_parts(matcher, recorded))) == len(names)
    assert [each.field for each in _distance(matcher, recorded).mismatches] == [
        f"matcher.headers.{name}.equals" for name in names
    ]
