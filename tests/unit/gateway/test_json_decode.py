import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import synthetic
from understudy.v1 import mock_service_pb2, session_service_pb2
from understudy_gateway.transcoding import json_text
from understudy_gateway.transcoding.json_decode import Decoders, Reading

DECODERS = Decoders()
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KINDS = [field.json_name for field in synthetic.message("Everything").fields]


def read(message: Any, text: str, *, lenient: bool = False) -> tuple[list[str], list[tuple[str, str, str]]]:
    """Fill the message; return the names given and (reason, field, rule) of each fault."""
    reading = Reading(lenient)
    given_names = DECODERS.of(message.DESCRIPTOR).fill(message, json_text.parse(text), "", reading)
    return given_names, [(fault.reason, fault.field, fault.rule) for fault in reading.faults]


def value_of(kind: str, text: str) -> Any:
    """The value of a field of the synthetic message, or the rule that its JSON breaks."""
    message = synthetic.make("Everything")
    _, faults = read(message, f'{{"{kind}": {text}}}')
    return faults[0][2] if faults else getattr(message, kind)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", '"a"', "a"),
        ("text", '""', ""),
        ("text", r'"\u0000é😀"', "\0é😀"),
        ("whole", "1", 1),
        ("whole", "1.0", 1),
        ("whole", "1e2", 100),
        ("whole", "-2147483648", -(2**31)),
        ("wide", "9007199254740993", 2**53 + 1),
        ("natural", "18446744073709551615", 2**64 - 1),
        ("ratio", "1", 1.0),
        ("ratio", "0.5", 0.5),
        ("truth", "true", True),
        ("blob", '"AAEC/w=="', b"\0\1\2\xff"),
        ("blob", '""', b""),
        ("colour", '"red"', 1),
        ("colour", '"dark_green"', 2),
        ("loose", '{"b":1.50,"a":[-0]}', '{"b":1.50,"a":[-0]}'),
        ("loose", "null", "null"),
        ("clamped", "2147483648", 2**31 - 1),
        ("clamped", "-99999999999", -(2**31)),
    ],
)
def test_a_value_that_fits_is_read(kind: str, text: str, value: object) -> None:
    assert value_of(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text", "rule"),
    [
        ("text", "1", "type"),
        ("text", "true", "type"),
        ("text", "[]", "type"),
        ("text", "null", "null"),
        ("whole", "1.5", "type"),
        ("whole", '"100"', "type"),
        ("whole", "true", "type"),
        ("whole", "1e400", "type"),
        ("whole", "2147483648", "range"),
        ("natural", "-1", "range"),
        ("natural", "18446744073709551616", "range"),
        ("ratio", '"1"', "type"),
        ("ratio", "1e400", "range"),
        ("ratio", "true", "type"),
        ("truth", "1", "type"),
        ("truth", '"true"', "type"),
        ("blob", '"!!"', "type"),
        ("blob", '"AAE"', "type"),
        ("blob", '"AAF="', "type"),
        ("blob", '"__8="', "type"),
        ("blob", '"AA E="', "type"),
        ("blob", '"é"', "type"),
        ("blob", "1", "type"),
        ("blob", "[]", "type"),
        ("blob", "{}", "type"),
        ("colour", '"RED"', "enum"),
        ("colour", '"COLOUR_RED"', "enum"),
        ("colour", '"unspecified"', "enum"),
        ("colour", '""', "enum"),
        ("colour", "1", "enum"),
        ("at", "0", "type"),
        ("at", '"yesterday"', "type"),
        ("inner", "[]", "type"),
        ("inner", '"a"', "type"),
        ("textList", '"a"', "type"),
        ("textList", "{}", "type"),
        ("numbers", "[]", "type"),
        ("inners", "[]", "type"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(kind: str, text: str, rule: str) -> None:
    assert value_of(kind, text) == rule


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"textList":["a",2]}', "text_list[1]"),
        ('{"textList":[null]}', "text_list[0]"),
        ('{"inner":{"whole":"1"}}', "inner.whole"),
        ('{"innerList":[{},{"atList":["x"]}]}', "inner_list[1].at_list[0]"),
        ('{"numbers":{"a":"1"}}', "numbers['a']"),
        ('{"numbers":{"a":null}}', "numbers['a']"),
        ('{"inners":{"a":{"truth":1}}}', "inners['a'].truth"),
        ('{"inner":{"nothing":1}}', "inner.nothing"),
        ('{"text_list":[]}', "text_list"),
    ],
)
def test_a_fault_names_the_path_of_its_field(text: str, field: str) -> None:
    _, faults = read(synthetic.make("Everything"), text)
    assert [(reason, path) for reason, path, _ in faults] == [("invalid_field", field)]


def test_a_fault_does_not_stop_the_reading_of_the_rest() -> None:
    message = synthetic.make("Everything")
    _, faults = read(message, '{"whole":"x","text":"a","textList":["a",1,"b"],"truth":0}')
    assert [field for _, field, _ in faults] == ["whole", "text_list[1]", "truth"]
    assert (message.text, list(message.text_list)) == ("a", ["a", "b"])


def test_lists_maps_and_messages_are_read() -> None:
    message = synthetic.make("Everything")
    text = '{"inners":{"k":{"wholeList":[1,2]}},"rawList":[null,1.0],"atList":["1970-01-01T00:00:01Z"],"inner":{}}'
    assert read(message, text)[1] == []
    assert list(message.inners["k"].whole_list) == [1, 2]
    assert list(message.raw_list) == ["null", "1.0"]
    assert message.at_list[0].seconds == 1
    assert message.HasField("inner")


def test_null_clears_what_may_be_null() -> None:
    message = session_service_pb2.PutSessionRequest(label="x")
    assert read(message, '{"label":null}') == (["label"], [])
    assert not message.HasField("label")


def test_null_is_refused_where_it_means_nothing() -> None:
    assert read(session_service_pb2.PutSessionRequest(), '{"overrides":null}')[1] == [
        ("invalid_field", "overrides", "null")
    ]


def test_an_unknown_key_is_refused() -> None:
    assert read(session_service_pb2.PutSessionRequest(), '{"labels":1}')[1] == [("invalid_field", "labels", "unknown")]


def test_an_unknown_key_is_ignored_where_the_contract_is_lenient() -> None:
    assert read(session_service_pb2.PutSessionRequest(), '{"labels":1}', lenient=True) == ([], [])


def test_the_name_in_the_proto_is_not_the_name_in_json() -> None:
    assert read(session_service_pb2.PutSessionRequest(), '{"global_delay_ms":1}')[1][0][2] == "unknown"


def test_a_mask_is_no_part_of_json() -> None:
    assert read(session_service_pb2.PutSessionRequest(), '{"updateMask":"label"}')[1][0][2] == "unknown"


def test_what_only_the_server_sets_is_ignored_whatever_it_holds() -> None:
    message = mock_service_pb2.Mock()
    assert read(message, '{"state":7,"createdAt":null,"name":"a"}') == (["name"], [])
    assert message == mock_service_pb2.Mock(name="a")


def test_a_field_at_fault_has_its_own_reason() -> None:
    reasons = read(session_service_pb2.DeleteSessionRequest(), '{"mode":"x"}')[1]
    assert reasons == [("invalid_mode", "mode", "enum")]


def test_two_members_of_a_oneof_are_refused() -> None:
    message = mock_service_pb2.Mock()
    _, faults = read(message, '{"action":{"respond":{"json":null,"text":"a"}}}')
    assert faults == [("invalid_field", "action.respond.text", "oneof")]


def test_null_is_a_json_value_where_json_is_kept_as_text() -> None:
    message = mock_service_pb2.Mock()
    assert read(message, '{"action":{"respond":{"json":null}}}')[1] == []
    assert message.action.respond.json == "null"


def test_raw_json_keeps_order_and_digits() -> None:
    message = mock_service_pb2.Mock()
    kept = '{"z":1.50,"a":{"n":12345678901234567890123,"e":1E400},"é":"\\u0000","t":[true,null]}'
    assert read(message, f'{{"action":{{"respond":{{"json": {kept} }}}}}}')[1] == []
    assert message.action.respond.json == kept


def test_every_given_name_is_told_in_order() -> None:
    message = session_service_pb2.PutSessionRequest()
    names, _ = read(message, '{"ttlSeconds":1,"label":null,"overrides":[],"globalDelayMs":"x"}')
    assert names == ["ttl_seconds", "label", "overrides", "global_delay_ms"]


@given(st.dictionaries(st.sampled_from(KINDS) | st.text(), ANYTHING, max_size=4))
def test_no_json_breaks_the_decoder(members: dict[str, Any]) -> None:
    message = synthetic.make("Everything")
    read(message, json.dumps(members))
    message.SerializeToString()


@given(st.text())
def test_a_hostile_path_stays_short(key: str) -> None:
    _, faults = read(synthetic.make("Everything"), json.dumps({"inners": {key * 1000: {"whole": "x"}}}))
    assert len(faults[0][1]) <= 200
