"""What a stub does, made into an action of ours, and shown as the product shows it."""

import json
from collections.abc import Mapping
from typing import Any, Final

from understudy.v1.actions_pb2 import (
    FAULT_KIND_CUT,
    Action,
    Delay,
    EventStream,
    Fault,
    Forward,
    Header,
    PathRewrite,
    Respond,
    ServerEvent,
    UniformDelay,
)

from understudy_gateway.dialects.assertive import headers, targets

Values = Mapping[str, Any]
"""A part of a payload that was checked (`payloads.stub`), with every field."""

_TIMEOUT_MAX_S: Final = 600
_FRACTION: Final = 0.5
"""A connection that is dropped is dropped in the middle of the body."""


def action(given: Values, chaos: Values | None) -> Action:
    """Make the action of what a stub is to do, and of what is to go wrong with it."""
    if given["response"] is not None:
        made = Action(respond=_respond(given["response"]))
    elif given["proxy"] is not None:
        made = Action(forward=_forward(given["proxy"]))
    else:
        made = Action(events=_events(given["sse"]))
    if chaos is not None:
        _disturb(made, chaos)
    return made


def _respond(given: Values) -> Respond:
    made = Respond(status=given["status_code"], headers=headers.written(given["headers"]))
    body = given["body"]
    if given["template_body"] is not None:
        made.template = given["template_body"]
    elif isinstance(body, str):
        made.text = body
    else:
        made.json = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return made
    return _bare(made)


def _bare(respond: Respond) -> Respond:
    respond.bare = True
    return respond


def _forward(given: Values) -> Forward:
    target = targets.split(given["url"])
    set_headers = headers.written(given["headers"])
    if target.authorization and not any(each.name.lower() == "authorization" for each in set_headers):
        set_headers.append(Header(name="authorization", value=target.authorization))
    return Forward(
        target=target.base,
        path=PathRewrite(replace=target.path),
        set_headers=set_headers,
        keep_host=True,
        first_byte_ms=min(given["timeout"], _TIMEOUT_MAX_S) * 1000,
        query=target.query,
    )


def _events(given: Values) -> EventStream:
    # Once through, which goes without saying, is said: the server would add it, and it would not be what was sent.
    return EventStream(events=map(_event, given["events"]), delay_ms=given["default_delay_ms"], rounds=1)


def _event(given: Values) -> ServerEvent:
    return ServerEvent(
        data=given["data"],
        event=given["event"],
        id=given["id"],
        retry_ms=given["retry"],
        delay_ms=given["delay_ms"],
    )


def _disturb(made: Action, chaos: Values) -> None:
    base, jitter = chaos["latency"]["base_ms"], chaos["latency"]["jitter_ms"]
    if jitter:
        made.delay.CopyFrom(Delay(uniform=UniformDelay(min_ms=base, max_ms=base + jitter)))
    elif base:
        made.delay.CopyFrom(Delay(fixed_ms=base))
    drop = chaos["faults"]["connection_drop"]
    if drop is not None:
        made.fault.CopyFrom(Fault(kind=FAULT_KIND_CUT, probability=drop["probability"], fraction=_FRACTION))
