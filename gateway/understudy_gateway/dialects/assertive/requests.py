"""Calls on record, as the product shows them."""

from typing import Any
from urllib.parse import parse_qsl, unquote

from understudy.v1.log_service_pb2 import Body, LogEntry

from understudy_gateway.dialects.assertive import names


def view(entry: LogEntry, scope: str | None) -> dict[str, Any]:
    """Show a call. ``entry`` is with its details; ``scope`` is the name of the scope that it was in, None without one.

    Bytes that are no UTF-8 are shown as U+FFFD. Of a header that was sent several times the first value is shown, of a
    query parameter the last.
    """
    headers = _headers(entry)
    return {
        "method": entry.method,
        "path": unquote(entry.path, errors="replace"),
        "query": dict(parse_qsl(entry.query, keep_blank_values=True, errors="replace")),
        "headers": headers,
        "body": _text(entry.details.request_body),
        "host": _host(headers.get("host", "")),
        "scope": scope,
        "matched_stub_id": names.stub_id(entry.override_id) if entry.override_id else None,
    }


def _headers(entry: LogEntry) -> dict[str, str]:
    found: dict[str, str] = {}
    for header in entry.details.request_headers:
        found.setdefault(header.name.lower(), header.value)
    return found


def _text(body: Body) -> str:
    return body.content.decode("utf-8", "replace")


def _host(authority: str) -> str:
    """The name in a Host header, in lower case, without its port and without the brackets of an address."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0].lower()
    return authority.partition(":")[0].lower()
