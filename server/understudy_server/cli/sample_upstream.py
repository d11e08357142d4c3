"""The service behind the sample environment: a shop's checkout that always goes well.

It answers below a path of its own, which marks the upstream of an environment as the sample's: a start may then move it
to the port of the day, and never touches one that somebody set.
"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

PREFIX = "/understudy-sample"

_CART = {"items": [{"sku": "tea-green-100g", "quantity": 2, "price": 590}], "total": 1180, "currency": "EUR"}


def _cart(_request: Request) -> JSONResponse:
    return JSONResponse(_CART)


def _user(request: Request) -> JSONResponse:
    return JSONResponse({"id": request.path_params["id"], "name": "Alice Example", "plan": "standard"})


def _pay(_request: Request) -> JSONResponse:
    return JSONResponse({"status": "approved", "receipt": "r-1001"})


def _health(_request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


def _not_found(request: Request, _error: Exception) -> JSONResponse:
    path = request.url.path.removeprefix(PREFIX)
    return JSONResponse({"error": f"the sample service has no {request.method} {path}"}, status_code=404)


def build_sample_upstream() -> Starlette:
    """Make the application."""
    routes = [
        Route("/api/cart", _cart, methods=["GET"]),
        Route("/api/users/{id}", _user, methods=["GET"]),
        Route("/api/pay", _pay, methods=["POST"]),
        Route("/health", _health, methods=["GET"]),
    ]
    return Starlette(routes=[Mount(PREFIX, routes=routes)], exception_handlers={404: _not_found})
