"""Members of a JSON object that was sent, each held to its type. All raise Refusal (VALIDATION_ERROR)."""

from collections.abc import Mapping
from typing import Any

from understudy_gateway.dialects.flagbridge.refusals import invalid
from understudy_gateway.transcoding.json_text import Literal, integral

Members = Mapping[str, Any]
_MISSING = object()


def first(members: Members, *names: str, default: Any = None) -> Any:
    """The first member that is there of several spellings of one name."""
    for name in names:
        if (value := members.get(name, _MISSING)) is not _MISSING:
            return value
    return default


def is_there(members: Members, *names: str) -> bool:
    """True when one of several spellings of a name is there, even with null."""
    return any(name in members for name in names)


def text(members: Members, *names: str) -> str:
    """A string; empty when it is absent or null."""
    value = first(members, *names)
    if value is None:
        return ""
    if type(value) is not str:
        raise invalid(f"{names[0]} must be a string.")
    return value


def required_text(members: Members, *names: str) -> str:
    """A string that is there and not empty."""
    value = text(members, *names)
    if not value:
        raise invalid(f"{names[0]} is required.")
    return value


def flag(members: Members, *names: str, default: bool | None = None) -> bool:
    """True or false; required when there is no default."""
    value = first(members, *names, default=default)
    if type(value) is not bool:
        raise invalid(f"{names[0]} must be true or false.")
    return value


def whole(members: Members, least: int, greatest: int, *names: str) -> int | None:
    """A whole number within bounds; None when it is absent or null."""
    value = first(members, *names)
    if value is None:
        return None
    number = integral(value)
    if number is None or not least <= number <= greatest:
        raise invalid(f"{names[0]} must be a whole number from {least} to {greatest}.")
    return number


def number(members: Members, name: str) -> float | None:
    """A number; None when it is absent or null."""
    value = members.get(name)
    if value is None:
        return None
    if type(value) not in (int, Literal):
        raise invalid(f"{name} must be a number.")
    return float(value)


def items(members: Members, name: str) -> list[Any]:
    """A list; empty when it is absent or null."""
    value = members.get(name)
    if value is None:
        return []
    if type(value) is not list:
        raise invalid(f"{name} must be a list.")
    return value


def objects(members: Members, name: str) -> list[dict[str, Any]]:
    """A list of objects."""
    found = items(members, name)
    if any(type(each) is not dict for each in found):
        raise invalid(f"{name} must be a list of objects.")
    return found


def object_in(members: Members, name: str) -> dict[str, Any]:
    """An object; empty when it is absent or null."""
    value = members.get(name)
    if value is None:
        return {}
    if type(value) is not dict:
        raise invalid(f"{name} must be an object.")
    return value


def texts(members: Members, name: str) -> list[str]:
    """A list of strings that are not empty."""
    found = items(members, name)
    if any(type(each) is not str or not each for each in found):
        raise invalid(f"{name} must be a list of strings.")
    return found
