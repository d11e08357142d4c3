# ruff: noqa: ARG001, A002, FBT002 - the signatures are those that templates see
"""All filters by their names."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from understudy_server.core.templating import list_filters, text_filters
from understudy_server.core.templating.checks import check
from understudy_server.core.templating.faults import Fault
from understudy_server.core.templating.list_filters import chosen, mapped
from understudy_server.core.templating.running import Run
from understudy_server.core.templating.values import ITEM_STEPS, Undefined, items_of, kind_of, text


def default(run: Run, value: Any, other: Any = "", boolean: Any = False) -> Any:
    """It, or ``other`` when it is not there; with ``true`` behind that, also when it counts as false."""
    return other if isinstance(value, Undefined) or (boolean and not value) else value


def select(run: Run, value: Any, test: Any = None, *arguments: Any) -> list[Any]:
    """The items that pass a test; those that count as true without one."""
    return chosen(run, value, _test(run, test, arguments), None, wanted=True)


def reject(run: Run, value: Any, test: Any = None, *arguments: Any) -> list[Any]:
    """The items that do not pass a test."""
    return chosen(run, value, _test(run, test, arguments), None, wanted=False)


def selectattr(run: Run, value: Any, attribute: Any, test: Any = None, *arguments: Any) -> list[Any]:
    """The items of which an attribute passes a test."""
    return chosen(run, value, _test(run, test, arguments), text(attribute), wanted=True)


def rejectattr(run: Run, value: Any, attribute: Any, test: Any = None, *arguments: Any) -> list[Any]:
    """The items of which an attribute does not pass a test."""
    return chosen(run, value, _test(run, test, arguments), text(attribute), wanted=False)


def each_by(named: Callable[[str], Callable[..., Any]]) -> Callable[..., list[Any]]:
    """Make the filter ``map``. ``named`` finds filters by their names, and raises Fault where there is none."""

    def each(
        run: Run, value: Any, filter: Any = None, *arguments: Any, attribute: Any = None, default: Any = None
    ) -> list[Any]:
        """Each item put through a filter, or an ``attribute`` of each."""
        if attribute is not None:
            return mapped(run, value, attribute, default)
        name = text(filter)
        function = named(name)
        found = []
        given = items_of(run, value)
        run.take(ITEM_STEPS * len(given))
        for item in given:
            if isinstance(item, Undefined) and function is not FILTERS["default"]:
                raise item.fault()
            try:
                found.append(function(run, item, *arguments))
            except TypeError:
                raise Fault(f"{kind_of(item)} cannot be put through the filter {name} so") from None
        return found

    return each


def _named(name: str) -> Callable[..., Any]:
    function = FILTERS.get(name)
    if function is None:
        raise Fault(f"there is no filter {name}")
    return function


def _test(run: Run, name: Any, arguments: tuple[Any, ...]) -> Callable[[Any], bool] | None:
    if name is None:
        return None
    named = text(name)

    def test(value: Any) -> bool:
        run.take(ITEM_STEPS)
        return check(run, named, value, arguments)

    return test


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "abs": text_filters.absolute,
    "attr": list_filters.attr,
    "base64": text_filters.to_base64,
    "base64_decode": text_filters.from_base64,
    "base64url": text_filters.to_base64url,
    "batch": list_filters.batch,
    "bool": text_filters.to_bool,
    "capitalize": text_filters.capitalize,
    "center": text_filters.center,
    "count": list_filters.length,
    "d": default,
    "default": default,
    "dictsort": list_filters.dictsort,
    "e": text_filters.escape,
    "escape": text_filters.escape,
    "filesizeformat": text_filters.filesizeformat,
    "first": list_filters.first,
    "float": text_filters.to_float,
    "format": text_filters.format_filter,
    "fromjson": text_filters.from_json,
    "groupby": list_filters.groupby,
    "hex": text_filters.to_hex,
    "indent": text_filters.indent,
    "int": text_filters.to_int,
    "items": list_filters.items,
    "join": list_filters.join,
    "keys": list_filters.keys,
    "last": list_filters.last,
    "length": list_filters.length,
    "lines": text_filters.lines,
    "list": list_filters.to_list,
    "lower": text_filters.lower,
    "map": each_by(_named),
    "max": list_filters.greatest,
    "md5": text_filters.md5,
    "min": list_filters.least,
    "reject": reject,
    "rejectattr": rejectattr,
    "replace": text_filters.replace,
    "reverse": list_filters.reverse,
    "round": text_filters.rounded,
    "safe": text_filters.safe,
    "select": select,
    "selectattr": selectattr,
    "sha256": text_filters.sha256,
    "slice": list_filters.slice_filter,
    "sort": list_filters.sort,
    "split": text_filters.split,
    "string": text_filters.to_text,
    "sum": list_filters.total,
    "title": text_filters.title,
    "tojson": text_filters.to_json,
    "trim": text_filters.trim,
    "truncate": text_filters.truncate,
    "unique": list_filters.unique,
    "upper": text_filters.upper,
    "urlencode": text_filters.urlencode,
    "values": list_filters.values,
    "wordcount": text_filters.wordcount,
    "wordwrap": text_filters.wordwrap,
    "zip": list_filters.zipped,
}
"""By the name behind the bar."""
