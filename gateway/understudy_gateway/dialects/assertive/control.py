"""Which requests are for the control plane: by exact method and path, and everything else is mock traffic.

A path is compared as the product's router compares it: percent-decoded, then split. What names one stub or scope is one
segment of it; on the admin pages it may also hold a slash, encoded, so that each stub has a page.
"""

from enum import Enum, auto
from typing import Final, NamedTuple
from urllib.parse import unquote

from understudy_gateway.dialects.assertive_admin.names import ASSET_NAMES, ASSETS

METHODS: Final = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD")
"""Those that the product serves."""


class Control(Enum):
    """What can be asked of the control plane."""

    WELCOME = auto()
    MAKE_STUB = auto()
    LIST_STUBS = auto()
    DELETE_STUB = auto()
    LIST_REQUESTS = auto()
    ASSERT = auto()
    MAKE_SCOPE = auto()
    LIST_SCOPES = auto()
    DELETE_SCOPE = auto()
    DOCS = auto()
    DOCUMENT = auto()
    DASHBOARD = auto()
    STUB_FORM = auto()
    STUB_PAGE = auto()
    SCOPE_PAGE = auto()
    STUBS_PANEL = auto()
    REQUESTS_PANEL = auto()
    SCOPES_PANEL = auto()
    STUB_DELETION = auto()
    SCOPE_DELETION = auto()
    ASSET = auto()


class Found(NamedTuple):
    """What is asked for, and the stub, the scope or the file that it is about, decoded; empty without one."""

    control: Control
    name: str = ""


_EXACT: Final = {
    **{(method, "/__mock__"): Found(Control.WELCOME) for method in METHODS},
    ("POST", "/__mock__/stubs"): Found(Control.MAKE_STUB),
    ("GET", "/__mock__/stubs"): Found(Control.LIST_STUBS),
    ("GET", "/__mock__/requests"): Found(Control.LIST_REQUESTS),
    ("POST", "/__mock__/assert"): Found(Control.ASSERT),
    ("POST", "/__mock__/scopes"): Found(Control.MAKE_SCOPE),
    ("GET", "/__mock__/scopes"): Found(Control.LIST_SCOPES),
    ("GET", "/docs"): Found(Control.DOCS),
    ("GET", "/openapi.json"): Found(Control.DOCUMENT),
    ("GET", "/__admin__"): Found(Control.DASHBOARD),
    ("GET", "/__admin__/stubs/new"): Found(Control.STUB_FORM),
    ("GET", "/__admin__/partials/stubs"): Found(Control.STUBS_PANEL),
    ("GET", "/__admin__/partials/requests"): Found(Control.REQUESTS_PANEL),
    ("GET", "/__admin__/partials/scopes"): Found(Control.SCOPES_PANEL),
    **{("GET", ASSETS + name): Found(Control.ASSET, name) for name in ASSET_NAMES},
}

_NAMING: Final = {
    ("DELETE", "/__mock__/stubs"): Control.DELETE_STUB,
    ("DELETE", "/__mock__/scopes"): Control.DELETE_SCOPE,
}
"""Paths behind which one more segment names what is meant."""

_NAMING_ON_PAGES: Final = {
    ("GET", "/__admin__/stubs"): Control.STUB_PAGE,
    ("GET", "/__admin__/scopes"): Control.SCOPE_PAGE,
    ("DELETE", "/__admin__/actions/stubs"): Control.STUB_DELETION,
    ("DELETE", "/__admin__/actions/scopes"): Control.SCOPE_DELETION,
}

_BEGINNINGS: Final = ("/__", "/docs", "/openapi.json")
"""One of them begins each path, once it is decoded."""


def is_control(method: str, target: str) -> bool:
    """Tell whether a request is for the control plane. ``target`` is as it was received, with its query. Never raises.

    It is asked for each request: what begins as none of the paths, and has nothing to decode, is settled at once.
    """
    if not target.startswith(_BEGINNINGS) and "%" not in target:
        return False
    return find(method, target.partition("?")[0]) is not None


def find(method: str, path: str) -> Found | None:
    """Find what a request asks of the control plane, by its path as it was sent; None when it is mock traffic."""
    decoded = unquote(path) if "%" in path else path
    if not decoded.startswith(_BEGINNINGS):
        return None
    exact = _EXACT.get((method, decoded))
    if exact is not None:
        return exact
    before, _, name = decoded.rpartition("/")
    control = _NAMING.get((method, before)) or _NAMING_ON_PAGES.get((method, before))
    if control is None:
        # Segments as they were sent: a slash that is encoded is a part of the name.
        before, _, sent = path.rpartition("/")
        control, name = _NAMING_ON_PAGES.get((method, unquote(before))), unquote(sent)
    return Found(control, name) if control is not None and name else None
