from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from support import synthetic
from understudy.options.v1.options_pb2 import ROLE_CI
from understudy.v1 import key_service_pb2, log_service_pb2, mock_service_pb2, session_service_pb2
from understudy_gateway.transcoding.json_encode import Encoders, dump

ENCODERS = Encoders()


def text(message: Any, *, whole_body: bool = False) -> str:
    return dump(ENCODERS.of(message.DESCRIPTOR, whole_body=whole_body).value(message)).decode()


def test_an_empty_session_prints_its_nulls_and_zeros_in_the_order_of_the_contract() -> None:
    assert text(session_service_pb2.Session(), whole_body=True) == (
        '{"project":"","environment":"","sessionKey":"","label":null,"scenario":null,"overrides":[],'
        '"globalDelayMs":0,"globalDelayMaxMs":0,"lastSeenAt":null}'
    )


def test_what_travels_in_a_header_stays_in_the_json_of_a_nested_message() -> None:
    listed = session_service_pb2.ListedSession(session=session_service_pb2.Session(revision=3))
    page = session_service_pb2.ListSessionsResponse(sessions=[listed])
    assert '"revision":3' in text(page, whole_body=True)


def test_a_field_that_may_not_be_null_is_left_out_when_unset() -> None:
    session = session_service_pb2.Session(expires_at=Timestamp(seconds=0))
    assert '"expiresAt":"1970-01-01T00:00:00.000Z"' in text(session)
    assert "expiresAt" not in text(session_service_pb2.Session())


def test_a_present_empty_text_is_not_null() -> None:
    assert '"label":""' in text(session_service_pb2.Session(label=""))


def test_integers_of_64_bits_are_numbers() -> None:
    assert '"revision":9007199254740993' in text(session_service_pb2.Session(revision=2**53 + 1))


def test_an_enum_is_lower_case_without_its_prefix() -> None:
    key = key_service_pb2.Key(role=ROLE_CI)
    assert '"role":"ci"' in text(key)


def test_an_enum_without_a_value_is_left_out() -> None:
    assert '"role"' not in text(key_service_pb2.Key())


def test_an_enum_value_from_a_newer_contract_is_its_number() -> None:
    message = synthetic.make("Everything", colour=77, colour_list=[1, 0])
    assert '"colour":77' in text(message)
    assert '"colourList":["red",0]' in text(message)


def test_raw_json_is_spliced_as_it_is() -> None:
    mock = mock_service_pb2.Mock()
    mock.action.respond.json = '{"b": 1.50, "a": 12345678901234567890123}'
    assert '"json":{"b": 1.50, "a": 12345678901234567890123}' in text(mock)


def test_raw_json_without_text_is_left_out_and_null_in_a_list() -> None:
    printed = text(synthetic.make("Everything", raw_list=[""]))
    assert '"rawList":[null]' in printed
    assert '"loose"' not in printed


@pytest.mark.parametrize(
    ("number", "shown"),
    [(1.0, "1"), (0.0, "0"), (-3.0, "-3"), (0.1, "0.1"), (1e-7, "1e-7"), (-0.0, "-0.0"), (1e300, "1e+300")],
)
def test_a_number_with_a_fraction_is_written_as_people_write_it(number: float, shown: str) -> None:
    assert f'"ratio":{shown},' in text(synthetic.make("Everything", ratio=number))


def test_a_criterion_within_criteria_is_written_like_any_other() -> None:
    mock = mock_service_pb2.Mock()
    getattr(mock.matcher.body.all.criteria.add(), "not").equals = "a"
    assert '"body":{"all":{"criteria":[{"not":{"equals":"a"}}]}}' in text(mock)


def test_maps_are_sorted_by_key() -> None:
    assert '"numbers":{"a":1,"b":2,"c":3}' in text(synthetic.make("Everything", numbers={"c": 3, "a": 1, "b": 2}))


def test_a_page_of_logs_prints_the_cursor_as_null() -> None:
    assert text(log_service_pb2.ListLogsResponse()) == '{"logs":[],"nextCursor":null}'
