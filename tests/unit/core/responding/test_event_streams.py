"""Server-sent events, byte for byte."""

from typing import Any

import pytest
from support.answering import planned, scene
from understudy_server.core.responding.plan import Events, Failed


def stream(events: dict[str, Any], target: str = "/") -> Events:
    answer = planned({"events": events}, scene(target)).answer
    assert isinstance(answer, Events)
    return answer


@pytest.mark.parametrize(
    ("event", "sent"),
    [
        ({"data": "first", "event": "message", "id": "1"}, b"id: 1\nevent: message\ndata: first\n\n"),
        ({"data": "x", "event": "e", "id": "i", "retryMs": 3000}, b"id: i\nevent: e\nretry: 3000\ndata: x\n\n"),
        ({"data": ""}, b"data: \n\n"),
        ({"data": "x", "id": ""}, b"id: \ndata: x\n\n"),
        ({"data": "a\nb\r\nc\rd"}, b"data: a\ndata: b\ndata: c\ndata: d\n\n"),
        ({"data": "a\n\n"}, b"data: a\ndata: \n\n"),
        ({"data": "é{{ request.query.a }}", "event": "{{ request.method }}"}, b"event: GET\ndata: \xc3\xa97\n\n"),
        ({"data": "{{ request.query.a }}", "id": "{{ request.query.a }}-1"}, b"id: 7-1\ndata: 7\n\n"),
        ({"data": "x", "retryMs": 0}, b"retry: 0\ndata: x\n\n"),
    ],
)
def test_an_event_is_sent_like_this(event: dict[str, Any], sent: bytes) -> None:
    assert stream({"events": [event]}, "/?a=7").events[0].data == sent


def test_the_head_is_that_of_a_stream() -> None:
    head = stream({"events": [{"data": "x"}]}).head
    assert head.head == b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
    assert head.raw_headers == ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache"))


def test_headers_replace_those_that_it_has_by_itself() -> None:
    headers = [{"name": "Cache-Control", "value": "no-store"}, {"name": "x-a", "value": "1"}]
    head = stream({"events": [{"data": "x"}], "headers": headers}).head
    assert head.raw_headers == (
        (b"content-type", b"text/event-stream"),
        (b"Cache-Control", b"no-store"),
        (b"x-a", b"1"),
    )


def test_an_event_waits_as_long_as_it_says_or_as_the_stream_says() -> None:
    found = stream({"events": [{"data": "a"}, {"data": "b", "delayMs": 0}, {"data": "c", "delayMs": 7}], "delayMs": 5})
    assert [event.delay_ms for event in found.events] == [5, 0, 7]


def test_rounds_and_heartbeats_are_as_they_are_said() -> None:
    found = stream({"events": [{"data": "a"}]})
    assert (found.rounds, found.round_delay_ms, found.heartbeat_ms) == (1, 0, 0)
    found = stream({"events": [{"data": "a"}], "rounds": 0, "roundDelayMs": 10, "heartbeatMs": 15000})
    assert (found.rounds, found.round_delay_ms, found.heartbeat_ms) == (0, 10, 15000)


def test_all_events_are_made_before_the_first_is_sent() -> None:
    answer = planned({"events": {"events": [{"data": "a"}, {"data": "{{ nope }}"}]}}).answer
    assert answer == Failed("template_failed", "nope is undefined (line 1)")


@pytest.mark.parametrize("name", ["event", "id"])
def test_a_line_end_where_none_may_be_fails(name: str) -> None:
    given = scene("/?a=x%0ay")
    answer = planned({"events": {"events": [{"data": "a", name: "{{ request.query.a }}"}]}}, given).answer
    assert isinstance(answer, Failed)
    assert "would have a line end in it" in answer.message


def test_events_together_are_bounded() -> None:
    events = [{"data": "{{ 'x' * 10000 }}"}] * 200
    answer = planned({"events": {"events": events}}).answer
    assert answer == Failed("template_failed", "the output grows beyond 1 MiB")
