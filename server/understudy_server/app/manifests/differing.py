"""What differs between two messages of one type, field by field, as JSON.

An empty message says the same as an absent one, unless it is a choice (a member of a oneof); the white space of raw
JSON says nothing.
"""

import re
from collections.abc import Iterable, Iterator
from operator import ne
from typing import Any

from google.protobuf.message import Message
from understudy.v1.manifest_service_pb2 import FieldChange

from understudy_server.app.manifests.json_fields import NULL, Field, Form, fields_of, quoted

VALUE_CHARACTERS_MAX = 1_000
"""A value that is longer is told from where it differs, as text: an answer need not hold every body of a manifest."""

_CONTEXT_CHARACTERS = 40
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


def field_changes(before: Message, after: Message, names: Iterable[str]) -> list[FieldChange]:
    """What differs in some fields of two messages, in the order given. Empty: they say the same."""
    known = fields_of(before.DESCRIPTOR)
    return list(_fields(before, after, [known[name] for name in names], ""))


def differ(before: Message, after: Message, names: Iterable[str]) -> bool:
    """Tell whether two messages say something else in some fields: whether ``field_changes`` finds anything.

    That takes much less than finding words for it, and less again when a field that differs is among the first.
    """
    known = fields_of(before.DESCRIPTOR)
    return any(_differs(before, after, known[name]) for name in names)


def handed_over(source: str) -> list[FieldChange]:
    """What changes about a thing that a source declares no more and leaves as it is."""
    return [FieldChange(path="managedBy", before=quoted(source), after=NULL)]


def prune(message: Message) -> None:
    """Remove the empty messages that say the same as absent ones."""
    known = fields_of(message.DESCRIPTOR)
    for descriptor, value in message.ListFields():
        field = known[descriptor.name]
        if field.form is Form.MESSAGE:
            prune(value)
            if not field.is_set(message):
                message.ClearField(field.name)
        elif field.holds_messages:
            for each in value.values() if field.form is Form.MAP else value:
                prune(each)


def _differs(before: Message, after: Message, field: Field) -> bool:
    if field.is_equal(before, after):
        return False
    if field.has_presence and before.HasField(field.name) != after.HasField(field.name):
        return field.is_set(before) or field.is_set(after)
    return _values_differ(field, getattr(before, field.name), getattr(after, field.name))


def _differ_anywhere(before: Message, after: Message) -> bool:
    known = fields_of(before.DESCRIPTOR)
    # Few have to be looked at, since most are not set.
    new = dict(after.ListFields())
    for descriptor, value in before.ListFields():
        field, other = known[descriptor.name], new.pop(descriptor, None)
        if value != other and (field.is_set(before) if other is None else _values_differ(field, value, other)):
            return True
    return any(known[descriptor.name].is_set(after) for descriptor in new)


def _values_differ(field: Field, one: Any, other: Any) -> bool:
    """Whether two values of a field that are not equal say something else."""
    if field.form is Form.MESSAGE:
        return _differ_anywhere(one, other)
    if field.form is Form.MAP:
        differ = _differ_anywhere if field.holds_messages else ne
        return one.keys() != other.keys() or any(differ(one[key], other[key]) for key in one)
    return field.text_of(one) != field.text_of(other)


def _fields(before: Message, after: Message, fields: Iterable[Field], prefix: str) -> Iterator[FieldChange]:
    for field in fields:
        # Most are equal, and that is cheap to see; others may still say the same.
        if not field.is_equal(before, after):
            yield from _field(before, after, field, prefix + field.json_name)


def _field(before: Message, after: Message, field: Field, path: str) -> Iterator[FieldChange]:
    if field.form is Form.MAP:
        yield from _entries(before, after, field, path)
        return
    is_set, is_set_after = field.is_set(before), field.is_set(after)
    if field.form is Form.MESSAGE and is_set and is_set_after:
        yield from _nested(getattr(before, field.name), getattr(after, field.name), path)
        return
    text, text_after = field.text(before), field.text(after)
    # Raw JSON may be null, which is something else than none.
    if text != text_after or is_set != is_set_after:
        yield _change(path, text, text_after)


def _nested(before: Message, after: Message, path: str) -> Iterator[FieldChange]:
    return _fields(before, after, fields_of(before.DESCRIPTOR).values(), f"{path}.")


def _entries(before: Message, after: Message, field: Field, path: str) -> Iterator[FieldChange]:
    """What differs in a map, key by key."""
    old, new = getattr(before, field.name), getattr(after, field.name)
    for key in sorted({*old, *new}):
        place = f"{path}.{key}" if _PLAIN_KEY.fullmatch(key) else f"{path}[{quoted(key)}]"
        if key in old and key in new and field.holds_messages:
            yield from _nested(old[key], new[key], place)
        elif key not in old or key not in new or old[key] != new[key]:
            yield _change(place, *(field.single(each[key]) if key in each else NULL for each in (old, new)))


def _change(path: str, before: str, after: str) -> FieldChange:
    before, after = _shortened(before, after)
    return FieldChange(path=path, before=before, after=after)


def _shortened(before: str, after: str) -> tuple[str, str]:
    """Two JSON texts as they are, or as texts that begin shortly before they differ when one of them is too long."""
    if max(len(before), len(after)) <= VALUE_CHARACTERS_MAX:
        return before, after
    same = next((at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), 0)
    begin = max(0, same - _CONTEXT_CHARACTERS)
    return _cut(before, begin), _cut(after, begin)


def _cut(text: str, begin: int) -> str:
    if text == NULL:
        return text
    end = begin + VALUE_CHARACTERS_MAX
    start = "…" if begin else ""
    rest = f"… ({len(text)} characters)" if end < len(text) else ""
    return quoted(f"{start}{text[begin:end]}{rest}")
