"""What a recorded exchange says as a mock: the same answer to the same request, as far as a mock can say it.

The exchange itself is not touched, and nothing is looked up: values in, a message out.
"""

import re
from collections.abc import Iterable
from typing import Any

from google.protobuf.message import Message
from understudy.options.v1 import options_pb2
from understudy.options.v1.options_pb2 import Limits
from understudy.v1.actions_pb2 import Header, Respond
from understudy.v1.matching_pb2 import Criterion, RequestMatcher
from understudy.v1.mock_service_pb2 import Mock

from understudy_server.core import strict_json
from understudy_server.core.codings import OF_PACKED_BYTES, UNPACKED
from understudy_server.core.errors import Conflict, Fault, InvalidInput
from understudy_server.core.exchange import BROKEN_OFF, CLIENT_GONE, Captured, Exchange
from understudy_server.core.headers import first
from understudy_server.core.matching.paths import pattern_of
from understudy_server.core.matching.request import Request
from understudy_server.core.redaction import MARKER
from understudy_server.core.strict_json import MalformedJson
from understudy_server.definitions.proxy_headers import PROXY_HEADERS

# The status on record when the client went before anything was answered.
_OF_A_CONNECTION = frozenset({"proxy-authenticate", "proxy-authorization"}) | PROXY_HEADERS
_CORS = frozenset({"access-control-allow-origin", "access-control-allow-credentials"})


def mock_of(exchange: Exchange, *, cors_is_added: bool) -> Mock:
    """Make a mock, without id, that answers such a request as this one was answered; its name is method and path.

    ``cors_is_added``: the proxy lets pages of any origin read mocked answers, so that the mock need not name one.

    Raises Conflict (body_not_kept) when the answer is not on record whole, and InvalidInput when no mock can answer so
    or match so.
    """
    _check_is_answered(exchange)
    _check_is_whole(exchange)
    mock = Mock(name=f"{exchange.method} {exchange.path}"[: _limits(Mock, "name").max_length])
    mock.matcher.CopyFrom(_matcher(exchange))
    respond = mock.action.respond
    respond.status = exchange.status
    respond.headers.extend(_headers(exchange, cors_is_added=cors_is_added))
    if exchange.response_body:
        _set_body(respond, exchange, exchange.response_body)
    return mock


def _check_is_answered(exchange: Exchange) -> None:
    if exchange.status == CLIENT_GONE and not exchange.response_headers:
        raise _unfit(exchange, "was not answered: the client went first", "answered")
    if not exchange.status:
        raise _unfit(exchange, "was not answered, on purpose: a mock spoiled it", "answered")
    limits = _limits(Respond, "status")
    if not limits.min <= exchange.status <= limits.max:
        complaint = f"was answered with status {exchange.status}; a mock answers with {limits.min} to {limits.max}"
        raise _unfit(exchange, complaint, "status")


def _check_is_whole(exchange: Exchange) -> None:
    body = exchange.response_body
    again = "send the request again and use its log"
    if BROKEN_OFF.intersection(exchange.findings):
        reason = f"the answer broke off after {body.size_bytes if body else 0} bytes of its body; {again}"
    elif body is None or not body.truncated:
        return
    elif body.sha256:
        reason = (
            f"the body of {body.size_bytes} bytes could not be masked, so that only its hash was kept; "
            f"change the environment's redaction, {again}"
        )
    else:
        reason = (
            f"only {len(body.content)} of {body.size_bytes} bytes of the body were kept; raise captured_bytes_max "
            f"(in the environment's limits, or proxy_captured_bytes_max of the server), {again}"
        )
    fault = Fault("log_id", "whole", str(len(body.content) if body else 0), exchange.id)
    raise Conflict("body_not_kept", f"no mock can be made of log {exchange.id!r}: {reason}", fault)


# The request.


def _matcher(exchange: Exchange) -> RequestMatcher:
    matcher = RequestMatcher(method=exchange.method, path=pattern_of(exchange.path))
    for name in ("method", "path"):
        if not _fits(getattr(matcher, name), _limits(RequestMatcher, name)):
            raise _unfit(exchange, f"has a {name} that no mock can name", name)
    longest = _limits(Criterion, "equals").max_length
    for name, value in _parameters(exchange.query):
        if len(value) > longest:
            raise _unfit(exchange, f"has a query parameter of more than {longest} characters", "max_length")
        matcher.query[name].equals = value
    if len(matcher.query) > (most := _limits(RequestMatcher, "query").max_items):
        raise _unfit(exchange, f"has more than {most} query parameters; no mock can name them all", "max_items")
    return matcher


def _parameters(query: str) -> Iterable[tuple[str, str]]:
    """The parameters to ask for, decoded, each name once.

    One value of a name is enough for a match, and only one can be asked for: of several it is the first. What is not
    UTF-8 or was masked cannot be asked for, and is not.
    """
    for name, values in Request("GET", "/", query).parameters().items():
        if _is_text(name) and _is_text(values[0]) and MARKER.decode() not in values:
            yield name, values[0]


def _is_text(decoded: str) -> bool:
    """False for what had bytes in it that are not UTF-8: they have become lone surrogates, which no message takes."""
    return not any("\ud800" <= character <= "\udfff" for character in decoded)


# The answer.


def _headers(exchange: Exchange, *, cors_is_added: bool) -> list[Header]:
    """The headers to answer with, in order: without the proxy's own, masked ones, and what the contract refuses."""
    left_out = _OF_A_CONNECTION | (OF_PACKED_BYTES if _is_unpacked(exchange) else frozenset())
    kept = []
    for raw_name, raw_value in exchange.response_headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        lower = name.lower()
        # An origin on record is one page's. Where the proxy lets any page read the answer, it would shut out others.
        is_cors = lower in _CORS or (lower, value.lower()) == ("vary", "origin")
        if lower in left_out or raw_value == MARKER or (cors_is_added and is_cors):
            continue
        if _fits(name, _limits(Header, "name")) and _fits(value, _limits(Header, "value")):
            kept.append(Header(name=name, value=value))
    return _at_most(kept, _limits(Respond, "headers").max_items)


def _is_unpacked(exchange: Exchange) -> bool:
    """True when the body on record is not the bytes that were sent, but what was packed in them.

    A body that is not packed as its header says is kept as it was sent. If it is text, the header was wrong and goes;
    else its length tells.
    """
    headers, body = exchange.response_headers, exchange.response_body
    if (first(headers, b"content-encoding") or b"").lower() not in UNPACKED:
        return False
    return (
        body is None or _text(body.content) is not None or first(headers, b"content-length") != b"%d" % body.size_bytes
    )


def _at_most(headers: list[Header], count: int) -> list[Header]:
    """The first of them, and the content type wherever it stands."""
    surplus = len(headers) - count
    for header in reversed(headers):
        if surplus > 0 and header.name.lower() != "content-type":
            headers.remove(header)
            surplus -= 1
    return headers


def _set_body(respond: Respond, exchange: Exchange, body: Captured) -> None:
    """Give the answer its body in the form that is the easiest to edit; the bytes are the same in each."""
    text = _text(body.content)
    if text is None:
        respond.binary = body.content
    elif _is_json(text, body.content_type):
        respond.json = text
    else:
        respond.text = text
    form = respond.WhichOneof("body") or ""
    size, most = len(getattr(respond, form)), _limits(Respond, form).max_length
    if size > most:
        raise _unfit(
            exchange, f"was answered with a body of {size} characters; that of a mock has at most {most}", "body"
        )


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _is_json(text: str, content_type: str) -> bool:
    """True for JSON that a mock may hold, unless it is a single value that may as well be text."""
    if not (text.lstrip()[:1] in ("{", "[") or "json" in content_type.partition(";")[0].lower()):
        return False
    try:
        strict_json.parse(text)
    except MalformedJson:
        return False
    return True


# The contract's own limits.


def _limits(message: type[Message], field: str) -> Limits:
    options: Any = message.DESCRIPTOR.fields_by_name[field].GetOptions()
    found: Limits = options.Extensions[options_pb2.limits]
    return found


def _fits(text: str, limits: Limits) -> bool:
    return len(text) <= limits.max_length and re.fullmatch(limits.pattern, text) is not None


def _unfit(exchange: Exchange, complaint: str, rule: str) -> InvalidInput:
    return InvalidInput(f"log {exchange.id!r} {complaint}", Fault("log_id", rule, given=exchange.id))
