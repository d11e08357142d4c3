"""The request as templates see it: plain data, made when it is asked for."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from understudy_server.core.matching import forms, json_values
from understudy_server.core.matching.request import Request
from understudy_server.core.templating.faults import Fault
from understudy_server.core.templating.language import Shortcut
from understudy_server.core.templating.running import Run
from understudy_server.core.templating.values import MISSING, Lookup, Missing, Undefined

NEED_BODY: Final = frozenset({"body", "json", "form"})
"""The parts that are made of the body."""

# Each byte that is no UTF-8 is put right by itself.
_DECODED_IN_A_STEP: Final = 24


class _Values(Lookup):
    """Values by name, each name with one: the last, or the first, of those that were sent."""

    __slots__ = ("_index", "_values")

    def __init__(self, values: Mapping[str, list[str]], index: int) -> None:
        self._values = values
        self._index = index

    def find(self, key: str) -> Any:
        values = self._values.get(key)
        return values[self._index] if values else MISSING

    def keys(self) -> Iterable[str]:
        return self._values


class Headers(Lookup):
    """Headers by name, in any case of letters: the first value of each."""

    __slots__ = ("_request",)

    def __init__(self, request: Request) -> None:
        self._request = request

    def find(self, key: str) -> Any:
        return _header(self._request, _name(key))

    def keys(self) -> Iterable[str]:
        return [name.decode("latin-1") for name in self._request.values_by_header()]


class RequestView(Lookup):
    """The whole request."""

    __slots__ = ("_run",)

    def __init__(self, run: Run) -> None:
        self._run = run

    def find(self, key: str) -> Any:
        part = PARTS.get(key)
        return part(self._run) if part else MISSING

    def keys(self) -> Iterable[str]:
        return [key for key in PARTS if not isinstance(self.find(key), Missing | Undefined)]


def _name(key: str) -> bytes:
    return key.lower().encode("latin-1", "replace")


def _header(request: Request, name: bytes) -> Any:
    values = request.header(name)
    return values[0] if values else MISSING


def content(run: Run) -> bytes:
    """The body. Raises Fault when it is too long."""
    found = run.scene.request.content()
    if not isinstance(found, bytes):
        raise Fault("the request's body is longer than what may be looked at")
    return found


def text_body(run: Run) -> str:
    """The body as text. Raises Fault when it is too long."""
    # What is not UTF-8 is kept in lone surrogates, and so comes out as it came in.
    found = content(run)
    if not found.isascii():
        run.take(len(found) // _DECODED_IN_A_STEP)
    return found.decode("utf-8", "surrogateescape")


def _json(run: Run) -> Any:
    content(run)
    run.take(run.scene.request.steps_to_read_json())
    value = run.scene.request.json()
    return Undefined("the request's body is not JSON, so request.json") if value is json_values.UNREADABLE else value


def _form(run: Run) -> Any:
    return _Values(forms.read(text_body(run), run), -1)


def _target(run: Run) -> str:
    request: Request = run.scene.request
    return f"{request.path}?{request.query}" if request.query else request.path


PARTS: Final[Mapping[str, Callable[[Run], Any]]] = {
    "method": lambda run: run.scene.request.method,
    "path": lambda run: run.scene.request.decoded_path(),
    "target": _target,
    "host": lambda run: run.scene.request.host,
    "query": lambda run: _Values(run.scene.request.parameters(), -1),
    "query_all": lambda run: run.scene.request.parameters(),
    "headers": lambda run: Headers(run.scene.request),
    "cookies": lambda run: _Values(run.scene.request.cookies(), 0),
    "path_params": lambda run: run.scene.path_parameters,
    "body": text_body,
    "json": _json,
    "form": _form,
}
"""What ``request`` has, by name."""


def shortcut(path: tuple[str, ...]) -> Shortcut | None:
    """Makes the value of ``request.query.page`` and the like at once; ``None`` for any other path.

    Raises ValueError for a part that no request has.
    """
    if path[1] not in PARTS:
        raise ValueError(f"request has no {path[1]!r}; it has {', '.join(PARTS)}")
    if len(path) == 2 and path[1] in PARTS:
        return PARTS[path[1]]
    if len(path) == 3 and path[1] in _AT_ONCE:
        return _AT_ONCE[path[1]](path[2])
    if len(path) > 2 and path[1] == "json":
        return _within_json(path[2:])
    return None


def _in_query(name: str) -> Shortcut:
    def find(run: Run) -> Any:
        values = run.scene.request.parameters().get(name)
        return values[-1] if values else MISSING

    return find


def _in_headers(name: str) -> Shortcut:
    raw = _name(name)
    return lambda run: _header(run.scene.request, raw)


def _in_cookies(name: str) -> Shortcut:
    def find(run: Run) -> Any:
        values = run.scene.request.cookies().get(name)
        return values[0] if values else MISSING

    return find


def _in_path(name: str) -> Shortcut:
    return lambda run: run.scene.path_parameters.get(name, MISSING)


_AT_ONCE: Mapping[str, Callable[[str], Shortcut]] = {
    "query": _in_query,
    "headers": _in_headers,
    "cookies": _in_cookies,
    "path_params": _in_path,
}


def _within_json(keys: tuple[str, ...]) -> Shortcut:
    def find(run: Run) -> Any:
        value = _json(run)
        for place, key in enumerate(keys):
            if isinstance(value, Undefined):
                return value
            found = value.get(key, MISSING) if isinstance(value, dict) else MISSING
            if found is MISSING:
                return Undefined(".".join(("request.json", *keys[: place + 1])))
            value = found
        return value

    return find
