"""Streams of events, compiled."""

from understudy.v1.actions_pb2 import EventStream as StreamMessage
from understudy.v1.actions_pb2 import ServerEvent

from understudy_server.core.profiles import Profile
from understudy_server.core.responding.prepared import shape
from understudy_server.core.responding.streams import EventStream, MadeEvent, lines_of
from understudy_server.definitions.templates import TemplateCompiler
from understudy_server.definitions.unusable import Unusable

_OWN_HEADERS = (("content-type", "text/event-stream"), ("cache-control", "no-cache"))


def compile_stream(message: StreamMessage, path: str, templates: TemplateCompiler) -> EventStream:
    """Compile a stream. ``path`` is that of the message. Raises Unusable."""
    if not message.events:
        raise Unusable(f"{path}.events", "required", f"{path}.events needs at least one event")
    given = [(header.name, header.value) for header in message.headers]
    names = {name.lower() for name, _ in given}
    own = [header for header in _OWN_HEADERS if header[0] not in names]
    events = [
        _event(event, f"{path}.events[{place}]", message.delay_ms, templates)
        for place, event in enumerate(message.events)
    ]
    stream = EventStream(
        shape=shape(200, (*own, *given)),
        events=tuple(events),
        rounds=message.rounds if message.HasField("rounds") else 1,
        round_delay_ms=message.round_delay_ms,
        heartbeat_ms=message.heartbeat_ms,
        lines_of=str.splitlines if templates.profile is Profile.ASSERTIVE else lines_of,
    )
    if not stream.rounds and not (stream.round_delay_ms or any(event.delay_ms for event in stream.events)):
        raise Unusable(f"{path}.rounds", "endless", f"{path} has no end, and so it needs a delay somewhere", "0")
    return stream


def _event(message: ServerEvent, path: str, delay_ms: int, templates: TemplateCompiler) -> MadeEvent:
    return MadeEvent(
        data=templates.compile(message.data, f"{path}.data"),
        event=templates.compile(message.event, f"{path}.event") if message.HasField("event") else None,
        id=templates.compile(message.id, f"{path}.id") if message.HasField("id") else None,
        retry_ms=message.retry_ms if message.HasField("retry_ms") else None,
        delay_ms=message.delay_ms if message.HasField("delay_ms") else delay_ms,
    )
