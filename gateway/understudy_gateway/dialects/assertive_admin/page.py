"""The pages of ``/__admin__``, whole: each takes plain data and returns HTML.

Views are those of ``GET /__mock__/stubs`` and ``GET /__mock__/requests``. Nothing in them is trusted.
"""

from collections.abc import Sequence

from understudy_gateway.dialects.assertive_admin.details import scope_detail, stub_detail
from understudy_gateway.dialects.assertive_admin.form import new_stub_form
from understudy_gateway.dialects.assertive_admin.markup import Markup, el
from understudy_gateway.dialects.assertive_admin.panels import View, requests_panel, scopes_panel, stubs_panel
from understudy_gateway.dialects.assertive_admin.shell import page

__all__ = ["dashboard", "new_stub_form", "not_found", "scope_detail", "stub_detail"]


def dashboard(stubs: Sequence[View], requests: Sequence[View], scopes: Sequence[str]) -> str:
    """The first page. Its panels are full at once, and renew themselves every three seconds."""
    return page(
        "",
        el(
            "div",
            _panel("stubs", stubs_panel(stubs)),
            _panel("scopes", scopes_panel(scopes)),
            _panel("requests", requests_panel(requests)),
            class_="panels",
        ),
    )


def not_found(text: str) -> str:
    """The page of a stub or a scope that is not there; ``text`` says which."""
    back = el("a", "Back to the dashboard", href="/__admin__", class_="button")
    return page("Not found", el("section", el("p", text, role="alert"), el("p", back), class_="panel"))


def _panel(name: str, content: str) -> Markup:
    return el(
        "section",
        Markup(content),
        id=f"{name}-panel",
        class_="panel",
        hx_get=f"/__admin__/partials/{name}",
        hx_trigger="load, every 3s",
        hx_swap="innerHTML",
    )
