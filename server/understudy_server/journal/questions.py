"""What is asked of ``journal.db``, each answered from one snapshot."""

import sqlite3
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Stream
from understudy_server.journal import accounts, rows
from understudy_server.journal.places import base_of, end_of

_LATEST: Final = (
    "SELECT session_id FROM stream WHERE environment_id = ? AND session_key = ? AND session_id <> ''"
    " AND last_number > 0 AND (kept > 0 OR losses <> '') ORDER BY last_ms DESC, id DESC LIMIT 1"
)

# Streams of sessions that had a key, with when their oldest and their newest on record ended.
_OF_KEY: Final = (
    "SELECT id, first_ms, last_ms FROM stream WHERE environment_id = ? AND session_key = ? AND session_id <> ''"
    " AND kept > 0 ORDER BY {} {}"
)
# Ids are made when exchanges end, by a clock that may be set back a little.
_CLOCK_MS: Final = 60_000
_id: Final = itemgetter(0)


def page(
    file: sqlite3.Connection, environment_id: str, session_key: str, *, before: str, since: str, limit: int
) -> Sequence[Exchange]:
    """Exchanges of a key, newest first; with ``since``, newer ones, oldest first."""
    found = _without_session(file, environment_id, session_key, before=before, since=since, limit=limit)
    # A key may have been that of many sessions, one after the other: those are read that can be on the page.
    order, newest_first = ("last_ms", "DESC") if not since else ("first_ms", "ASC")
    streams = file.execute(_OF_KEY.format(order, newest_first), (environment_id, session_key)).fetchall()
    for stream_id, first_ms, last_ms in streams:
        if len(found) >= limit:
            edge_ms = found[limit - 1].started_at_ms + found[limit - 1].duration_ms
            if (first_ms > edge_ms + _CLOCK_MS) if since else (last_ms < edge_ms - _CLOCK_MS):
                break
        if since:
            bounds, way = (_place(file, stream_id, f"{since}\0"), end_of(stream_id)), "ASC"
        else:
            end = _place(file, stream_id, before) - 1 if before else end_of(stream_id)
            bounds, way = (base_of(stream_id), end), "DESC"
        query = f"SELECT {rows.COLUMNS} FROM {rows.TABLES} WHERE place BETWEEN ? AND ? ORDER BY place {way} LIMIT ?"
        found = sorted([*found, *_exchanges(file, query, *bounds, limit)], key=_id, reverse=not since)[:limit]
    return found


def _without_session(
    file: sqlite3.Connection, environment_id: str, session_key: str, *, before: str, since: str, limit: int
) -> list[Exchange]:
    account = accounts.find(file, Stream(environment_id))
    if account is None:
        return []
    bound, order = ("exchange.id > ?3", "ASC") if since else ("(?3 = '' OR exchange.id < ?3)", "DESC")
    query = (
        f"SELECT {rows.COLUMNS} FROM {rows.TABLES} WHERE place >> 38 = ?1 AND key = ?2 AND {bound} "
        f"ORDER BY exchange.id {order} LIMIT ?4"
    )
    return _exchanges(file, query, account.id, session_key, since or before, limit)


def _place(file: sqlite3.Connection, stream_id: int, exchange_id: str) -> int:
    """The place in a stream of the first exchange with this id or a greater one; behind the last when there is none.

    Ids go up with the numbers, so it is found by halving.
    """
    low, high = base_of(stream_id) + 1, end_of(stream_id)
    found = file.execute("SELECT max(place) FROM exchange WHERE place BETWEEN ? AND ?", (low, high)).fetchone()
    high = (found[0] or base_of(stream_id)) + 1
    while low < high:
        middle = (low + high) // 2
        place, there = file.execute(
            "SELECT place, id FROM exchange WHERE place >= ? ORDER BY place LIMIT 1", (middle,)
        ).fetchone()
        if there < exchange_id:
            low = place + 1
        else:
            high = middle
    return low


def exchange(file: sqlite3.Connection, exchange_id: str) -> Exchange | None:
    """One exchange by its id."""
    found = _exchanges(file, f"SELECT {rows.COLUMNS} FROM {rows.TABLES} WHERE exchange.id = ?", exchange_id)
    return found[0] if found else None


def knows(file: sqlite3.Connection, environment_id: str, session_key: str) -> bool:
    """True when there is any exchange with that key."""
    of_sessions = (
        "SELECT 1 FROM stream WHERE environment_id = ? AND session_key = ? AND session_id <> '' AND kept > 0 LIMIT 1"
    )
    if file.execute(of_sessions, (environment_id, session_key)).fetchone():
        return True
    account = accounts.find(file, Stream(environment_id))
    query = "SELECT 1 FROM exchange WHERE place >> 38 = ? AND key = ? LIMIT 1"
    return account is not None and file.execute(query, (account.id, session_key)).fetchone() is not None


def last_id(file: sqlite3.Connection) -> str:
    """The greatest id of all exchanges, empty when there is none."""
    return str(file.execute("SELECT coalesce(max(id), '') FROM exchange").fetchone()[0])


def latest_stream(file: sqlite3.Connection, environment_id: str, session_key: str) -> Stream | None:
    """The incarnation of a session that recorded last under a key, unless all of it was purged."""
    found = file.execute(_LATEST, (environment_id, session_key)).fetchone()
    return Stream(environment_id, session_key, found[0]) if found else None


def read(file: sqlite3.Connection, stream: Stream, after: int, limit: int) -> Sequence[Exchange]:
    """Exchanges of a stream with numbers behind ``after``, oldest first."""
    account = accounts.find(file, stream)
    if account is None:
        return ()
    query = f"SELECT {rows.COLUMNS} FROM {rows.TABLES} WHERE place > ? AND place <= ? ORDER BY place LIMIT ?"
    return _exchanges(file, query, base_of(account.id) + max(after, 0), end_of(account.id), limit)


def _exchanges(file: sqlite3.Connection, query: str, *arguments: Any) -> list[Exchange]:
    return [rows.exchange(row) for row in file.execute(query, arguments)]
