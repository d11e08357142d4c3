"""Every message of the contract comes back from its own JSON."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import orjson
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import synthetic
from understudy_gateway.transcoding import json_text
from understudy_gateway.transcoding.contract import understudy
from understudy_gateway.transcoding.fields import HTTP_BODY, Field, Kind, read_fields
from understudy_gateway.transcoding.json_decode import Decoders, Reading
from understudy_gateway.transcoding.json_encode import Encoders, dump

DECODERS, ENCODERS = Decoders(), Encoders()
KEYS, COUNTS = st.lists(st.text(max_size=4), max_size=2, unique=True), st.integers(0, 2)
SECONDS, MILLISECONDS = st.integers(-62_135_596_800, 253_402_300_799), st.integers(0, 999)
JSON_TEXT = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
).map(lambda value: orjson.dumps(value).decode())


def contract_messages() -> Iterator[Descriptor]:
    """Every message of Understudy's own files, and the synthetic one that has a field of each kind."""
    files = {service.file.name: service.file for service in understudy().services}
    for file in list(files.values()):
        files |= {needed.name: needed for needed in file.dependencies if needed.name.startswith("understudy/v1/")}
    for file in files.values():
        yield from file.message_types_by_name.values()
    yield synthetic.message("Everything")


MESSAGES = [
    message
    for message in contract_messages()
    if not any(field.message is not None and field.message.full_name == HTTP_BODY for field in read_fields(message))
]


# What an example is drawn from is made once: it is asked for thousands of times.
@cache
def settable(descriptor: Descriptor) -> Sequence[tuple[Field, st.SearchStrategy[Any]]]:
    """The fields that a caller may set, with what is drawn for each that is neither a message nor a moment."""
    return [
        (field, st.nothing() if field.kind in {Kind.MESSAGE, Kind.TIMESTAMP} else scalar(field))
        for field in read_fields(descriptor)
        if not field.output_only
    ]


@cache
def choices(number: int) -> st.SearchStrategy[bytes]:
    """Which of so many are taken: those whose byte is odd."""
    return st.binary(min_size=number, max_size=number)


def scalar(field: Field) -> st.SearchStrategy[Any]:
    if field.kind is Kind.INTEGER:
        return st.integers(field.low, field.high)
    if field.kind is Kind.ENUM:
        return st.sampled_from(list(field.spellings))
    return {
        Kind.STRING: st.text(max_size=8),
        # Where null clears a field, it is no value of it.
        Kind.RAW: JSON_TEXT.filter(lambda text: text != "null") if field.nullable else JSON_TEXT,
        Kind.BYTES: st.binary(max_size=8),
        Kind.BOOL: st.booleans(),
        Kind.NUMBER: st.floats(allow_nan=False, allow_infinity=False),
    }[field.kind]


def put(draw: st.DrawFn, target: Any, field: Field, depth: int) -> None:
    """Put one drawn value into a message."""
    if field.kind is Kind.MESSAGE:
        if depth:
            fill(draw, target, field.nested, depth - 1)
        target.SetInParent()
    elif field.kind is Kind.TIMESTAMP:
        target.SetInParent()
        target.seconds = draw(SECONDS)
        target.nanos = draw(MILLISECONDS) * 1_000_000


def fill(draw: st.DrawFn, message: Any, descriptor: Descriptor, depth: int) -> None:
    """Set some of the fields that a caller may set."""
    taken: set[str] = set()
    fields = settable(descriptor)
    # One draw for all of them takes a fraction of the time of one for each.
    for chosen, (field, scalars) in zip(draw(choices(len(fields))), fields, strict=True):
        if (field.oneof and field.oneof in taken) or chosen % 2 == 0:
            continue
        taken.add(field.oneof)
        value, is_message = getattr(message, field.name), field.kind in {Kind.MESSAGE, Kind.TIMESTAMP}
        if field.is_map:
            for key in draw(KEYS):
                if is_message:
                    put(draw, value[key], field, depth)
                else:
                    value[key] = draw(scalars)
        elif field.is_repeated:
            for _ in range(draw(COUNTS)):
                if is_message:
                    put(draw, value.add(), field, depth)
                else:
                    value.append(draw(scalars))
        elif is_message:
            put(draw, value, field, depth)
        else:
            setattr(message, field.name, draw(scalars))


@st.composite
def messages(draw: st.DrawFn, descriptor: Descriptor) -> Any:
    message = GetMessageClass(descriptor)()
    fill(draw, message, descriptor, 2)
    return message


@pytest.mark.parametrize("descriptor", MESSAGES, ids=lambda descriptor: descriptor.name)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_message_comes_back_from_its_json(descriptor: Descriptor, data: st.DataObject) -> None:
    message = data.draw(messages(descriptor))
    text = dump(ENCODERS.of(descriptor).value(message))
    back, reading = GetMessageClass(descriptor)(), Reading(lenient=False)
    DECODERS.of(descriptor).fill(back, json_text.parse(text), "", reading)
    assert reading.faults == []
    assert back == message


def test_every_kind_of_field_is_among_them() -> None:
    kinds = {field.kind for message in MESSAGES for field in read_fields(message)}
    assert kinds == set(Kind)


def test_the_wire_types_of_the_contract_are_known() -> None:
    assert all(isinstance(field, FieldDescriptor) for message in MESSAGES for field in message.fields)
