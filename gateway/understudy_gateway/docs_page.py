"""The page that shows an OpenAPI document, to be tried out in a browser: its files come from this machine alone."""

from importlib.util import find_spec
from pathlib import Path

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="{assets}favicon.png">
<link rel="stylesheet" href="{assets}swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="{assets}swagger-ui-bundle.js"></script>
<script>
SwaggerUIBundle({{url: "openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null}});
</script>
</body>
</html>
"""


def page(title: str, assets: str) -> str:
    """Write the page. ``assets``: where its files are, as a browser finds them, with a slash at the end."""
    return _PAGE.format(title=title, assets=assets)


def assets() -> Path:
    """Find the folder of Swagger UI in the package that carries it, without importing the framework it is made for."""
    spec = find_spec("fastapi_offline")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package fastapi-offline, which carries the files of the docs page, is not installed")
    return Path(spec.submodule_search_locations[0]) / "static"
