import pytest
from understudy.v1.actions_pb2 import Action
from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.project_service_pb2 import Carrier as CarrierMessage
from understudy.v1.project_service_pb2 import Redaction as RedactionMessage
from understudy_server.core.carriers import Carrier, CarrierKind
from understudy_server.core.json_masking import JsonMask
from understudy_server.core.json_paths import parse
from understudy_server.core.matching.request import Request
from understudy_server.core.redaction import Redaction
from understudy_server.core.responding.response import Response
from understudy_server.definitions.environments import compile_carriers, compile_redaction
from understudy_server.definitions.mocks import compile_mock


def test_a_mock_of_defaults_matches_everything_and_answers_200_without_a_body() -> None:
    mock = compile_mock(Mock(id="ovr_a"))
    assert mock.matcher.matches(Request("PATCH", "/any/thing", "a=b", b"x"))
    assert (mock.response, mock.delay_ms) == (Response(200, (), b""), 0)


def test_every_part_of_the_matcher_is_compiled() -> None:
    message = RequestMatcher(method="POST", path="/users/:id")
    message.query["p"].equals = "1"
    message.query["q"].json_subset = "[2]"
    message.body.json_subset = '{"a": 1}'
    matcher = compile_mock(Mock(id="ovr_a", matcher=message)).matcher
    body = b'{"a": 1, "b": 2}'
    assert matcher.matches(Request("POST", "/users/7", "p=1&q=[2]", body))
    assert not matcher.matches(Request("PUT", "/users/7", "p=1&q=[2]", body))
    assert not matcher.matches(Request("POST", "/users", "p=1&q=[2]", body))
    assert not matcher.matches(Request("POST", "/users/7", "p=2&q=[2]", body))
    assert not matcher.matches(Request("POST", "/users/7", "p=1&q=[3]", body))
    assert not matcher.matches(Request("POST", "/users/7", "p=1&q=[2]", b"{}"))


def test_an_empty_text_is_a_criterion_too() -> None:
    message = RequestMatcher()
    message.body.equals = ""
    matcher = compile_mock(Mock(id="ovr_a", matcher=message)).matcher
    assert matcher.matches(Request("POST", "/", body=b""))
    assert not matcher.matches(Request("POST", "/", body=b"x"))


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        ({"json": '{"é": 1}'}, "application/json", '{"é": 1}'.encode()),
        ({"text": "é"}, "text/plain; charset=utf-8", "é".encode()),
        ({"binary": b"\xff"}, "application/octet-stream", b"\xff"),
    ],
)
def test_the_body_is_sent_as_given_with_the_type_of_its_kind(
    body: dict[str, str], content_type: str, expected: bytes
) -> None:
    action = Action()
    for name, value in body.items():
        setattr(action.respond, name, value)
    response = compile_mock(Mock(id="ovr_a", action=action)).response
    assert (response.headers, response.body) == ((("content-type", content_type),), expected)


def test_status_headers_and_delay_are_taken_over() -> None:
    action = Action()
    action.respond.status = 402
    action.respond.headers.add(name="X-B", value="1")
    action.respond.headers.add(name="x-a", value="2")
    action.delay.fixed_ms = 250
    mock = compile_mock(Mock(id="ovr_a", action=action))
    assert (mock.response.status, mock.response.headers, mock.delay_ms) == (402, (("X-B", "1"), ("x-a", "2")), 250)


def test_carriers_of_every_kind_are_compiled_in_their_order() -> None:
    messages = [
        CarrierMessage(baggage="run"),
        CarrierMessage(header="X-Run"),
        CarrierMessage(cookie="sid"),
        CarrierMessage(query="run"),
        CarrierMessage(jwt_claim="user.session"),
    ]
    assert compile_carriers(messages) == (
        Carrier(CarrierKind.BAGGAGE, "run"),
        Carrier(CarrierKind.HEADER, "X-Run"),
        Carrier(CarrierKind.COOKIE, "sid"),
        Carrier(CarrierKind.QUERY, "run"),
        Carrier(CarrierKind.JWT_CLAIM, "user.session"),
    )


def test_every_source_of_a_carrier_has_a_kind() -> None:
    sources = CarrierMessage.DESCRIPTOR.oneofs_by_name["source"].fields
    compiled = compile_carriers([CarrierMessage(**{field.name: "x"}) for field in sources])
    assert [each.kind.value for each in compiled] == [field.name for field in sources]
    assert {each.kind for each in compiled} == set(CarrierKind)


def test_redaction_is_compiled() -> None:
    message = RedactionMessage(headers=["X-Token", "x-TOKEN"], query=["Token"], json_paths=["$.a", "$..b"])
    assert compile_redaction(message) == Redaction(
        frozenset({b"x-token"}), frozenset({"Token"}), JsonMask((parse("$.a"), parse("$..b")))
    )
    assert compile_redaction(RedactionMessage(query=["a"])) == Redaction(query_names=frozenset({"a"}))


def test_redaction_of_nothing_is_none() -> None:
    assert compile_redaction(RedactionMessage()) is None
