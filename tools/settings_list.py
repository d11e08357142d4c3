"""The settings of ``understudy serve`` as data, read from their source: name, default, kind, what is said of them."""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Literal, get_args, get_origin, get_type_hints

from understudy_server.cli import settings
from understudy_server.core.allow_list import AllowList
from understudy_server.core.rates import Rate


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. ``default`` is as one would write it, empty for none; ``least`` only for whole numbers.

    ``choices`` are all values there are, empty when they cannot be counted up. ``group`` numbers the settings that are
    explained together.
    """

    name: str
    default: str
    least: int | None
    choices: tuple[str, ...]
    about: str
    group: int


def read_settings() -> list[Setting]:
    """Every setting, in the order of the source."""
    kinds = get_type_hints(settings.Settings)
    defaults = {each.name: each.default for each in fields(settings.Settings)}
    return [
        Setting(name, _text(defaults[name]), _least(name, defaults[name]), _choices(kinds[name]), about, number)
        for number, (names, about) in enumerate(_groups())
        for name in names
    ]


def _groups() -> Iterator[tuple[list[str], str]]:
    """Names of fields that stand together, without a line between them, and the text below them."""
    (body,) = (
        node.body
        for node in ast.parse(inspect.getsource(settings)).body
        if isinstance(node, ast.ClassDef) and node.name == "Settings"
    )
    names: list[str] = []
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.append(node.target.id)
        elif names and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield names, " ".join(str(node.value.value).split()).replace("``", "`")
            names = []
    if names:
        raise ValueError(f"nothing is said about {', '.join(names)}")


def _text(value: Any) -> str:
    if isinstance(value, Rate):
        return f"{value.calls}/{value.seconds}"
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, AllowList):
        return ""
    return "" if value is None or value == () else str(value)


def _least(name: str, default: object) -> int | None:
    """The least number that the setting's reader takes, None when it reads no numbers."""
    if not isinstance(default, int):
        return None
    try:
        settings._READERS[name]("0")
    except ValueError:
        return 1
    return 0


def _choices(kind: Any) -> tuple[str, ...]:
    """All values of a literal or an enumeration, as they are written."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    return tuple(
        member.name.lower()
        for part in get_args(kind)
        if isinstance(part, type) and issubclass(part, Enum)
        for member in part
    )
