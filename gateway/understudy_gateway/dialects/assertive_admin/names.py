"""Where the files of the pages are, by name alone: who asks for each request whether it is for one reads no file."""

from typing import Final

ASSETS: Final = "/__admin__/assets/"

PAGE_ASSETS: Final = {
    "admin.css": "text/css; charset=utf-8",
    "admin.js": "text/javascript; charset=utf-8",
    "stub_form.js": "text/javascript; charset=utf-8",
    "stub_payload.js": "text/javascript; charset=utf-8",
}
"""Files of the admin pages, with their types."""

DOCS_ASSETS: Final = {
    "favicon.png": "image/png",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
}
"""Files of the page that shows the API, with their types."""

ASSET_NAMES: Final = (*PAGE_ASSETS, *DOCS_ASSETS)
