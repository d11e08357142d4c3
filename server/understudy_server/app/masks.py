"""Which fields of a request a partial update sets, and how."""

from collections.abc import Collection, Iterable
from enum import Enum, auto
from functools import cache

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from understudy_server.core.errors import Fault, InvalidInput


def fields_to_set(values: Message, mask: FieldMask, allowed: Collection[str]) -> set[str]:
    """The fields that a mask names, or without a mask the populated ones among ``allowed``.

    Raises InvalidInput for a path that is not among them (nested paths are not: fields are set whole).
    """
    if not mask.paths:
        return {field.name for field, _ in values.ListFields() if field.name in allowed}
    for path in mask.paths:
        if path not in allowed:
            raise _unknown(path, allowed)
    return set(mask.paths)


def paths_to_set(values: Message, mask: FieldMask, allowed: Collection[str]) -> list[str]:
    """As `fields_to_set`, but a path may lead on into messages, with dots between the names of fields."""
    if not mask.paths:
        return sorted(fields_to_set(values, mask, allowed))
    for path in mask.paths:
        first, dot, _ = path.partition(".")
        if first not in allowed or (dot and not _leads_somewhere(values, path)):
            raise _unknown(path, allowed)
    return list(dict.fromkeys(mask.paths))


def set_fields(target: Message, values: Message, names: Iterable[str]) -> None:
    """Give a message fields as another one has them, which may be of another type with the same fields.

    Each is set whole: what the other does not have is cleared.
    """
    # Thousands of mocks pass here when a manifest is applied: what is absent costs next to nothing.
    given = {field.name: (field, value) for field, value in values.ListFields()}
    for name in names:
        target.ClearField(name)
        if name not in given:
            continue
        field, value = given[name]
        match _form(field):
            case _Form.SCALAR:
                setattr(target, name, value)
            case _Form.MESSAGE:
                getattr(target, name).CopyFrom(value)
            case _Form.LIST:
                getattr(target, name).extend(value)
            case _Form.MAP:
                getattr(target, name).MergeFrom(value)


def set_paths(target: Message, values: Message, paths: Iterable[str]) -> None:
    """Give a message the fields at some paths as another one has them, each whole.

    A path into a member of a oneof makes that one the member that is set, unless there is nothing to set.
    """
    for path in paths:
        *way, name = path.split(".")
        source, place = values, target
        for step in way:
            if not (source.HasField(step) or place.HasField(step)):
                # To clear something in a message is no reason to make one.
                break
            source, place = getattr(source, step), getattr(place, step)
        else:
            set_fields(place, source, (name,))


class _Form(Enum):
    """What a field holds."""

    SCALAR = auto()
    MESSAGE = auto()
    LIST = auto()
    MAP = auto()


@cache
def _form(field: FieldDescriptor) -> _Form:
    if field.is_repeated:
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        return _Form.MAP if is_map else _Form.LIST
    return _Form.SCALAR if field.message_type is None else _Form.MESSAGE


def _leads_somewhere(values: Message, path: str) -> bool:
    descriptor = values.DESCRIPTOR
    *way, name = path.split(".")
    for step in way:
        field = descriptor.fields_by_name.get(step)
        if field is None or field.message_type is None or field.is_repeated:
            return False
        descriptor = field.message_type
    return name in descriptor.fields_by_name


def _unknown(path: str, allowed: Collection[str]) -> InvalidInput:
    names = ", ".join(sorted(allowed))
    fault = Fault("update_mask", "path", names, path[:100])
    return InvalidInput(f"update_mask names {path[:100]!r}; it can name {names}", fault)
