"""The pages: `/__admin__` with its panels and deletions, the page that shows the API, and the files of both."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from understudy_gateway import docs_page, entity_tags
from understudy_gateway.answers import Answer
from understudy_gateway.dialects.assertive import openapi
from understudy_gateway.dialects.assertive.control import Control
from understudy_gateway.dialects.assertive.kept_stubs import KeptStubs
from understudy_gateway.dialects.assertive.record import Record
from understudy_gateway.dialects.assertive.scopes import Scopes, Unknown
from understudy_gateway.dialects.assertive_admin import page, panels
from understudy_gateway.dialects.assertive_admin.assets import PAGE_HEADERS, Asset, assets, docs_assets
from understudy_gateway.dialects.assertive_admin.names import ASSETS, DOCS_ASSETS
from understudy_gateway.wire import pick_headers

_HTML: Final = [
    (b"content-type", b"text/html; charset=utf-8"),
    *((name.encode(), value.encode()) for name, value in PAGE_HEADERS.items()),
]
_DOCS_TITLE: Final = "Assertive mock API"


class Asked(Protocol):
    """What a page is asked with: the stub, the scope or the file that it is about, and the headers."""

    name: str
    headers: list[tuple[bytes, bytes]]


class Pages:
    """The pages about one environment. None of them looks at scope headers."""

    def __init__(self, scopes: Scopes, stubs: KeptStubs, record: Record) -> None:
        self._scopes = scopes
        self._stubs = stubs
        self._record = record

    def takes(self) -> Mapping[Control, Callable[[Any], Awaitable[Answer]]]:
        """What answers which call."""
        return {
            Control.DOCS: _docs,
            Control.DOCUMENT: _document,
            Control.DASHBOARD: self._dashboard,
            Control.STUB_FORM: self._stub_form,
            Control.STUB_PAGE: self._stub_page,
            Control.SCOPE_PAGE: self._scope_page,
            Control.STUBS_PANEL: self._stubs_panel,
            Control.REQUESTS_PANEL: self._requests_panel,
            Control.SCOPES_PANEL: self._scopes_panel,
            Control.STUB_DELETION: self._delete_stub,
            Control.SCOPE_DELETION: self._delete_scope,
            Control.ASSET: _asset,
        }

    async def _dashboard(self, _asked: Asked) -> Answer:
        stubs, requests = await self._stubs.views(None), await self._record.latest(None)
        return _html(page.dashboard(stubs, requests, await self._scopes.names()))

    async def _stub_form(self, _asked: Asked) -> Answer:
        return _html(page.new_stub_form(await self._scopes.names()))

    async def _stub_page(self, asked: Asked) -> Answer:
        try:
            return _html(page.stub_detail(await self._stubs.view(asked.name)))
        except Unknown:
            return _html(page.not_found(f"Stub '{asked.name}' was not found"), 404)

    async def _scope_page(self, asked: Asked) -> Answer:
        name = asked.name.lower()
        if not await self._scopes.has(name):
            return _html(page.not_found(f"Scope '{asked.name}' was not found"), 404)
        stubs, requests = await self._stubs.views(name), await self._record.latest(name)
        return _html(page.scope_detail(name, stubs, requests))

    async def _stubs_panel(self, _asked: Asked) -> Answer:
        return _html(panels.stubs_panel(await self._stubs.views(None)))

    async def _requests_panel(self, _asked: Asked) -> Answer:
        return _html(panels.requests_panel(await self._record.latest(None)))

    async def _scopes_panel(self, _asked: Asked) -> Answer:
        return _html(panels.scopes_panel(await self._scopes.names()))

    async def _delete_stub(self, asked: Asked) -> Answer:
        error = ""
        try:
            await self._stubs.delete(asked.name, None)
        except Unknown:
            error = f"Stub '{asked.name}' was not found"
        return _html(panels.stubs_panel(await self._stubs.views(None), error), 404 if error else 200)

    async def _delete_scope(self, asked: Asked) -> Answer:
        error = ""
        try:
            await self._scopes.delete(asked.name.lower())
        except Unknown:
            error = f"Scope '{asked.name}' was not found"
        return _html(panels.scopes_panel(await self._scopes.names(), error), 404 if error else 200)


async def _docs(_asked: Asked) -> Answer:
    return Answer(200, [(b"content-type", b"text/html; charset=utf-8")], docs_page.page(_DOCS_TITLE, ASSETS).encode())


async def _document(_asked: Asked) -> Answer:
    return Answer(200, [(b"content-type", b"application/json")], openapi.text())


async def _asset(asked: Asked) -> Answer:
    found = docs_assets() if asked.name in DOCS_ASSETS else assets()
    return _file(found[ASSETS + asked.name], asked.headers)


def _file(asset: Asset, headers: list[tuple[bytes, bytes]]) -> Answer:
    etag = asset.etag.encode()
    lines = [(b"etag", etag), (b"cache-control", b"no-cache"), (b"x-content-type-options", b"nosniff")]
    known = pick_headers(headers, (entity_tags.IF_NONE_MATCH,)).get(entity_tags.IF_NONE_MATCH, b"")
    if entity_tags.names(known, etag):
        return Answer(304, lines)
    return Answer(200, [(b"content-type", asset.media_type.encode()), *lines], asset.body)


def _html(text: str, status: int = 200) -> Answer:
    return Answer(status, _HTML, text.encode())
