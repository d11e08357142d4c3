"""Which fields messages have, and which of them are set: for tests that all of them are shown, or drawn, somewhere."""

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message


def all_fields(*kinds: type[Message]) -> set[str]:
    """Every field of some messages and of those within them, as ``Respond.json``."""
    found: dict[str, Any] = {}
    open_ones: list[Any] = [kind.DESCRIPTOR for kind in kinds]
    while open_ones:
        descriptor = open_ones.pop()
        if descriptor.full_name not in found:
            found[descriptor.full_name] = descriptor
            open_ones += [each.message_type for each in descriptor.fields if each.message_type is not None]
    return {
        f"{descriptor.name}.{each.name}"
        for descriptor in found.values()
        if not descriptor.GetOptions().map_entry
        for each in descriptor.fields
    }


def used_fields(message: Message) -> set[str]:
    """Every field that is set in a message and in those within it."""
    found: set[str] = set()
    for each, value in message.ListFields():
        is_map = each.message_type is not None and each.message_type.GetOptions().map_entry
        found.add(f"{message.DESCRIPTOR.name}.{each.name}")
        values: Sequence[object] = list(value.values()) if is_map else value if each.is_repeated else [value]
        for inner in values:
            if isinstance(inner, Message):
                found |= used_fields(inner)
    return found
