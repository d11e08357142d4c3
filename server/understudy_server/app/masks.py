"""Which fields of a request a partial update sets, and how."""

from collections.abc import Collection, Iterable

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
            names = ", ".join(sorted(allowed))
            fault = Fault("update_mask", "path", names, path[:100])
            raise InvalidInput(f"update_mask names {path[:100]!r}; it can name {names}", fault)
    return set(mask.paths)


def set_fields(target: Message, values: Message, names: Iterable[str]) -> None:
    """Give a message fields as another one has them, which may be of another type with the same fields.

    Each is set whole: what the other does not have is cleared.
    """
    for name in names:
        target.ClearField(name)
        field, value = values.DESCRIPTOR.fields_by_name[name], getattr(values, name)
        if field.is_repeated:
            getattr(target, name).extend(value)
        elif field.message_type is None:
            setattr(target, name, value)
        elif values.HasField(name):
            getattr(target, name).CopyFrom(value)
