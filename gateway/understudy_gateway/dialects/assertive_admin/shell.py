"""The frame of every page: its head, where one can go from it, and where it says what went wrong."""

from understudy_gateway.dialects.assertive_admin.markup import NOTHING, Markup, el, join
from understudy_gateway.dialects.assertive_admin.names import ASSETS

_TITLE = "Assertive Mock API Admin"

# Two rings, one of them dashed: the part and who stands in for it. In the page, so that no browser asks for
# /favicon.ico, which would be on record as a call of the app under test.
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32' fill='none' stroke='%234f6bd8' "
    "stroke-width='4'%3E%3Ccircle cx='12' cy='16' r='9' stroke-dasharray='4 3'/%3E%3Ccircle cx='20' cy='16' r='9'/%3E"
    "%3C/svg%3E"
)

_WHOSE_ATTRIBUTES = Markup(
    "<!-- The hx-* attributes mean what they mean at htmx.org. What reads them is admin.js of this server: nothing is "
    "loaded from elsewhere. -->"
)


def page(heading: str, *content: str, about: str = "", scripts: tuple[str, ...] = (), actions: Markup = NOTHING) -> str:
    """A whole page. ``heading`` is empty on the dashboard; ``about`` is named in the title; ``actions`` are buttons."""
    title = " \N{MIDDLE DOT} ".join(filter(None, (about, heading, _TITLE)))
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        _WHOSE_ATTRIBUTES,
        el("title", title),
        el("link", rel="icon", href=_ICON),
        el("link", rel="stylesheet", href=f"{ASSETS}admin.css"),
        *(el("script", type="module", src=ASSETS + name) for name in ("admin.js", *scripts)),
    )
    top = el("div", el("h1", heading), actions, class_="page-head") if heading else NOTHING
    main = el("main", top, *content, id="content", tabindex=-1)
    return join((Markup("<!doctype html>\n"), el("html", head, el("body", _bar(bool(heading)), main), lang="en"), "\n"))


def _bar(can_go_home: bool) -> Markup:  # noqa: FBT001 - it is the only argument
    name = el("a", _TITLE, href="/__admin__") if can_go_home else el("h1", _TITLE)
    return join(
        (
            el("a", "Skip to content", href="#content", class_="skip"),
            el(
                "header",
                el("div", name, class_="brand"),
                el(
                    "nav",
                    el("a", "New stub", href="/__admin__/stubs/new"),
                    el("a", "API", href="/docs"),
                    aria_label="Pages",
                ),
                # Shown by the script while a panel of the page renews itself.
                el("button", "Pause updates", type="button", id="pause", aria_pressed="false", hidden=True),
                class_="bar",
            ),
            el("p", id="offline", role="status", class_="banner", hidden=True),
            el("div", id="notice", role="alert", class_="notice"),
        )
    )
