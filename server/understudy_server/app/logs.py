"""Logs: what went through the proxy, asked for by session."""

import base64
import json
from collections.abc import Sequence

from google.api.httpbody_pb2 import HttpBody
from understudy.v1.log_service_pb2 import (
    SIDE_REQUEST,
    DeleteLogsRequest,
    DeleteLogsResponse,
    GetLogBodyRequest,
    GetLogBodyResponse,
    GetLogRequest,
    GetLogResponse,
    ListLogsRequest,
    ListLogsResponse,
)

from understudy_server.app.call import Call
from understudy_server.app.log_entries import entry, lost_between, stand_in
from understudy_server.app.ports import ProjectRecord, Transaction
from understudy_server.app.record_reading import carrying, live_record
from understudy_server.app.sessions import session_key
from understudy_server.app.slices import Slices
from understudy_server.app.verifications import existing_stream
from understudy_server.core.errors import Fault, Forbidden, InvalidInput, NotFound
from understudy_server.core.exchange import Captured, Exchange
from understudy_server.core.record import Stream

BODY_BYTES_MAX = 262_144


async def list_logs(call: Call, request: ListLogsRequest) -> ListLogsResponse:
    """List the exchanges of a session. Raises NotFound when neither a session nor an exchange has that key."""
    key = session_key(request.session_key)
    if request.before and request.since:
        raise InvalidInput("before and since exclude each other", Fault("since", "exclusive", "before"))
    rows = [each async for each in carrying(call, key, request.limit + 1, before=request.before, since=request.since)]
    if not rows and not await _is_known(call, key):
        raise NotFound(
            f"neither a session nor a log has the key {key!r} in {call.place.project}/{call.place.environment}"
        )
    page = rows[: request.limit]
    lost = await _lost_before(call, request, rows)
    response = ListLogsResponse(logs=[entry(exchange, lost[exchange.id]) for exchange in page])
    if len(rows) > len(page) and not request.since:
        response.next_cursor = page[-1].id
    return response


async def get_log(call: Call, request: GetLogRequest) -> GetLogResponse:
    """Read one exchange with headers and bodies. What was lost before it is not told. Raises NotFound and Forbidden."""
    exchange = await _reachable(call, request)
    return GetLogResponse(log=entry(exchange, with_details=True))


async def get_log_body(call: Call, request: GetLogBodyRequest) -> GetLogBodyResponse:
    """Read one captured body as JSON. Raises NotFound and Forbidden (scope_mismatch)."""
    exchange = await _reachable(call, request)
    body = exchange.request_body if request.side == SIDE_REQUEST else exchange.response_body
    if body is None:
        side = "request" if request.side == SIDE_REQUEST else "response"
        raise NotFound(f"the {side} of log {exchange.id!r} had no body")
    content, truncated = (stand_in(body), False) if body.sha256 else _as_json(body)
    return GetLogBodyResponse(
        body=HttpBody(content_type="application/json", data=content),
        truncated=truncated,
        size_bytes=body.size_bytes,
        withheld=bool(body.sha256),
    )


async def delete_logs(call: Call, request: DeleteLogsRequest) -> DeleteLogsResponse:
    """Remove what is on record of a session, of none, or of all. Raises NotFound (there is and was no such session)."""
    journal, slices = call.world.journal, Slices()
    for stream in await _doomed(call, request):
        await journal.purge(stream)
        await slices.pause()
    return DeleteLogsResponse()


async def _doomed(call: Call, request: DeleteLogsRequest) -> Sequence[Stream]:
    journal, environment_id = call.world.journal, call.place.environment_id
    if request.everything:
        return await journal.streams(environment_id, None)
    stream = await existing_stream(call, request.session_key)
    if not stream.session_id:
        return [stream]
    return await journal.streams(environment_id, stream.session_key)


async def _lost_before(call: Call, request: ListLogsRequest, rows: Sequence[Exchange]) -> dict[str, int]:
    """How many rows were lost directly before each, as far as the row before it is at hand; by id."""
    oldest_first = list(rows if request.since else reversed(rows))
    if request.since and rows:
        before = await call.world.journal.exchange(request.since)
        if before is not None:
            oldest_first.insert(0, before)
    lost = dict(zip([each.id for each in oldest_first], lost_between(oldest_first), strict=True))
    if not request.since and 0 < len(rows) <= request.limit:
        # There is no older one on record.
        oldest = rows[-1]
        purged = (await call.world.journal.standing(oldest.stream)).purged
        lost[oldest.id] = max(0, oldest.number - 1 - purged) if oldest.session_id else 0
    return lost


async def _is_known(call: Call, key: str) -> bool:
    if await live_record(call, key, call.now_ms) is not None:
        return True
    return await call.world.journal.knows(call.place.environment_id, key)


async def _reachable(call: Call, request: GetLogRequest | GetLogBodyRequest) -> Exchange:
    """The exchange that is asked for. Raises NotFound and Forbidden (scope_mismatch)."""
    exchange = await call.world.journal.exchange(request.log_id)
    if exchange is None:
        raise NotFound(f"there is no log {request.log_id[:100]!r}")
    await _check_reach(call, request, exchange)
    return exchange


async def _check_reach(call: Call, request: GetLogRequest | GetLogBodyRequest, exchange: Exchange) -> None:
    """A key sees the logs of its own project and environment; a project that is named must be the log's."""
    caller = call.caller
    if caller.project_id and caller.project_id != exchange.project_id:
        raise Forbidden("scope_mismatch", "the key is for another project than the log's")
    if caller.environment_id and caller.environment_id != exchange.environment_id:
        raise Forbidden("scope_mismatch", "the key is for another environment than the log's")
    if request.project:

        async def named(tx: Transaction) -> ProjectRecord | None:
            return await tx.project(request.project)

        project = await call.world.store.read(named)
        if project is None or project.id != exchange.project_id:
            if caller.project_id:
                raise Forbidden("scope_mismatch", "the key is for another project")
            raise NotFound(f"there is no log {exchange.id!r} in project {request.project!r}")


def _as_json(body: Captured) -> tuple[bytes, bool]:
    """A body as JSON, at most BODY_BYTES_MAX bytes of it, and whether that is only its beginning.

    Only JSON that was cut is no JSON any more: other text and bytes are whole JSON strings, however much they hold.
    """
    kept = body.content[:BODY_BYTES_MAX]
    truncated = body.truncated or len(body.content) > len(kept)
    text = _text(kept, truncated=truncated)
    if text is None:
        return json.dumps(base64.b64encode(kept).decode()).encode(), truncated
    if _looks_like_json(text) if truncated else _is_json(text):
        return text.encode(), truncated
    return json.dumps(text, ensure_ascii=False).encode(), truncated


def _text(content: bytes, *, truncated: bool) -> str | None:
    """Content as text, without the character that the end may have cut through; ``None`` when it is not UTF-8."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        if truncated and error.reason == "unexpected end of data":
            return content[: error.start].decode("utf-8")
        return None


def _is_json(text: str) -> bool:
    """True for JSON in the strict sense. Numbers are only looked at: they may be longer than Python reads."""
    try:
        json.loads(text, parse_int=len, parse_float=len, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _looks_like_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[", '"')
