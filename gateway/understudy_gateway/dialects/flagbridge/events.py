"""Changes of flags as server-sent events: ``connected``, then ``flag.updated`` for each, and comments in between."""

from typing import Any

from google.protobuf.message import Message
from understudy.v1.evaluation_service_pb2 import WatchFlagsRequest

from understudy_gateway import sse
from understudy_gateway.dialects.flagbridge.asking import Asked, environment_slug, project_slug
from understudy_gateway.dialects.flagbridge.refusals import of_status
from understudy_gateway.dialects.flagbridge.texts import written
from understudy_gateway.transcoding.responses import Headers
from understudy_gateway.wire import Receive, Send


async def serve(asked: Asked, receive: Receive, send: Send, headers: Headers) -> None:
    """Send events until nobody listens any more. Raises Refusal while nothing has been sent."""
    query = asked.query()
    project = project_slug(query.get("project", "")) or asked.caller.project
    request = WatchFlagsRequest(project=project, environment=environment_slug(project, asked.path[0]))
    stream = sse.EventStream(
        write=_event,
        # To the clients a stream that fails has ended: they come again.
        fail=lambda _refusal: b"",
        timing=sse.Timing(None, asked.settings.comment_seconds),
        headers=[(b"cache-control", b"no-cache"), *headers],
    )
    refused = await stream.serve(asked.server.items("EvaluationService.WatchFlags", request), receive, send)
    if refused is not None:
        raise of_status(refused)


def _event(message: Message) -> bytes:
    """The first message names no flag: from then on changes are told."""
    change: Any = message
    if not change.flag_key:
        return sse.event(written({"environment": change.environment}), b"connected")
    told = {"flag_key": change.flag_key, "environment": change.environment}
    return sse.event(written(told), b"flag.updated")
