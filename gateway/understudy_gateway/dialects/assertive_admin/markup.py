"""HTML made of values. What is not markup already is escaped, so that no page has to remember to."""

import html
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

_VOID = frozenset({"br", "input", "link", "meta"})

# A UUID has so many. It stays on one line.
_SHORT_CHARACTERS_MAX = 36

# Halves of surrogate pairs, which no encoding of a page can carry.
_HALVES = re.compile("[\ud800-\udfff]")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Attribute = str | int | bool | None

NOTHING = Markup()


def el(_tag: str, *children: str, **attributes: Attribute) -> Markup:
    """An element. ``class_`` means *class*, ``hx_get`` *hx-get*; false and none are left out, true is bare."""
    written = "".join(_attribute(name, value) for name, value in attributes.items())
    if _tag in _VOID:
        return Markup(f"<{_tag}{written}>")
    return Markup(f"<{_tag}{written}>{join(children)}</{_tag}>")


def join(children: Iterable[str]) -> Markup:
    """Pieces one behind the other."""
    return Markup("".join(each if isinstance(each, Markup) else _text(each) for each in children))


def code(value: str) -> Markup:
    """Text from outside: what it does to the direction of writing stays inside."""
    return el("code", value, dir="auto", class_="short" if len(value) <= _SHORT_CHARACTERS_MAX else None)


def json_block(value: Any, **attributes: Attribute) -> Markup:
    """A value as indented JSON."""
    return el("pre", el("code", json.dumps(value, indent=2, ensure_ascii=False)), tabindex=0, **attributes)


def json_line(value: Any) -> str:
    """A value as JSON on one line, not escaped."""
    return json.dumps(value, ensure_ascii=False)


def path_of(*segments: str) -> str:
    """A path below ``/__admin__``; each segment is encoded whole, slashes too."""
    return "/".join(("/__admin__", *map(encoded, segments)))


def encoded(text: str) -> str:
    """Text as a part of an address."""
    return quote(_whole(text), safe="")


def shortened(text: str, characters_max: int) -> str:
    """Text up to its limit, with a sign that there was more."""
    return text if len(text) <= characters_max else f"{text[:characters_max]}\N{HORIZONTAL ELLIPSIS}"


def described(values: Mapping[str, Any]) -> Markup:
    """A list of names and what they are. Values that are not markup are escaped."""
    return el(
        "dl", *(el("div", el("dt", name), el("dd", value)) for name, value in values.items()), class_="description"
    )


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    written = name.rstrip("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{html.escape(_whole(str(value)))}"'


def _text(text: str) -> str:
    # Quotes mean nothing between tags, and JSON reads better with them.
    return html.escape(_whole(text), quote=False)


def _whole(text: str) -> str:
    return text if text.isascii() else _HALVES.sub("\N{REPLACEMENT CHARACTER}", text)
