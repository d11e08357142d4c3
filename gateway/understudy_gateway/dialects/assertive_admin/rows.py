"""One stub and one request as rows of a table."""

import hashlib
from collections.abc import Mapping
from typing import Any

from understudy_gateway.dialects.assertive_admin.markup import (
    Attribute,
    Markup,
    code,
    described,
    el,
    join,
    json_line,
    path_of,
    shortened,
)

# A page shows the start of what is long: it is sent again every few seconds.
_CELL_CHARACTERS_MAX = 200
_BODY_CHARACTERS_MAX = 2_000

_ACTIONS = ("response", "proxy", "sse")


def stub_row(stub: Mapping[str, Any], deleting: Mapping[str, Attribute]) -> Markup:
    """A stub. ``deleting`` is what its button does; the button names the stub."""
    stub_id = str(stub["stub_id"])
    delete = el("button", "Delete", type="button", class_="danger", aria_label=f"Delete stub {stub_id}", **deleting)
    return el(
        "tr",
        _cell("Stub ID", el("a", code(stub_id), href=path_of("stubs", stub_id))),
        _cell("Scope", scope_link(stub["scope"])),
        _cell("Method", _method(matcher_text(stub["request"].get("method")))),
        _cell("Path", code(matcher_text(stub["request"].get("path")))),
        _cell("Action", el("span", action_kind(stub), class_="kind")),
        _cell("", delete),
        role="row",
        data_key=stub_id,
    )


def request_row(request: Mapping[str, Any]) -> Markup:
    """A call, with what it carried folded away."""
    matched = request["matched_stub_id"]
    stub = el("a", code(matched), href=path_of("stubs", matched)) if matched else el("span", "no match", class_="miss")
    cells = join(
        (
            _cell("Method", _method(str(request["method"]))),
            _cell("Path", _unfolding(request)),
            _cell("Scope", scope_link(request["scope"])),
            _cell("Host", code(shortened(str(request["host"]), _CELL_CHARACTERS_MAX))),
            _cell("Matched Stub ID", stub),
        )
    )
    # The log gives calls no id. Those that look the same are told apart by the script, from the oldest up.
    return el("tr", cells, role="row", data_key=hashlib.sha256(cells.encode()).hexdigest()[:16])


def matcher_text(criterion: Any) -> str:
    """What a stub asks of one field, on one line: ``*`` for nothing."""
    if criterion is None:
        return "*"
    text = criterion if isinstance(criterion, str) else json_line(criterion)
    return shortened(text, _CELL_CHARACTERS_MAX)


def action_kind(stub: Mapping[str, Any]) -> str:
    """Which of the actions a stub has; of a mock that does what no stub can say, where that is said."""
    return next((kind for kind in (*_ACTIONS, "$mock") if stub["action"].get(kind) is not None), "none")


def scope_link(scope: str | None) -> Markup:
    """A scope by its name, or that there is none."""
    return (
        el("span", "global", class_="quiet") if scope is None else el("a", code(scope), href=path_of("scopes", scope))
    )


def _unfolding(request: Mapping[str, Any]) -> Markup:
    headers = {name: code(shortened(str(value), _CELL_CHARACTERS_MAX)) for name, value in request["headers"].items()}
    query = {name: code(shortened(str(value), _CELL_CHARACTERS_MAX)) for name, value in request["query"].items()}
    body = str(request["body"] or "")
    parts = [el("summary", code(shortened(str(request["path"]), _CELL_CHARACTERS_MAX)))]
    for name, values in (("Query", query), ("Headers", headers)):
        if values:
            parts.append(el("div", el("h3", name), described(values)))
    if body:
        parts.append(
            el("div", el("h3", "Body"), el("pre", el("code", shortened(body, _BODY_CHARACTERS_MAX)), tabindex=0))
        )
    return el("details", join(parts))


def _method(text: str) -> Markup:
    known = text if text in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} else "other"
    return el("span", text, class_=f"method {known.lower()}")


def _cell(label: str, content: Markup) -> Markup:
    return el("td", content, role="cell", data_label=label or None)
