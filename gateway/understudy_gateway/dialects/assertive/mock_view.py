"""Mocks that were made elsewhere, over REST or by a manifest, as stubs: for whoever lists the stubs.

What a stub can say is said as the product says it, and what it cannot stands as REST has it behind `$mock`: a single
criterion, or all that is asked for, or all that is done.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Final, cast

import orjson
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from understudy.v1.actions_pb2 import FAULT_KIND_CUT, Action, EventStream, Forward, Header, Respond
from understudy.v1.matching_pb2 import Criterion, RequestMatcher
from understudy.v1.mock_service_pb2 import Mock

from understudy_gateway.dialects.assertive import actions, paths
from understudy_gateway.transcoding.json_encode import Encoders, dump

_OURS: Final = "$mock"
_TEXT: Final = "text/plain; charset=utf-8"
_FRACTION: Final = 0.5
_PARTS: Final = ("method", "path", "body", "headers", "host", "query")
_ASKED_BY_STUBS: Final = frozenset(
    (*_PARTS, "method_criterion", "path_criterion", "all_headers", "all_query", "cookies")
)
"""The fields of a matcher that are shown as the parts of a stub."""


def view(mock: Mock) -> dict[str, Any]:
    """Show a mock as in `stubs.Translated.view`."""
    return {"request": _request(mock.matcher), **_does(mock.action)}


def _request(matcher: RequestMatcher) -> dict[str, Any]:
    if any(field.name not in _ASKED_BY_STUBS for field, _ in matcher.ListFields()):
        # Nobody is to take what is left of it for the whole.
        return {**dict.fromkeys(_PARTS), _OURS: _what_is_said(matcher)}

    def one(name: str) -> Any:
        return _criterion(getattr(matcher, name)) if matcher.HasField(name) else None

    return {
        "method": matcher.method or one("method_criterion"),
        "path": _path(matcher),
        "body": one("body"),
        "headers": _many(matcher, "headers", "all_headers", "cookies"),
        "host": one("host"),
        "query": _many(matcher, "query", "all_query"),
    }


def _path(matcher: RequestMatcher) -> Any:
    """A pattern, where a stub's would be read alike; a text that is compared is a criterion there."""
    if matcher.HasField("path_criterion"):
        shown = _criterion(matcher.path_criterion)
        return {"$eq": {"value": shown}} if isinstance(shown, str) else shown
    if not matcher.path or paths.pattern(matcher.path) == matcher.path:
        return matcher.path or None
    return {_OURS: {"path": matcher.path}}


def _criterion(criterion: Criterion) -> Any:
    if criterion.WhichOneof("test") == "equals" and not criterion.HasField("ignore_case"):
        return criterion.equals
    return {_OURS: _json(criterion)}


def _many(matcher: RequestMatcher, names: str, *others: str) -> Any:
    """Criteria on single headers or parameters, as those of a stub; with any other beside them, as REST has them."""
    parts = RequestMatcher()
    for name in (names, *others):
        value = getattr(matcher, name)
        if isinstance(value, Criterion):
            if matcher.HasField(name):
                getattr(parts, name).CopyFrom(value)
        else:
            for key in value:
                getattr(parts, name)[key].CopyFrom(value[key])
    single: Mapping[str, Criterion] = getattr(parts, names)
    found = [field.name for field, _ in parts.ListFields()]
    if found == [names]:
        shown = {name: _criterion(single[name]) for name in sorted(single)}
        wanted = {name: {"$eq": {"value": each}} if isinstance(each, str) else each for name, each in shown.items()}
        return {"$key_values": {"key_values": wanted}}
    if not found:
        return None
    return {_OURS: _what_is_said(parts)}


def _does(action: Action) -> dict[str, Any]:
    """What it does and what goes wrong, as a stub says it, if a stub that says so does the very same."""
    written = _written_out(action)
    kind = written.WhichOneof("kind")
    shown: dict[str, Any] = {
        "response": _response(written.respond) if kind == "respond" else None,
        "proxy": _proxy(written.forward) if kind == "forward" else None,
        "sse": _sse(written.events) if kind == "events" else None,
    }
    chaos = _chaos(written)
    if _made_of(shown, chaos) == written:
        return {"action": shown, "chaos": chaos}
    return {"action": {**dict.fromkeys(shown), _OURS: _what_is_said(action)}, "chaos": None}


def _made_of(shown: Mapping[str, Any], chaos: Mapping[str, Any] | None) -> Action | None:
    """The action of a stub that says this; None when none can."""
    response = shown["response"]
    if not any(shown.values()) or (response and response["body"] is None and response["template_body"] is None):
        return None
    try:
        return actions.action(shown, chaos)
    except ValueError:
        return None


def _written_out(action: Action) -> Action:
    """The same action, with what goes without saying said as stubs say it."""
    written = Action()
    written.CopyFrom(action)
    if written.WhichOneof("kind") in (None, "respond"):
        _write_out(written.respond)
    if written.HasField("fault"):
        fault = written.fault
        fault.probability = fault.probability if fault.HasField("probability") else 1.0
        fault.fraction = fault.fraction if fault.HasField("fraction") else _FRACTION
    return written


def _write_out(respond: Respond) -> None:
    respond.SetInParent()
    respond.status = respond.status or 200
    kind = respond.WhichOneof("body")
    if kind == "json":
        with suppress(ValueError):
            respond.json = _compact(json.loads(respond.json))
    elif kind in ("text", "template") and not respond.bare:
        if not any(each.name.lower() == "content-type" for each in respond.headers):
            respond.headers.insert(0, Header(name="content-type", value=_TEXT))
        respond.bare = True
    elif kind is None:
        respond.text, respond.bare = "", True


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _response(respond: Respond) -> dict[str, Any]:
    kind = respond.WhichOneof("body")
    body: Any = None
    if kind == "json":
        with suppress(ValueError):
            body = json.loads(respond.json)
    elif kind == "text":
        body = respond.text
    return {
        "status_code": respond.status,
        "headers": _headers(respond.headers),
        "body": body,
        "template_body": respond.template if kind == "template" else None,
    }


def _proxy(forward: Forward) -> dict[str, Any]:
    query = f"?{forward.query}" if forward.query else ""
    return {
        "url": forward.target + forward.path.replace + query,
        "headers": _headers(forward.set_headers),
        "timeout": forward.first_byte_ms // 1000,
    }


def _sse(events: EventStream) -> dict[str, Any]:
    return {"events": [event(each) for each in events.events], "default_delay_ms": events.delay_ms}


def event(given: Message) -> dict[str, Any]:
    """Show an event of a stream."""
    names = {"data": "data", "event": "event", "id": "id", "retry": "retry_ms", "delay_ms": "delay_ms"}
    return {
        shown: getattr(given, name) if name == "data" or given.HasField(name) else None for shown, name in names.items()
    }


def _headers(headers: Any) -> dict[str, str]:
    given: list[Header] = list(headers)
    return {each.name: each.value for each in given}


def _chaos(action: Action) -> dict[str, Any] | None:
    if not (action.HasField("delay") or action.HasField("fault")):
        return None
    delay, fault = action.delay, action.fault
    return {
        "latency": {
            "base_ms": delay.fixed_ms or delay.uniform.min_ms,
            "jitter_ms": delay.uniform.max_ms - delay.uniform.min_ms,
        },
        "faults": {"connection_drop": {"probability": fault.probability} if fault.kind == FAULT_KIND_CUT else None},
    }


def _what_is_said(message: RequestMatcher | Action) -> dict[str, Any]:
    return {key: each for key, each in _json(message).items() if each}


def _json(message: Criterion | RequestMatcher | Action) -> Any:
    return orjson.loads(dump(_encoders().of(cast("Descriptor", message.DESCRIPTOR)).value(message)))


@cache
def _encoders() -> Encoders:
    return Encoders()
