"""The pages of one stub and of one scope."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from understudy_gateway.dialects.assertive_admin.markup import (
    NOTHING,
    Attribute,
    Markup,
    code,
    described,
    el,
    encoded,
    json_block,
    json_line,
    path_of,
)
from understudy_gateway.dialects.assertive_admin.panels import (
    REQUESTS_MAX,
    View,
    requests_table,
    scope_deletion,
    stubs_table,
)
from understudy_gateway.dialects.assertive_admin.rows import action_kind, matcher_text, scope_link
from understudy_gateway.dialects.assertive_admin.shell import page


def stub_detail(view: View) -> str:
    """All of a stub, global or scoped: its matcher, its action and its chaos as JSON."""
    request = view["request"]
    summary = {
        "Stub ID": code(str(view["stub_id"])),
        "Scope": scope_link(view["scope"]),
        "Matches": code(f"{matcher_text(request.get('method'))} {matcher_text(request.get('path'))}"),
        "Action": el("span", action_kind(view), class_="kind"),
    }
    return page(
        "Stub Detail",
        el("section", described(summary), class_="panel"),
        _block("Matcher", {name: value for name, value in request.items() if value is not None}),
        _block("Action", {name: value for name, value in view["action"].items() if value is not None}),
        _block("Chaos", view["chaos"]) if view["chaos"] else NOTHING,
        el("details", el("summary", "The whole stub as the API shows it"), json_block(view), class_="panel"),
        about=str(view["stub_id"]),
        actions=_stub_deletion(view),
    )


def scope_detail(name: str, stubs: Sequence[View], requests: Sequence[View]) -> str:
    """A scope: the stubs active in it, in the order given, and the newest of its requests, given oldest first."""
    new = el("a", "Create New Stub", href=f"{path_of('stubs', 'new')}?scope={encoded(name)}", class_="button primary")
    panel = el(
        "div",
        el(
            "section",
            el("div", el("h2", "Stubs active in this scope", tabindex=-1), new, class_="panel-head"),
            stubs_table(stubs, partial(_deleting_in, name), "No stubs: neither of this scope nor global ones."),
            class_="panel",
        ),
        el(
            "section",
            el("div", el("h2", f"Requests (latest {REQUESTS_MAX})", tabindex=-1), class_="panel-head"),
            requests_table(requests, f"No requests yet. Send them with a header {name}, whatever its value."),
            class_="panel",
        ),
        id="scope-panel",
        hx_get=path_of("scopes", name),
        hx_select="#scope-panel",
        hx_trigger="every 3s",
        hx_swap="outerHTML",
    )
    sub = el("p", "A request is in scope ", code(name), " when it has a header of that name.", class_="lead")
    return page(
        "Scope Detail",
        sub,
        panel,
        about=name,
        actions=scope_deletion(name, "Delete scope", hx_swap="none", data_next="/__admin__"),
    )


def _block(title: str, value: Any) -> Markup:
    return el("section", el("h2", title), json_block(value, aria_label=title), class_="panel")


def _stub_deletion(view: View) -> Markup:
    stub_id, scope = str(view["stub_id"]), view["scope"]
    # The action of the admin pages knows global stubs only, as the product's does; the API takes the others, in scope.
    where: Mapping[str, Attribute] = (
        {"hx_delete": path_of("actions", "stubs", stub_id)} if scope is None else _within(scope, stub_id)
    )
    return el(
        "button",
        "Delete stub",
        type="button",
        class_="danger",
        hx_swap="none",
        hx_confirm=f"Delete stub {stub_id}?",
        data_next="/__admin__" if scope is None else path_of("scopes", scope),
        **where,
    )


def _deleting_in(scope: str, stub: View) -> Mapping[str, Attribute]:
    stub_id = str(stub["stub_id"])
    question, deletion = f"Delete stub {stub_id}?", _within(scope, stub_id)
    if stub["scope"] is None:
        question = f"Delete the global stub {stub_id}? It is gone for everybody then, not for this scope alone."
        # As on the dashboard: an id that holds a slash is one segment there.
        deletion = {"hx_delete": path_of("actions", "stubs", stub_id)}
    return {
        **deletion,
        "hx_target": "#scope-panel",
        "hx_swap": "none",
        "hx_confirm": question,
    }


def _within(scope: str, stub_id: str) -> dict[str, Attribute]:
    return {"hx_delete": f"/__mock__/stubs/{encoded(stub_id)}", "hx_headers": json_line({scope: "1"})}
