"""The parts that the form is made of: a control with its label, its hint, and a place for what is wrong with it.

``loc`` is where the control's value stands in the payload, as an error of the API names it without its first ``body``.
The script finds controls by it, and by their ids.
"""

from collections.abc import Sequence

from understudy_gateway.dialects.assertive_admin.markup import NOTHING, Attribute, Markup, el

HEADERS_OF_REQUESTS = (
    "Content-Type: application/json",
    "Accept: application/json",
    "Authorization: Bearer token",
)
HEADERS_OF_ANSWERS = (
    "Content-Type: application/json",
    "Content-Type: text/plain; charset=utf-8",
    "Cache-Control: no-store",
    "Location: /",
)


def text(name: str, label: str, loc: str, hint: str = "", **attributes: Attribute) -> Markup:
    """A control of one line."""
    control = el("input", **_common(name, loc, hint), type="text", autocomplete="off", spellcheck="false", **attributes)
    return field(name, label, control, hint)


def number(name: str, label: str, loc: str, hint: str = "", **attributes: Attribute) -> Markup:
    """A control for a number; whole ones unless ``step`` says otherwise."""
    control = el("input", **_common(name, loc, hint), type="number", inputmode="decimal", **attributes)
    return field(name, label, control, hint)


def area(name: str, label: str, loc: str, hint: str = "", rows: int = 3, **attributes: Attribute) -> Markup:
    """A control of several lines."""
    control = el("textarea", **_common(name, loc, hint), rows=rows, spellcheck="false", **attributes)
    return field(name, label, control, hint)


def select(name: str, label: str, loc: str, options: Sequence[tuple[str, str]], hint: str = "") -> Markup:
    """A choice. ``options`` are values and what they are called; the first is the default."""
    control = el("select", *(el("option", shown, value=value) for value, shown in options), **_common(name, loc, hint))
    return field(name, label, control, hint)


def headers(name: str, loc: str, hint: str, common: Sequence[str]) -> Markup:
    """Header lines, and buttons that add the ones that are often wanted."""
    area_of_lines = area(name, "Headers", loc, hint)
    buttons = [el("button", line, type="button", data_target_textarea=name, data_line=line) for line in common]
    group = el("div", el("span", "Common headers"), *buttons, role="group", aria_label="Common headers", class_="chips")
    return el("div", area_of_lines, group)


def field(name: str, label: str, control: Markup, hint: str = "") -> Markup:
    """A control with what stands around it."""
    return el(
        "div",
        el("label", label, for_=name),
        control,
        el("p", hint, id=f"{name}-hint", class_="hint") if hint else NOTHING,
        el("p", id=f"{name}-problem", class_="problem"),
        class_="field",
    )


def _common(name: str, loc: str, hint: str) -> dict[str, Attribute]:
    described = f"{name}-hint {name}-problem" if hint else f"{name}-problem"
    return {"id": name, "data_loc": loc, "aria_describedby": described}
