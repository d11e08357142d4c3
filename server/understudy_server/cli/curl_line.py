"""From a line of curl's to the request that curl would send. Source: the manual of curl 8."""

import base64
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple
from urllib.parse import quote_plus, urlsplit

from understudy_server.cli.curl_options import BadCurl, Option, options_of

ReadFile = Callable[[str], bytes]
"""Reads the file that a line names, ``-`` for what stands on the input. Raises OSError."""

_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
_BODY_OPTIONS: Final = frozenset(
    ("data", "data-ascii", "data-raw", "data-binary", "data-urlencode", "json"),
)


class Sent(NamedTuple):
    """The request that curl sends. ``authority`` is that of the URL, with its port; ``target`` is path and query."""

    method: str
    authority: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The first value of a header, by its name in lower case; empty when there is none."""
        return next((value for given, value in self.headers if given.lower() == name), "")


def read_curl(words: Sequence[str], read_file: ReadFile) -> Sent:
    """Read the words behind the word curl. Raises BadCurl for what is unknown or cannot be read."""
    options = list(options_of(words))
    url = _only_url(options)
    data = _data(options, read_file)
    has_data = any(option.name in _BODY_OPTIONS for option in options)
    names = {option.name for option in options}
    target = _target(url, as_is="path-as-is" in names)
    if "get" in names and has_data:
        target += ("&" if "?" in target else "?") + data.decode("utf-8", "replace")
        data, has_data = b"", False
    method = _last(options, "request") or ("HEAD" if "head" in names else "POST" if has_data else "GET")
    headers = _headers(options, url.netloc, data if has_data else None, read_file)
    return Sent(method, url.netloc.rpartition("@")[2], target, headers, data)


class _Url(NamedTuple):
    netloc: str
    path: str
    query: str


def _only_url(options: Sequence[Option]) -> _Url:
    urls = [option.value for option in options if option.name == "url"]
    if len(urls) != 1:
        what = "no URL" if not urls else f"{len(urls)} URLs"
        raise BadCurl(f"the line of curl's has {what}", "Write one URL.")
    text = urls[0] if "://" in urls[0] else f"http://{urls[0]}"
    if any(each.isspace() for each in text):
        raise BadCurl("the URL has white space in it", "Write %20 for a blank.")
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - it is read only when it is asked for, and may be none
    except ValueError as error:
        raise BadCurl(f"{urls[0]} is not a URL ({error})", "Write it like https://shop.example.com/api/pay.") from None
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise BadCurl(f"{urls[0]} is not a URL of HTTP", "Write it like https://shop.example.com/api/pay.")
    return _Url(parts.netloc, parts.path, parts.query)


def _target(url: _Url, *, as_is: bool) -> str:
    path = url.path or "/"
    if not as_is:
        path = _without_dots(path)
    return f"{path}?{url.query}" if url.query else path


def _without_dots(path: str) -> str:
    """A path without `.` and `..`, as clients send it. Source: RFC 3986, section 5.2.4."""
    kept: list[str] = []
    *folders, last = path.split("/")[1:]
    for segment in folders:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if last == "..":
        del kept[-1:]
    return "/" + "/".join([*kept, "" if last in (".", "..") else last])


def _data(options: Sequence[Option], read_file: ReadFile) -> bytes:
    """The body: what was given is joined by `&`, but for JSON."""
    data: bytes | None = None
    for name, value in options:
        if name not in _BODY_OPTIONS:
            continue
        piece = _piece(name, value, read_file)
        data = piece if data is None else data + (b"" if name == "json" else b"&") + piece
    return data or b""


def _piece(name: str, value: str, read_file: ReadFile) -> bytes:
    if name == "data-urlencode":
        return _encoded(value, read_file)
    if name == "data-raw" or not value.startswith("@"):
        return value.encode()
    content = _read(value[1:], read_file)
    if name in ("data", "data-ascii"):
        # Only the binary form keeps the ends of lines.
        return content.replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b"")
    return content


def _encoded(value: str, read_file: ReadFile) -> bytes:
    """One of: content, =content, name=content, @file, name@file."""
    at = min((found for mark in "=@" if (found := value.find(mark)) >= 0), default=-1)
    if at < 0:
        return _percent(value.encode())
    name, mark, rest = value[:at], value[at], value[at + 1 :]
    content = _percent(_read(rest, read_file) if mark == "@" else rest.encode())
    return f"{name}=".encode() + content if name else content


def _percent(content: bytes) -> bytes:
    return quote_plus(content, safe="-._~").encode()


def _headers(
    options: Sequence[Option], netloc: str, body: bytes | None, read_file: ReadFile
) -> Sequence[tuple[str, str]]:
    """All headers that curl sends, its own first. One that is given takes the place of curl's own of the same name."""
    user, _, authority = netloc.rpartition("@")
    own = [("Host", authority), *_credentials(options, user), ("User-Agent", _last(options, "user-agent") or "curl")]
    own.append(("Accept", _JSON if _has(options, "json") else "*/*"))
    if _has(options, "compressed"):
        own.append(("Accept-Encoding", "deflate, gzip"))
    for name, header in (("range", "Range"), ("referer", "Referer")):
        if value := _last(options, name):
            own.append((header, f"bytes={value}" if name == "range" else value.partition(";")[0]))
    own += _cookies(options)
    if body is not None:
        own.append(("Content-Length", str(len(body))))
        own.append(("Content-Type", _JSON if _has(options, "json") else _FORM))
    given, removed = _given(options, read_file)
    named = {name.lower() for name, _ in given} | removed
    return [(name, value) for name, value in own if name.lower() not in named] + given


def _credentials(options: Sequence[Option], user: str) -> list[tuple[str, str]]:
    if token := _last(options, "oauth2-bearer"):
        return [("Authorization", f"Bearer {token}")]
    credentials = _last(options, "user") or user
    if not credentials:
        return []
    return [("Authorization", f"Basic {base64.b64encode(credentials.encode()).decode()}")]


def _cookies(options: Sequence[Option]) -> list[tuple[str, str]]:
    cookies = [option.value for option in options if option.name == "cookie"]
    for each in cookies:
        if "=" not in each:
            advice = "Write the cookies themselves, such as -b 'sid=abc; theme=dark'."
            raise BadCurl(f"curl's -b names a file of cookies, {each}, which is not read here", advice)
    return [("Cookie", ";".join(cookies))] if cookies else []


def _given(options: Sequence[Option], read_file: ReadFile) -> tuple[list[tuple[str, str]], set[str]]:
    """The headers that are given, and the names, in lower case, of those that are taken away."""
    given: list[tuple[str, str]] = []
    removed: set[str] = set()
    for line in _header_lines(options, read_file):
        name, colon, value = line.partition(":")
        if not colon and line.endswith(";"):
            given.append((line[:-1].strip(), ""))
        elif not colon:
            raise BadCurl(f"curl's -H {line!r} is not a header", "Write it like -H 'x-team: payments'.")
        elif value.strip():
            given.append((name.strip(), value.strip()))
        else:
            removed.add(name.strip().lower())
    return given, removed


def _header_lines(options: Sequence[Option], read_file: ReadFile) -> list[str]:
    lines: list[str] = []
    for name, value in options:
        if name == "header" and value.startswith("@"):
            text = _read(value[1:], read_file).decode("utf-8", "replace")
            lines += [line for line in text.splitlines() if line.strip()]
        elif name == "header":
            lines.append(value)
    return lines


def _read(name: str, read_file: ReadFile) -> bytes:
    try:
        return read_file(name)
    except OSError as error:
        raise BadCurl(f"{name} cannot be read: {error.strerror or error}", "Name a file that is there.") from None


def _has(options: Sequence[Option], name: str) -> bool:
    return any(option.name == name for option in options)


def _last(options: Sequence[Option], name: str) -> str:
    """The value of the option that was given last, empty when none was."""
    return next((option.value for option in reversed(options) if option.name == name), "")
