"""The lines of the log: one for each event, as text or as a JSON object, with the id of the call, without secrets."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

from understudy import request_ids

from understudy_server.core.redaction import SECRET_HEADERS

LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]

MASK: Final = "***"

_CHARACTERS_MAX: Final = 16_384
# Keys of ours, wherever they stand, and credentials as headers have them. What an exchange holds is never logged at
# all: this is for texts that others make, such as exceptions.
_HEADERS: Final = "|".join(re.escape(name.decode()) for name in sorted(SECRET_HEADERS))
_SECRETS: Final = re.compile(
    rf"""
    ((?:{_HEADERS})['"]?\s*[:=,]\s*(?:b(?=['"]))?['"]?) [^\r\n'"]+
    | (\b(?:bearer|basic)\ ) [^\s'",]+
    | (://) [^\s/@:]*:[^\s/@]* (?=@)
    | fmk_[A-Za-z0-9_-]+
    """,
    re.VERBOSE | re.IGNORECASE,
)
_FIELDS: Final = ("method", "status", "duration_ms")


def mask(text: str) -> str:
    """The text without what looks like a key, a password in a URL or the value of a header with credentials."""
    return _SECRETS.sub(lambda found: next(filter(None, found.groups()), "") + MASK, text)


class TextLines(logging.Formatter):
    """Lines for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        request_id = request_ids.CURRENT.get()
        text = mask(super().format(record))
        if not request_id or request_id in text:
            return text
        first, line_break, rest = text.partition("\n")
        return f"{first} [{request_id}]{line_break}{rest}"


class JsonLines(logging.Formatter):
    """Lines for programs: ``time`` (RFC 3339, UTC), ``level``, ``logger``, ``message``; where known ``request_id``,
    ``method``, ``status``, ``duration_ms`` and ``exception``.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": mask(record.getMessage())[:_CHARACTERS_MAX],
        }
        if request_id := request_ids.CURRENT.get():
            line["request_id"] = request_id
        for name in _FIELDS:
            value = getattr(record, name, None)
            if value is not None:
                line[name] = value
        if record.exc_info and record.exc_info[0] is not None:
            # The end says most: it is where the failure was.
            line["exception"] = mask(self.formatException(record.exc_info))[-_CHARACTERS_MAX:]
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(log_format: LogFormat, level: LogLevel, stream: TextIO | None = None) -> logging.Handler:
    """Write all log lines of this process to ``stream`` (default: standard error); gives what does so."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    root = logging.getLogger()
    for each in root.handlers[:]:
        root.removeHandler(each)
    root.addHandler(handler)
    root.setLevel(level.upper())
    # It tells of each start and stop of each listener; we do that ourselves, once.
    logging.getLogger("uvicorn").setLevel("DEBUG" if level == "debug" else "WARNING" if level != "error" else "ERROR")
    return handler
