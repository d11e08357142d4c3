"""Streams of server-sent events. Source: HTML, section 9.2.6; lines of an event in the order id, event, retry, data."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from understudy_server.core.responding.plan import Event, Events
from understudy_server.core.responding.prepared import Shape
from understudy_server.core.responding.respond import encoded
from understudy_server.core.responding.templates import TextTemplate
from understudy_server.core.templating.faults import Fault
from understudy_server.core.templating.running import OUTPUT_MAX, Run

_LINE_END = re.compile("\r\n|\r|\n")
# What would end a line, or have the client forget the id.
_NO_LINE = re.compile("[\r\n\0]")


def lines_of(data: str) -> list[str]:
    """The lines of an event's data, also an empty one at the end. Source: as above."""
    return _LINE_END.split(data) if "\n" in data or "\r" in data else [data]


@dataclass(frozen=True, slots=True)
class MadeEvent:
    """An event, its texts templates. ``None`` is not sent."""

    data: TextTemplate
    event: TextTemplate | None
    id: TextTemplate | None
    retry_ms: int | None
    delay_ms: int

    @property
    def templates(self) -> list[TextTemplate]:
        """All of its templates."""
        return [template for template in (self.data, self.event, self.id) if template is not None]


@dataclass(frozen=True, slots=True)
class EventStream:
    """A stream. ``rounds`` 0: no end; ``heartbeat_ms`` 0: none. ``lines_of`` takes data apart.

    What it makes no lines of is one, and empty.
    """

    shape: Shape
    events: tuple[MadeEvent, ...]
    rounds: int
    round_delay_ms: int
    heartbeat_ms: int
    lines_of: Callable[[str], list[str]] = lines_of
    counts: bool = field(init=False)
    wants_body: bool = field(init=False)
    repeats: ClassVar[bool] = False

    def __post_init__(self) -> None:
        templates = [template for event in self.events for template in event.templates]
        object.__setattr__(self, "counts", any(template.counts for template in templates))
        object.__setattr__(self, "wants_body", any(template.wants_body for template in templates))

    def make(self, run: Run) -> Events:
        """Make all events, so that a template that fails is told before anything is sent."""
        lines = self.lines_of
        made = tuple([Event(_written(run, event, lines), event.delay_ms) for event in self.events])
        if sum([len(event.data) for event in made]) > 2 * OUTPUT_MAX:
            raise Fault("the events grow beyond 2 MiB")
        return Events(self.shape.without_length(), made, self.rounds, self.round_delay_ms, self.heartbeat_ms)


def _written(run: Run, event: MadeEvent, lines_of: Callable[[str], list[str]]) -> bytes:
    lines = []
    if event.id is not None:
        lines.append(f"id: {_line(run, 'id', event.id)}\n")
    if event.event is not None:
        lines.append(f"event: {_line(run, 'type', event.event)}\n")
    if event.retry_ms is not None:
        lines.append(f"retry: {event.retry_ms}\n")
    data = event.data.render(run)
    run.take_for_text(len(data))
    parts = lines_of(data) or [data]
    run.take(len(parts))
    lines += [f"data: {part}\n" for part in parts]
    lines.append("\n")
    return encoded("".join(lines))


def _line(run: Run, what: str, template: TextTemplate) -> str:
    text = template.render(run)
    if _NO_LINE.search(text):
        raise Fault(f"the {what} of an event would have a line end in it")
    return text
