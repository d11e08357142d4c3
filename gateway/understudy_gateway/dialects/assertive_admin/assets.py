"""The style and the scripts of the pages, and what a browser is told of them: all comes from here."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from understudy_gateway import docs_page
from understudy_gateway.dialects.assertive_admin.names import ASSETS, DOCS_ASSETS, PAGE_ASSETS

PAGE_HEADERS: Mapping[str, str] = {
    # Nothing from elsewhere, nothing written into the page: a name with a script in it stays a name even if it were
    # not escaped. Pictures are the icon in the page's head.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
"""Headers of every page and every fragment, beside their type, ``text/html; charset=utf-8``."""


@dataclass(frozen=True)
class Asset:
    """A file that pages use. ``etag`` is quoted, as the header has it; ask for it again each time (``no-cache``)."""

    media_type: str
    body: bytes
    etag: str


@cache
def assets() -> Mapping[str, Asset]:
    """All files of the pages, by the paths at which the pages expect them."""
    folder = files(__package__).joinpath("assets")
    return {
        ASSETS + name: _asset(media_type, folder.joinpath(name).read_bytes())
        for name, media_type in PAGE_ASSETS.items()
    }


@cache
def docs_assets() -> Mapping[str, Asset]:
    """All files of the page that shows the API, likewise. They have a megabyte and a half."""
    folder = docs_page.assets()
    return {
        ASSETS + name: _asset(media_type, folder.joinpath(name).read_bytes())
        for name, media_type in DOCS_ASSETS.items()
    }


def _asset(media_type: str, body: bytes) -> Asset:
    return Asset(media_type, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
