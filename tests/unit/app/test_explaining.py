"""Explanations as callers ask for them: of a request, and of an exchange that is on record."""

from typing import Any

import pytest
from support.desk import Desk
from understudy.options.v1.options_pb2 import ROLE_CI
from understudy.v1 import explain_service_pb2 as pb
from understudy.v1.actions_pb2 import Header
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.project_service_pb2 import UpdateEnvironmentRequest, UpdateEnvironmentResponse
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy_server.app.explaining_words import summary
from understudy_server.core import profiles
from understudy_server.core.exchange import MASKED, MASKED_AND_CUT, Captured, Exchange
from understudy_server.core.explanation import Considered, Explanation, Outcome
from understudy_server.core.matching.mismatch import Mismatch
from understudy_server.core.matching.mock import Layer

EXPLAIN = "ExplainService.Explain"
KEY = Header(name="x-flowmock-session", value="ci-42")


@pytest.fixture
async def shop(desk: Desk) -> Desk:
    """A place where a mock for `POST /api/pay` with a body is on for ci-42, and one for any request for everybody."""
    pay = Mock(id="ovr_pay", name="Declined")
    pay.matcher.method, pay.matcher.path = "POST", "/api/pay"
    pay.matcher.body.contains = "1180"
    await desk.create(pay)
    await desk.publish("ovr_pay")
    await desk.library("ovr_any")
    await desk.activate("ovr_any")
    await desk.put(PutSessionRequest(overrides=["ovr_pay"]), "overrides")
    return desk


async def explain(desk: Desk, most: int = 0, **request: Any) -> pb.ExplainResponse:
    asked = pb.ExplainRequest(request=pb.ExplainedRequest(**{"target": "/", **request}), candidates_max=most)
    return await desk.call(EXPLAIN, asked, pb.ExplainResponse)


async def record(desk: Desk, **changes: Any) -> Exchange:
    async def place(tx: Any) -> tuple[str, str]:
        project = await tx.project(desk.project)
        return project.id, (await tx.environment(project.id, desk.environment)).id

    project_id, environment_id = await desk.world.store.read(place)
    made = Exchange(
        id="log_1",
        project_id=project_id,
        environment_id=environment_id,
        session_key="ci-42",
        session_id="",
        method="POST",
        path="/api/pay",
        query="",
        status=402,
        started_at_ms=0,
        duration_ms=1,
        mock_id="",
        request_headers=((b"host", b"shop.test"),),
        response_headers=(),
        request_body=Captured(b'{"amount":1180}', 15, "application/json"),
        response_body=None,
    )._replace(**changes)
    desk.world.journal.exchanges.append(made)
    return made


async def explain_log(desk: Desk, **changes: Any) -> pb.ExplainResponse:
    exchange = await record(desk, **changes)
    return await desk.call(EXPLAIN, pb.ExplainRequest(log_id=exchange.id), pb.ExplainResponse)


async def test_a_request_is_explained(shop: Desk) -> None:
    found = await explain(shop, method="POST", target="/api/pay", headers=[KEY], text='{"amount":1180}')
    assert (found.outcome, found.mock_id, found.rule) == (pb.OUTCOME_MOCK, "ovr_pay", "layer")
    assert found.summary == "ovr_pay answers: it is on for the session, and ovr_any only for the whole environment."
    assert (found.session_key, found.session_exists, found.considered_total) == ("ci-42", True, 2)
    first, second = found.considered
    assert (first.mock_id, first.name, first.layer, first.matches) == ("ovr_pay", "Declined", pb.LAYER_SESSION, True)
    assert (second.mock_id, second.layer, second.matches) == ("ovr_any", pb.LAYER_ENVIRONMENT, True)


async def test_what_does_not_hold_is_told_field_by_field(shop: Desk) -> None:
    found = await explain(shop, method="GET", target="/api/pay", headers=[KEY], body=b"{}")
    _, missed = found.considered
    assert [(each.field, each.expected, each.actual, each.code) for each in missed.mismatches] == [
        ("matcher.method", "is POST", "GET", "differs"),
        ("matcher.body.contains", 'contains "1180"', "{}", "differs"),
    ]
    assert 0 < missed.distance < 1


async def test_a_session_key_may_be_given_in_place_of_the_one_in_the_request(shop: Desk) -> None:
    found = await explain(shop, method="POST", target="/api/pay", text="1180", session_key="  ci-42 ")
    assert (found.mock_id, found.session_key) == ("ovr_pay", "ci-42")


async def test_a_method_is_get_unless_it_is_said(shop: Desk) -> None:
    assert "GET" in [each.actual for each in (await explain(shop, headers=[KEY])).considered[1].mismatches]


async def test_a_host_is_the_one_that_is_named_or_that_of_the_header(desk: Desk) -> None:
    mock = Mock(id="ovr_a", name="a")
    mock.matcher.host.equals = "shop.test"
    await desk.create(mock)
    await desk.publish("ovr_a")
    await desk.activate("ovr_a")
    assert (await explain(desk, host="Shop.test:8080")).mock_id == "ovr_a"
    assert (await explain(desk, headers=[Header(name="Host", value="shop.test")])).mock_id == "ovr_a"
    assert (await explain(desk)).mock_id == ""


async def test_a_path_that_is_no_ascii_is_what_clients_make_of_it(desk: Desk) -> None:
    mock = Mock(id="ovr_a", name="a")
    mock.matcher.path = "/café"
    await desk.create(mock)
    await desk.publish("ovr_a")
    await desk.activate("ovr_a")
    assert (await explain(desk, target="/café?a=%20")).mock_id == "ovr_a"
    assert (await explain(desk, target="/caf%C3%A9")).mock_id == "ovr_a"


async def test_no_more_mocks_are_told_than_asked_for(shop: Desk) -> None:
    found = await explain(shop, most=1, headers=[KEY])
    assert (len(found.considered), found.considered_total) == (1, 2)


@pytest.mark.parametrize(
    ("request_", "field", "rule"),
    [
        (pb.ExplainRequest(), "request", "required"),
        (pb.ExplainRequest(request=pb.ExplainedRequest()), "request.target", "required"),
        (pb.ExplainRequest(request=pb.ExplainedRequest(target="a")), "request.target", "pattern"),
        (pb.ExplainRequest(request=pb.ExplainedRequest(target="/a b")), "request.target", "pattern"),
        (pb.ExplainRequest(request=pb.ExplainedRequest(target="/", body=b"a", text="b")), "request.text", "exclusive"),
        (pb.ExplainRequest(request=pb.ExplainedRequest(target="/"), candidates_max=1001), "candidates_max", "max"),
    ],
)
async def test_what_cannot_be_explained_is_refused(
    desk: Desk, request_: pb.ExplainRequest, field: str, rule: str
) -> None:
    problem = await desk.refused(EXPLAIN, request_)
    assert (problem.reason, problem.field, problem.rule) == ("invalid_field", field, rule)


async def test_a_key_of_the_public_api_may_ask(shop: Desk) -> None:
    assert (await explain(shop.of(await shop.world.make_key(ROLE_CI)))).mock_id == "ovr_any"


# What is on record


async def test_an_exchange_is_explained_by_the_mocks_of_now(shop: Desk) -> None:
    found = await explain_log(shop)
    assert (found.mock_id, found.session_key, list(found.reasons)) == ("ovr_pay", "ci-42", [])


async def test_an_exchange_without_a_key_has_none_whatever_its_headers_say_now(shop: Desk) -> None:
    found = await explain_log(shop, session_key="", request_headers=((b"x-flowmock-session", b"ci-42"),))
    assert (found.mock_id, found.session_key, list(found.reasons)) == ("ovr_any", "", ["no_session_key"])


async def test_what_was_odd_about_the_key_is_what_was_found_then(shop: Desk) -> None:
    found = await explain_log(shop, findings=("carriers_disagree", "client_gone"))
    assert list(found.findings) == ["carriers_disagree"]
    change = UpdateEnvironmentRequest()
    change.changes.strict = True
    await shop.call("ProjectService.UpdateEnvironment", change, UpdateEnvironmentResponse)
    again = await shop.call(EXPLAIN, pb.ExplainRequest(log_id="log_1"), pb.ExplainResponse)
    assert again.outcome == pb.OUTCOME_REFUSED
    assert again.summary == (
        "The proxy refuses the request: This request carries two different session keys. "
        "Send one, in the header x-flowmock-session."
    )


@pytest.mark.parametrize(
    ("body", "reasons", "mock_id"),
    [
        (Captured(b'{"amount":1180}', 15), [], "ovr_pay"),
        (Captured(b'{"amount":1180', 15), ["body_not_kept"], "ovr_any"),
        (Captured(b"", 15, "application/json", "a" * 64), ["body_not_kept", "masked"], "ovr_any"),
        (Captured(b'{"amount":1180,"card":"[redacted]"}', 15, "", MASKED), ["masked"], "ovr_pay"),
        (Captured(b'{"amount":1180,"card', 99, "", MASKED_AND_CUT), ["body_not_kept", "masked"], "ovr_any"),
        (None, [], "ovr_any"),
    ],
)
async def test_a_body_is_what_was_kept_of_it(
    shop: Desk, body: Captured | None, reasons: list[str], mock_id: str
) -> None:
    found = await explain_log(shop, request_body=body)
    assert (list(found.reasons), found.mock_id) == (reasons, mock_id)


@pytest.mark.parametrize(
    "changes",
    [{"query": "token=[redacted]"}, {"request_headers": ((b"cookie", b"[redacted]"),)}],
)
async def test_masked_values_are_said_to_be(shop: Desk, changes: dict[str, Any]) -> None:
    assert list((await explain_log(shop, **changes)).reasons) == ["masked"]


async def test_a_query_of_an_exchange_is_looked_at(desk: Desk) -> None:
    mock = Mock(id="ovr_a", name="a")
    mock.matcher.query["q"].equals = "1"
    await desk.create(mock)
    await desk.publish("ovr_a")
    await desk.activate("ovr_a")
    assert (await explain_log(desk, query="q=1")).mock_id == "ovr_a"


@pytest.mark.parametrize("log_id", ["log_none", "log_1"])
async def test_a_log_of_another_environment_is_not_found(shop: Desk, log_id: str) -> None:
    await record(shop, environment_id="env_other")
    problem = await shop.refused(EXPLAIN, pb.ExplainRequest(log_id=log_id))
    assert (problem.reason, problem.field) == ("not_found", "log_id")


# In a sentence


def told(*mocks: Considered, outcome: Outcome = Outcome.MOCK, rule: str = "", total: int = 0) -> str:
    found = Explanation(outcome, rule, "No.", "", False, (), (), mocks, total or len(mocks), ())
    return summary(found)


def matching(name: str, layer: Layer = Layer.SESSION) -> Considered:
    return Considered(name, "", layer, 0, ())


def missing(name: str, actual: str = "3") -> Considered:
    return Considered(name, "", Layer.SESSION, 0.5, (Mismatch("matcher.query.page", 'equals "2"', actual, "", 1.0),))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (told(matching("a"), rule="only_match"), "a answers: it matches, and no other mock is on."),
        (
            told(matching("a"), missing("b"), rule="only_match"),
            "a answers: it matches, and of the 2 mocks that are on, no other one does.",
        ),
        (told(matching("a"), rule="path", total=2), "a answers: it is the first of those that match."),
        (
            told(matching("a"), matching("b", Layer.SCENARIO), rule="layer"),
            "a answers: it is on for the session, and b by the session's scenario.",
        ),
        (
            told(matching("a"), matching("b"), rule="priority"),
            "a answers: its priority is greater than that of b.",
        ),
        (told(outcome=Outcome.REFUSED), "The proxy refuses the request: No."),
        (
            told(outcome=Outcome.UPSTREAM),
            "No mock answers: none is on. The request is passed on to the upstream.",
        ),
        (
            told(missing("b"), outcome=Outcome.NO_UPSTREAM),
            "No mock answers: b, the one that is on, misses at matcher.query.page "
            "(expected: equals \"2\"; found: '3'). There is no upstream, so the proxy answers with 502.",
        ),
        (
            told(missing("b", ""), outcome=Outcome.UPSTREAM, total=12),
            "No mock answers: b, the nearest of the 12 that are on, misses at matcher.query.page "
            '(expected: equals "2"; found: nothing). The request is passed on to the upstream.',
        ),
    ],
)
def test_an_explanation_is_told_in_a_sentence(said: str, expected: str) -> None:
    assert said == expected


@pytest.mark.parametrize("rule", sorted({part for order in profiles.ORDERS.values() for part in order.parts}))
def test_every_part_of_every_order_has_its_words(rule: str) -> None:
    assert told(matching("a"), matching("b"), rule=rule).startswith(("a answers: it", "a answers: the parts"))
