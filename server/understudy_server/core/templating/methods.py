# ruff: noqa: ARG001 - the signatures are those that templates see
"""What may be asked of texts, lists and mappings as in Python: ``request.query.get("page", "1")``, ``name.upper()``."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from understudy_server.core.templating import list_filters, text_filters
from understudy_server.core.templating.faults import Fault
from understudy_server.core.templating.running import Run
from understudy_server.core.templating.values import MISSING, Lookup, equal, items_of, text, whole


def _get(run: Run, value: Any, key: Any, default: Any = None) -> Any:
    found = value.find(key) if isinstance(value, Lookup) and isinstance(key, str) else MISSING
    if isinstance(value, dict):
        found = value.get(key, MISSING) if isinstance(key, str | int | float | None) else MISSING
    return default if found is MISSING else found


def _lstrip(run: Run, value: str, characters: Any = None) -> str:
    run.take_for_text(len(value))
    return value.lstrip(None if characters is None else text(characters))


def _rstrip(run: Run, value: str, characters: Any = None) -> str:
    run.take_for_text(len(value))
    return value.rstrip(None if characters is None else text(characters))


def _starts(run: Run, value: str, start: Any) -> bool:
    run.take_for_text(min(len(value), _longest(start)))
    return value.startswith(tuple(map(text, start)) if isinstance(start, tuple) else text(start))


def _ends(run: Run, value: str, end: Any) -> bool:
    run.take_for_text(min(len(value), _longest(end)))
    return value.endswith(tuple(map(text, end)) if isinstance(end, tuple) else text(end))


def _longest(part: Any) -> int:
    return sum(len(text(each)) for each in part) if isinstance(part, tuple) else len(text(part))


def _find(run: Run, value: str, part: Any) -> int:
    run.take_for_text(4 * len(value) if len(text(part)) > 1 else len(value))
    return value.find(text(part))


def _rfind(run: Run, value: str, part: Any) -> int:
    run.take_for_text(4 * len(value) if len(text(part)) > 1 else len(value))
    return value.rfind(text(part))


def _count(run: Run, value: Any, part: Any) -> int:
    if isinstance(value, str):
        run.take_for_text(4 * len(value))
        return value.count(text(part))
    return sum(equal(run, item, part) for item in items_of(run, value))


def _index(run: Run, value: Any, part: Any) -> int:
    for place, item in enumerate(items_of(run, value)):
        if equal(run, item, part):
            return place
    raise Fault("it is not in the list")


def _join(run: Run, value: str, items: Any) -> str:
    parts = [text(item) for item in items_of(run, items)]
    return list_filters.join(run, parts, value)


def _zfill(run: Run, value: str, width: Any) -> str:
    run.take_for_text(max(len(value), whole(width)))
    return value.zfill(whole(width))


def _ljust(run: Run, value: str, width: Any, fill: Any = " ") -> str:
    run.take_for_text(max(len(value), whole(width)))
    return value.ljust(whole(width), _one(fill))


def _rjust(run: Run, value: str, width: Any, fill: Any = " ") -> str:
    run.take_for_text(max(len(value), whole(width)))
    return value.rjust(whole(width), _one(fill))


def _one(fill: Any) -> str:
    if len(text(fill)) != 1:
        raise Fault("one character is wanted")
    return str(fill)


def _removeprefix(run: Run, value: str, prefix: Any) -> str:
    run.take_for_text(len(value))
    return value.removeprefix(text(prefix))


def _removesuffix(run: Run, value: str, suffix: Any) -> str:
    run.take_for_text(len(value))
    return value.removesuffix(text(suffix))


def _asked(question: Callable[[str], bool]) -> Callable[..., bool]:
    def ask(run: Run, value: str) -> bool:
        run.take_for_text(len(value))
        return question(value)

    return ask


OF_TEXTS: Final[Mapping[str, Callable[..., Any]]] = {
    "capitalize": text_filters.capitalize,
    "count": _count,
    "endswith": _ends,
    "find": _find,
    "isalnum": _asked(str.isalnum),
    "isalpha": _asked(str.isalpha),
    "isdigit": _asked(str.isdigit),
    "islower": _asked(str.islower),
    "isnumeric": _asked(str.isnumeric),
    "isspace": _asked(str.isspace),
    "isupper": _asked(str.isupper),
    "join": _join,
    "ljust": _ljust,
    "lower": text_filters.lower,
    "lstrip": _lstrip,
    "removeprefix": _removeprefix,
    "removesuffix": _removesuffix,
    "replace": text_filters.replace,
    "rfind": _rfind,
    "rjust": _rjust,
    "rstrip": _rstrip,
    "split": text_filters.split,
    "splitlines": text_filters.lines,
    "startswith": _starts,
    "strip": text_filters.trim,
    "title": text_filters.title,
    "upper": text_filters.upper,
    "zfill": _zfill,
}
"""What may be asked of a text."""

OF_LISTS: Final[Mapping[str, Callable[..., Any]]] = {"count": _count, "index": _index}
"""What may be asked of a list."""

OF_MAPPINGS: Final[Mapping[str, Callable[..., Any]]] = {
    "get": _get,
    "items": list_filters.items,
    "keys": list_filters.keys,
    "values": list_filters.values,
}
"""What may be asked of a mapping."""


def method_of(value: Any, name: str) -> Callable[..., Any] | None:
    """The method of that name; ``None`` when there is none."""
    if isinstance(value, str):
        return OF_TEXTS.get(name)
    if isinstance(value, dict | Lookup):
        return OF_MAPPINGS.get(name)
    return OF_LISTS.get(name) if isinstance(value, list | tuple | range) else None
