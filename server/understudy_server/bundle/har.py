"""Exchanges as HAR 1.2, which browsers' tools open. What is Understudy's own stands in fields that begin with ``_``."""

import base64
import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import IO, Any
from urllib.parse import parse_qsl

from google.protobuf.json_format import MessageToDict
from understudy.v1.actions_pb2 import Header
from understudy.v1.log_service_pb2 import Body, LogEntry

_HTTP = "HTTP/1.1"
_NO_HOST = "unknown.invalid"
_US_PER_MS = 1000
_BESIDE = ("id", "number", "outcome", "override_id", "layer", "session_revision", "findings", "draws", "occurrence")


class HarWriter:
    """Writes a HAR file as its entries come, so that none of them has to stay in memory. `end` closes the document."""

    def __init__(self, file: IO[bytes], version: str) -> None:
        self._file = file
        self._separator = b"\n"
        creator = json.dumps({"name": "understudy", "version": version})
        file.write(b'{"log":{"version":"1.2","creator":' + creator.encode() + b',"pages":[],"entries":[')

    def add(self, log: LogEntry) -> None:
        """Append an exchange, which has its details."""
        self._file.write(self._separator + json.dumps(entry(log), ensure_ascii=False).encode("utf-8", "replace"))
        self._separator = b",\n"

    def end(self) -> None:
        """Write what closes the document. The file stays open."""
        self._file.write(b"\n]}}\n")


def entry(log: LogEntry) -> dict[str, Any]:
    """One exchange as a HAR entry. The URL is put together of the host that the request named, and is http."""
    details, phases = log.details, log.phases
    total_ms = phases.total_us / _US_PER_MS if phases.total_us else float(log.duration_ms)
    return {
        "startedDateTime": log.created_at.ToJsonString(),
        "time": total_ms,
        "request": _request(log),
        "response": _response(log),
        "cache": {},
        "timings": {
            "blocked": phases.queue_us / _US_PER_MS,
            "dns": -1,
            "connect": phases.connect_us / _US_PER_MS if phases.connect_us else -1,
            "ssl": -1,
            "send": 0,
            "wait": max(0.0, total_ms - (phases.queue_us + phases.connect_us) / _US_PER_MS),
            "receive": 0,
        },
        "_understudy": {
            **_beside(log),
            "requestTruncated": details.request_body.truncated,
            "responseTruncated": details.response_body.truncated,
        },
    }


def _beside(log: LogEntry) -> dict[str, Any]:
    """What HAR has no place for, as JSON has it."""
    given = {field.name: value for field, value in log.ListFields()}
    found: dict[str, Any] = MessageToDict(LogEntry(**{name: given[name] for name in _BESIDE if name in given}))
    return found


def _request(log: LogEntry) -> dict[str, Any]:
    headers, body = log.details.request_headers, log.details.request_body
    host = _first(headers, "host") or _NO_HOST
    query = f"?{log.query}" if log.query else ""
    request: dict[str, Any] = {
        "method": log.method,
        "url": f"http://{host}{log.path}{query}",
        "httpVersion": _HTTP,
        "cookies": [],
        "headers": _pairs(headers),
        "queryString": [{"name": name, "value": value} for name, value in parse_qsl(log.query, keep_blank_values=True)],
        "headersSize": -1,
        "bodySize": body.size_bytes,
    }
    if log.details.HasField("request_body"):
        # A HAR request has no coding for bytes: what is not text is named as base64 in a comment.
        text, coding = _text(body)
        request["postData"] = {"mimeType": body.content_type, "params": [], "text": text}
        if coding:
            request["postData"]["comment"] = coding
    return request


def _response(log: LogEntry) -> dict[str, Any]:
    headers, body = log.details.response_headers, log.details.response_body
    content: dict[str, Any] = {"size": body.size_bytes, "mimeType": body.content_type or "x-unknown"}
    if log.details.HasField("response_body"):
        content["text"], coding = _text(body)
        if coding:
            content["encoding"] = coding
        if body.sha256:
            content["comment"] = f"withheld; SHA-256 {body.sha256}"
    return {
        "status": log.status,
        "statusText": _phrase(log.status),
        "httpVersion": _HTTP,
        "cookies": [],
        "headers": _pairs(headers),
        "content": content,
        "redirectURL": _first(headers, "location"),
        "headersSize": -1,
        "bodySize": body.size_bytes,
    }


def _text(body: Body) -> tuple[str, str]:
    """A body as text, and its coding: empty, or ``base64`` where it is no UTF-8."""
    try:
        return body.content.decode(), ""
    except UnicodeDecodeError:
        return base64.b64encode(body.content).decode(), "base64"


def _pairs(headers: Iterable[Header]) -> list[dict[str, str]]:
    return [{"name": header.name, "value": header.value} for header in headers]


def _first(headers: Iterable[Header], name: str) -> str:
    return next((header.value for header in headers if header.name.lower() == name), "")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
