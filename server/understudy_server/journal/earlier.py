"""Exchanges as they lay in ``journal.db`` before there were segments: each in a row of its own.

Headers were kept as they stood on the wire, one ``name: value`` a line, in bytes. The first release wrote JSON, as
text, so the type of what a column holds says how to read it.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final

from understudy_server.core.draws import Draw
from understudy_server.core.exchange import Captured, Exchange, RawHeaders
from understudy_server.core.record import ExchangeOutcome, Phases
from understudy_server.journal import segments
from understudy_server.journal.places import NUMBER_BITS, base_of, number_at
from understudy_server.journal.scales import ON_DISK, weigh

_Row = tuple[Any, ...]

# The order is that of `Exchange`.
_ROWS: Final = (
    "SELECT place, exchange.id, project_id, environment_id, coalesce(key, session_key), session_id, method, path,"
    " query, status, started_at_ms, duration_ms, mock_id, request_headers, response_headers, request_body,"
    " request_bytes, request_type, request_redacted, response_body, response_bytes, response_type, response_redacted,"
    " findings, draws, occurrence, outcome, layer, session_revision, queue_us, match_us, delay_us, connect_us,"
    " first_byte_us, total_us"
    " FROM exchange JOIN stream ON stream.id = place >> 38 WHERE exchange.id > ? ORDER BY exchange.id LIMIT ?"
)
_BATCH: Final = 4_000
_BATCH_BYTES: Final = 16 * 1024 * 1024
_COUNTED: Final = (
    "UPDATE stream SET bytes = coalesce((SELECT sum(bytes) FROM segment WHERE place >> 38 = stream.id), 0),"
    " gone = coalesce((SELECT min(place) & ((1 << 38) - 1) FROM segment WHERE place >> 38 = stream.id),"
    " last_number + 1) - 1"
)
_OUTCOMES: Final = {each.value: each for each in ExchangeOutcome}


def put_together(connection: sqlite3.Connection) -> None:
    """Write the rows of ``exchange`` as segments, as if all had been recorded now, one after the other."""
    after = ""
    while batch := _batch(connection, after):
        by_stream: dict[int, list[Exchange]] = {}
        for stream_id, each in batch:
            by_stream.setdefault(stream_id, []).append(each)
        made: list[segments.Row] = []
        for stream_id, exchanges in by_stream.items():
            for run in _runs(exchanges):
                sizes = weigh(run, ON_DISK)
                for begin, end in segments.cut(run, sizes):
                    place = base_of(stream_id) + run[begin].number
                    made += segments.rows(place, run[begin:end], sizes[begin:end], batch[0][1].id)
        segments.insert(connection, made)
        after = batch[-1][1].id
    connection.execute(_COUNTED)


def _batch(connection: sqlite3.Connection, after: str) -> list[tuple[int, Exchange]]:
    """The next ones, with the ids of their streams: some thousands, or as many as have a few MiB of bodies."""
    batch, size = list[tuple[int, Exchange]](), 0
    for row in connection.execute(_ROWS, (after, _BATCH)):
        batch.append(_exchange(row))
        size += sum(len(body.content) for body in batch[-1][1][14:16] if body is not None)
        if size > _BATCH_BYTES:
            break
    return batch


def _runs(exchanges: Sequence[Exchange]) -> Iterator[Sequence[Exchange]]:
    """Exchanges of a stream, in parts whose numbers follow each other."""
    begin = 0
    for index in range(1, len(exchanges) + 1):
        if index == len(exchanges) or exchanges[index].number != exchanges[index - 1].number + 1:
            yield exchanges[begin:index]
            begin = index


def _exchange(row: _Row) -> tuple[int, Exchange]:
    """Stream and exchange."""
    return row[0] >> NUMBER_BITS, Exchange._make(
        (
            *row[1:13],
            _headers(row[13]),
            _headers(row[14]),
            _captured(*row[15:19]),
            _captured(*row[19:23]),
            tuple(row[23].split()),
            _draws(row[24]),
            row[25],
            _OUTCOMES.get(row[26], ExchangeOutcome.UNKNOWN),
            row[27],
            row[28],
            Phases._make(row[29:35]),
            number_at(row[0]),
        )
    )


def _headers(kept: bytes | str) -> RawHeaders:
    if isinstance(kept, str):
        return tuple([(name.encode(), value.encode()) for name, value in json.loads(kept)])
    pairs = [line.partition(b": ") for line in kept.split(b"\r\n")] if kept else []
    return tuple([(name, value) for name, _, value in pairs])


def _draws(kept: str) -> tuple[Draw, ...]:
    return tuple([Draw(name, value) for name, value in json.loads(kept)]) if kept else ()


def _captured(content: bytes | None, size_bytes: int, content_type: str, redacted: str | None) -> Captured | None:
    # What was recorded before there was redaction says nothing of it.
    return None if content is None else Captured(content, size_bytes, content_type, redacted or "")
