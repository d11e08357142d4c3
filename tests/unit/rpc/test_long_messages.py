"""Long messages, read and written in pieces: what comes of it is what protobuf gives in one go, whatever the bytes."""

from functools import partial
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st
from understudy.v1.manifest_service_pb2 import ApplyManifestResponse, FieldChange, Manifest, ManifestChange
from understudy.v1.session_service_pb2 import GetSessionResponse
from understudy_server.rpc import long_messages

_Type = FieldDescriptorProto
_REPEATED = _Type.LABEL_REPEATED


def _field(kind: DescriptorProto, name: str, number: int, of: Any, type_name: str | None = None, **more: Any) -> None:
    more = {"label": _Type.LABEL_OPTIONAL, **more}
    kind.field.add(name=name, number=number, type=of, type_name=type_name, **more)


def _map(kind: DescriptorProto, name: str, number: int, key: Any, value: str | None = None) -> None:
    """A map to messages of this kind, or to text when the value has no type."""
    entry = kind.nested_type.add(name=f"{name.capitalize()}Entry")
    entry.options.map_entry = True
    _field(entry, "key", 1, key)
    _field(entry, "value", 2, _Type.TYPE_MESSAGE if value else _Type.TYPE_STRING, value)
    _field(kind, name, number, _Type.TYPE_MESSAGE, f".t.Tree.{entry.name}", label=_REPEATED)


def _tree() -> type[Message]:
    """A message with fields of every kind, and itself below it in each way that there is."""
    file = FileDescriptorProto(name="tree.proto", package="t", syntax="proto3")
    tree = file.message_type.add(name="Tree")
    _field(tree, "text", 1, _Type.TYPE_STRING)
    _field(tree, "number", 2, _Type.TYPE_INT64)
    _field(tree, "numbers", 3, _Type.TYPE_SINT32, label=_REPEATED)
    _field(tree, "one", 4, _Type.TYPE_MESSAGE, ".t.Tree")
    _field(tree, "list", 5, _Type.TYPE_MESSAGE, ".t.Tree", label=_REPEATED)
    _map(tree, "named", 6, _Type.TYPE_STRING, ".t.Tree")
    _map(tree, "numbered", 7, _Type.TYPE_INT32, ".t.Tree")
    _map(tree, "texts", 8, _Type.TYPE_STRING)
    tree.oneof_decl.add(name="choice")
    _field(tree, "left", 9, _Type.TYPE_MESSAGE, ".t.Tree", oneof_index=0)
    _field(tree, "right", 10, _Type.TYPE_MESSAGE, ".t.Tree", oneof_index=0)
    _field(tree, "said", 11, _Type.TYPE_STRING, oneof_index=0)
    _field(tree, "fixed", 12, _Type.TYPE_FIXED32)
    _field(tree, "wide", 13, _Type.TYPE_DOUBLE)
    _field(tree, "lines", 14, _Type.TYPE_STRING, label=_REPEATED)
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("t.Tree"))


TREE = _tree()


def _varint(value: int) -> bytes:
    return bytes([value & 0x7F | 0x80]) + _varint(value >> 7) if value > 0x7F else bytes([value])


def _held(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


_KEYS = st.sampled_from([b"", b"a", b"b", "ä".encode(), b"\xff"])
_LEAVES = st.one_of(
    st.builds(_held, st.sampled_from([1, 11, 14]), st.sampled_from([b"", b"x", b"a longer text", b"\xff"])),
    st.builds(lambda value: _varint(2 << 3) + _varint(value), st.integers(0, 2**64 - 1)),
    st.builds(lambda values: _held(3, b"".join(map(_varint, values))), st.lists(st.integers(0, 300), max_size=9)),
    st.builds(lambda value: _varint(3 << 3) + _varint(value), st.integers(0, 300)),
    st.builds(lambda data: _varint(12 << 3 | 5) + data, st.binary(min_size=4, max_size=4)),
    st.builds(lambda data: _varint(13 << 3 | 1) + data, st.binary(min_size=8, max_size=8)),
    # A map of text, with its parts in any order or not there; what no field has; and a field in a form not its own.
    st.builds(
        lambda key, value: _held(8, value + key), _KEYS.map(lambda key: _held(1, key)), _KEYS.map(lambda v: _held(2, v))
    ),
    st.builds(_held, st.sampled_from([4, 5, 6, 7, 8, 2, 13, 99]), st.binary(max_size=4)),
    st.builds(
        lambda number, value: _varint(number << 3) + _varint(value), st.sampled_from([1, 4, 6, 99]), st.integers(0, 9)
    ),
)


def _above(below: st.SearchStrategy[bytes], *, odd_entries: bool = True) -> st.SearchStrategy[bytes]:
    """Fields that hold other fields. An odd entry of a map has a field that it should not have: it is unknown whole."""
    trees = st.lists(below, max_size=5).map(b"".join)
    named = _KEYS.map(lambda key: _held(1, key))
    numbered = st.integers(0, 3).map(lambda key: _varint(1 << 3) + _varint(key))
    values = trees.map(lambda tree: _held(2, tree))
    parts = [named, values, values, *([st.just(_held(3, b"?"))] if odd_entries else [])]
    return st.one_of(
        st.builds(_held, st.sampled_from([4, 5, 9, 10]), trees),
        st.builds(_held, st.just(6), st.lists(st.one_of(parts), max_size=4).map(b"".join)),
        st.builds(_held, st.just(6), st.builds(bytes.__add__, named, values)),
        st.builds(_held, st.just(7), st.builds(bytes.__add__, numbered, values)),
    )


_WIRE = st.lists(st.recursive(_LEAVES, _above, max_leaves=20), max_size=12).map(b"".join)
# What protobuf keeps of an odd entry is in no fixed order: it cannot be compared after it was written and read again.
_PLAIN_WIRE = st.lists(st.recursive(_LEAVES, partial(_above, odd_entries=False), max_leaves=20), max_size=12).map(
    b"".join
)


@st.composite
def _broken(draw: st.DrawFn) -> bytes:
    """Bytes of a message with a part missing, or another in its place."""
    data = draw(_WIRE)
    begin = draw(st.integers(0, len(data)))
    end = draw(st.integers(begin, min(len(data), begin + 3)))
    return data[:begin] + draw(st.binary(max_size=2)) + data[end:]


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_messages, "PIECE_BYTES", 4)
    monkeypatch.setattr(long_messages, "LONG_ELEMENTS", 2)


@pytest.fixture
def ways_given(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    given_ways: list[None] = []
    monkeypatch.setattr(long_messages, "give_way", lambda: given_ways.append(None))
    return given_ways


def _in_one_go(data: bytes) -> Message | None:
    try:
        return TREE.FromString(data)
    except DecodeError:
        return None


def _in_pieces(data: bytes) -> Message | None:
    try:
        return long_messages.read(TREE, data)
    except DecodeError:
        return None


def _said(message: Message | None) -> bytes | None:
    """All that a message says, what is unknown included."""
    return None if message is None else message.SerializeToString(deterministic=True)


@given(_WIRE)
def test_what_is_read_in_pieces_is_what_is_read_in_one_go(data: bytes) -> None:
    assert _said(_in_pieces(data)) == _said(_in_one_go(data))


@given(_broken())
def test_what_is_broken_is_refused_or_read_as_in_one_go(data: bytes) -> None:
    assert _said(_in_pieces(data)) == _said(_in_one_go(data))


@given(st.binary(min_size=5, max_size=40))
def test_any_bytes_are_refused_or_read_as_in_one_go(data: bytes) -> None:
    assert _said(_in_pieces(data)) == _said(_in_one_go(data))


@pytest.mark.parametrize(
    "data",
    [
        b"\x0a\x85\x80\x80\x80\x80\x00aaaaa",  # a length of six bytes
        b"\x8a\x80\x80\x80\x80\x00\x05aaaaa",  # a tag of six bytes
        b"\x10" + b"\xff" * 10 + b"\x01aaaa",  # a number of eleven bytes
        b"\x02\x05aaaaa",  # a field with the number 0
        b"\xa3\x06\x08\x01\xa4\x06\x0a\x03abc",  # a group
        b"\xa4\x06\x0a\x03abc",  # the end of a group that never began
        b"\x0e\x0a\x03abc",  # a form that there is not
        b"\x0a\x7fabc",  # more announced than there is
        b"\x22\x09\x0a\x03abc\x0a\x09xy",  # and so within a message
        b"\x22\x06\x0a\x02ab\x22\x09\x0a\x07abcdefg",  # more than the message around it has
        b"\x22\x86\x80\x80\x80\x80\x00\x0a\x04abcd",  # a length of six bytes of a message
        b"\xa2\x80\x80\x80\x80\x00\x06\x0a\x04abcd",  # a tag of six bytes of a message
        b"\x32\x0a\x0a\x01a\x12\x02\x10\x05\x0a\x01b",  # an entry of a map with two keys
        b"\x32\x05\x0a\x01\xff\x0a\x00",  # of which the first is no text
        b"\x32\x08\x0a\x01a\x12\x03\x0a\x01x\x32\x08\x0a\x01a\x12\x03\x12\x01\x05",  # the same key again, broken
        b"\x22\x07\x0a\x05ab\xff\xfec",  # text that is none, within a message
        b"\x0a\x06abcdef" * 3 + b"\x0a",  # an end too early, after pieces that were read
    ],
)
def test_unusual_bytes_are_refused_or_read_as_in_one_go(data: bytes) -> None:
    assert _said(_in_pieces(data)) == _said(_in_one_go(data))


def test_what_lies_deeper_than_pieces_go_is_read_all_the_same() -> None:
    data = b"\x0a\x06deeper"
    for _ in range(40):
        data = _held(4, data)
    assert _said(_in_pieces(data)) == _said(_in_one_go(data)) is not None


@given(_PLAIN_WIRE)
def test_what_is_written_in_pieces_reads_as_the_same(data: bytes) -> None:
    message = _in_one_go(data)
    if message is not None:
        assert _said(TREE.FromString(long_messages.write(message))) == _said(message)


def test_way_is_given_while_one_long_map_deep_inside_is_read(ways_given: list[None]) -> None:
    manifest = Manifest()
    mocks = manifest.projects["shop"].environments["staging"].mocks
    for number in range(50):
        mocks[f"ovr_{number}"].name = "a mock"
    assert long_messages.read(Manifest, manifest.SerializeToString()) == manifest
    assert len(ways_given) > 50


def test_way_is_given_while_a_long_list_is_written(ways_given: list[None]) -> None:
    answer = ApplyManifestResponse(changes=[ManifestChange(id=f"ovr_{number}") for number in range(50)])
    assert ApplyManifestResponse.FromString(long_messages.write(answer)) == answer
    assert len(ways_given) > 50


def test_a_message_is_long_by_the_elements_of_all_its_lists() -> None:
    one = ManifestChange(fields=[FieldChange(path="name")])
    assert not long_messages.is_long(ApplyManifestResponse(changes=[ManifestChange()]))
    assert long_messages.is_long(ApplyManifestResponse(changes=[one]))
    assert long_messages.is_long(ApplyManifestResponse(changes=[ManifestChange(), ManifestChange()]))
    assert not long_messages.is_long(GetSessionResponse())
