"""The three fragments that the dashboard renews: stubs, requests and scopes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from understudy_gateway.dialects.assertive_admin.markup import (
    NOTHING,
    Attribute,
    Markup,
    code,
    el,
    join,
    path_of,
)
from understudy_gateway.dialects.assertive_admin.rows import request_row, stub_row

View = Mapping[str, Any]
"""A StubView or a RequestView, as ``GET /__mock__/stubs`` and ``/__mock__/requests`` show them."""

STUBS_MAX = 1_000
"""So many stubs are shown, the first ones: the panel is made anew every three seconds for everybody who looks at it."""

REQUESTS_MAX = 100
"""So many requests are shown, the newest ones."""


def stubs_panel(stubs: Sequence[View], error: str = "") -> str:
    """The stubs in the order given, up to ``STUBS_MAX``. ``error`` says why a deletion failed."""
    new = el("a", "Create New Stub", href=path_of("stubs", "new"), class_="button primary")
    empty = "No stubs yet. Until there is one, every call is answered 404 NO_STUB_MATCH_FOUND."
    return join((_head("Stubs", len(stubs), new), _error(error), stubs_table(stubs, _deleting, empty)))


def requests_panel(requests: Sequence[View]) -> str:
    """The newest of ``requests``, which are given oldest first, as the log has them; shown newest first."""
    empty = "No requests yet. What the app under test sends to this port appears here."
    head = _head(f"Requests (latest {REQUESTS_MAX})", None)
    return join((head, requests_table(requests, empty)))


def scopes_panel(scopes: Sequence[str], error: str = "") -> str:
    """The scopes in the order given, and the form that makes one."""
    return join((_head("Scopes", len(scopes)), _error(error), _scope_form(), _scopes_table(scopes)))


def stubs_table(stubs: Sequence[View], deleting: Callable[[View], Mapping[str, Attribute]], empty: str) -> Markup:
    """A table of the first stubs, or ``empty``. ``deleting`` says what a stub's button does."""
    rows = [stub_row(each, deleting(each)) for each in stubs[:STUBS_MAX]]
    table = _table("Stubs", ("Stub ID", "Scope", "Method", "Path", "Action", ""), rows, empty)
    left_out = len(stubs) - len(rows)
    if not left_out:
        return table
    return join((table, el("p", f"{left_out} more are not shown: GET /__mock__/stubs has them all.", class_="quiet")))


def requests_table(requests: Sequence[View], empty: str) -> Markup:
    """A table of the newest requests, newest first."""
    rows = [request_row(each) for each in reversed(requests[-REQUESTS_MAX:])]
    return _table("Requests", ("Method", "Path", "Scope", "Host", "Matched Stub ID"), rows, empty)


def scope_deletion(name: str, text: str, **attributes: Attribute) -> Markup:
    """The button that deletes a scope, and asks first."""
    return el(
        "button",
        text,
        type="button",
        class_="danger",
        hx_delete=path_of("actions", "scopes", name),
        hx_confirm=f"Delete scope {name} with its stubs and requests?",
        aria_label=f"Delete scope {name}",
        **attributes,
    )


def _deleting(stub: View) -> Mapping[str, Attribute]:
    stub_id = str(stub["stub_id"])
    return {
        "hx_delete": path_of("actions", "stubs", stub_id),
        "hx_target": "#stubs-panel",
        "hx_swap": "innerHTML",
        "hx_confirm": f"Delete stub {stub_id}?",
    }


def _scope_form() -> Markup:
    hint = "Letters, digits, - and _. A request is in the scope when it has a header of this name."
    name = el(
        "input",
        type="text",
        id="ui-scope-name",
        name="name",
        required=True,
        # Browsers read it with the flag v, in which a bare hyphen is a mistake there.
        pattern=r"[A-Za-z0-9_\-]+",
        title="Letters, digits, - and _",
        maxlength=200,
        autocomplete="off",
        autocapitalize="none",
        spellcheck="false",
        aria_describedby="ui-scope-name-hint ui-scope-name-error",
    )
    return el(
        "form",
        el("label", "New scope", for_="ui-scope-name"),
        el("div", name, el("button", "Create Scope", type="submit"), class_="joined"),
        el("p", hint, id="ui-scope-name-hint", class_="hint"),
        el("p", id="ui-scope-name-error", class_="problem", role="alert", data_keep=True),
        class_="scope-form",
        data_json_to="/__mock__/scopes",
        data_refresh="#scopes-panel",
    )


def _scopes_table(scopes: Sequence[str]) -> Markup:
    rows = [
        el(
            "li",
            el("a", code(name), href=path_of("scopes", name)),
            scope_deletion(name, "Delete", hx_target="#scopes-panel", hx_swap="innerHTML"),
            data_key=name,
        )
        for name in scopes
    ]
    if not rows:
        return el("p", "No scopes yet. A scope keeps the stubs and the requests of one test apart.", class_="empty")
    return el("ul", *rows, class_="scopes")


def _head(text: str, count: int | None, action: Markup = NOTHING) -> Markup:
    number = NOTHING if count is None else el("span", str(count), class_="count")
    return el("div", el("h2", join((text, " ", number)) if number else text, tabindex=-1), action, class_="panel-head")


def _error(text: str) -> Markup:
    return el("p", text, role="alert", class_="error") if text else NOTHING


def _table(name: str, columns: Sequence[str], rows: Sequence[Markup], empty: str) -> Markup:
    if not rows:
        return el("p", empty, class_="empty")
    # The roles are said, because a narrow screen shows the rows as cards, which would take them away.
    head = [
        el("th", text or el("span", "Actions", class_="unseen"), scope="col", role="columnheader") for text in columns
    ]
    return el(
        "table",
        el("thead", el("tr", *head, role="row"), role="rowgroup"),
        el("tbody", *rows, role="rowgroup"),
        role="table",
        aria_label=name,
    )
