"""Telling whether two manifests declare the same, without keeping either."""

import hashlib
from collections.abc import Iterator
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor
from understudy.v1.manifest_service_pb2 import Manifest

from understudy_server.core.giving_way import give_way, sorted_giving_way


def digest_of(manifest: Manifest) -> str:
    """SHA-256 (hex) over all that a manifest says; of two that are equal it is the same, in all processes."""
    digest = hashlib.sha256()
    for piece in _pieces(manifest):
        digest.update(b"%d " % len(piece))
        digest.update(piece)
        give_way()
    return digest.hexdigest()


def _pieces(message: Any) -> Iterator[bytes]:
    """A message in pieces of moderate size: a large one in one go would stop all threads for tens of milliseconds."""
    maps = _maps_of_messages(message.DESCRIPTOR)
    if not maps:
        yield message.SerializeToString(deterministic=True)
        return
    rest = {field.name: value for field, value in message.ListFields() if field.name not in maps}
    yield type(message)(**rest).SerializeToString(deterministic=True)
    for name in maps:
        entries = getattr(message, name)
        yield b"%d" % len(entries)
        for key in sorted_giving_way(entries):
            yield key.encode()
            yield from _pieces(entries[key])


@cache
def _maps_of_messages(kind: Descriptor) -> tuple[str, ...]:
    """The names of the fields of a kind of message that are maps from text to messages."""
    return tuple(
        field.name
        for field in kind.fields
        if field.message_type
        and field.message_type.GetOptions().map_entry
        and field.message_type.fields_by_name["value"].message_type
    )
