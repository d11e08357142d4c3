"""What is asked of ``journal.db``, each answered from one snapshot."""

import sqlite3
from collections.abc import Sequence
from operator import itemgetter
from typing import Final

from understudy_server.core.exchange import Exchange
from understudy_server.core.ids import LENGTH as ID_LENGTH
from understudy_server.core.ids import decode
from understudy_server.core.record import Stream
from understudy_server.journal import accounts
from understudy_server.journal.places import base_of, end_of
from understudy_server.journal.segments import read as read_segment

_LATEST: Final = (
    "SELECT session_id FROM stream WHERE environment_id = ? AND session_key = ? AND session_id <> ''"
    " AND last_number > 0 AND (kept > 0 OR losses <> '') ORDER BY last_ms DESC, id DESC LIMIT 1"
)
# Whatever is on record of them beside exchanges counts, too.
_NOT_EMPTY: Final = "(kept > 0 OR losses <> '' OR id IN (SELECT stream FROM verification))"
_STREAMS: Final = f"SELECT session_key, session_id FROM stream WHERE environment_id = ? AND {_NOT_EMPTY} ORDER BY id"
_STREAMS_OF_KEY: Final = (
    "SELECT session_key, session_id FROM stream WHERE environment_id = ? AND session_key = ? AND session_id <> ''"
    f" AND {_NOT_EMPTY} ORDER BY id"
)
# Streams of sessions that had a key, with when their oldest and their newest on record ended.
_OF_KEY: Final = (
    "SELECT id, gone, first_ms, last_ms FROM stream WHERE environment_id = ? AND session_key = ? AND session_id <> ''"
    " AND kept > 0 AND {} ORDER BY {} {}"
)
# Without a session, segments are found by their key; of a session all have none.
_ONWARDS: Final = "SELECT place, content FROM segment WHERE place BETWEEN ?1 AND ?2 ORDER BY place"
_BACKWARDS: Final = f"{_ONWARDS} DESC"
_ONWARDS_OF_KEY: Final = (
    "SELECT place, content FROM segment WHERE place >> 38 = ?3 AND key = ?4 AND place BETWEEN ?1 AND ?2 ORDER BY place"
)
_BACKWARDS_OF_KEY: Final = f"{_ONWARDS_OF_KEY} DESC"
# Exchanges that were written together are one batch, named by the first of them; ids go up from batch to batch.
_BY_ID: Final = (
    "SELECT place, content, gone FROM segment JOIN stream ON stream.id = place >> 38"
    " WHERE batch = (SELECT max(batch) FROM segment WHERE batch <= ?1) AND last_id >= ?1"
    " AND instr(ids, ?1)"
)
_LAST_ID: Final = "SELECT coalesce(max(last_id), '') FROM segment WHERE batch = (SELECT max(batch) FROM segment)"
# Ids are made when exchanges end, by a clock that may be set back a little.
_CLOCK_MS: Final = 60_000
_NEVER_MS: Final = 1 << 60
_id: Final = itemgetter(0)


def page(
    file: sqlite3.Connection, environment_id: str, session_key: str, *, before: str, since: str, limit: int
) -> Sequence[Exchange]:
    """Exchanges of a key, newest first; with ``since``, newer ones, oldest first."""
    found = _without_session(file, environment_id, session_key, before=before, since=since, limit=limit)
    # A key may have been that of many sessions, one after the other: those are read that can be on the page.
    if since:
        bounded = _OF_KEY.format("last_ms >= ?", "first_ms", "ASC")
    else:
        bounded = _OF_KEY.format("first_ms <= ?", "last_ms", "DESC")
    edge_ms = _made_ms(since) - _CLOCK_MS if since else _made_ms(before, _NEVER_MS) + _CLOCK_MS
    streams = file.execute(bounded, (environment_id, session_key, edge_ms)).fetchall()
    for stream_id, gone, first_ms, last_ms in streams:
        if len(found) >= limit:
            edge_ms = found[limit - 1].started_at_ms + found[limit - 1].duration_ms
            if (first_ms > edge_ms + _CLOCK_MS) if since else (last_ms < edge_ms - _CLOCK_MS):
                break
        some = _some(file, stream_id, gone, None, before=before, since=since, limit=limit)
        found = sorted([*found, *some], key=_id, reverse=not since)[:limit]
    return found


def _made_ms(exchange_id: str, otherwise: int = 0) -> int:
    """When an id was made; what need not be the id of anything says nothing of it."""
    try:
        return decode(exchange_id)[0] if len(exchange_id) >= ID_LENGTH else otherwise
    except ValueError:
        return otherwise


def _without_session(
    file: sqlite3.Connection, environment_id: str, session_key: str, *, before: str, since: str, limit: int
) -> list[Exchange]:
    account = accounts.find(file, Stream(environment_id))
    if account is None:
        return []
    return _some(file, account.id, account.gone, session_key, before=before, since=since, limit=limit)


def _some(
    file: sqlite3.Connection, stream_id: int, gone: int, key: str | None, *, before: str, since: str, limit: int
) -> list[Exchange]:
    """Exchanges of a stream, and of a key if given: before an id or since one, nearest first."""
    low, high = base_of(stream_id), end_of(stream_id)
    if since:
        low = _place(file, stream_id, f"{since}\0")
    elif before:
        high = _place(file, stream_id, before)
    if key is None:
        segments = file.execute(_ONWARDS if since else _BACKWARDS, (low, high))
    else:
        segments = file.execute(_ONWARDS_OF_KEY if since else _BACKWARDS_OF_KEY, (low, high, stream_id, key))
    found: list[Exchange] = []
    for place, content in segments:
        own = [each for each in read_segment(place, content) if each.number > gone]
        if since:
            found += [each for each in own if each.id > since]
        else:
            found += [each for each in reversed(own) if not before or each.id < before]
        if len(found) >= limit:
            break
    return found[:limit]


def _place(file: sqlite3.Connection, stream_id: int, exchange_id: str) -> int:
    """The place in a stream of the first segment that ends with this id or a greater one, behind the last when there
    is none.

    Ids go up with the numbers, so it is found by halving.
    """
    low, high = base_of(stream_id) + 1, end_of(stream_id)
    found = file.execute("SELECT max(place) FROM segment WHERE place BETWEEN ? AND ?", (low, high)).fetchone()
    high = (found[0] or base_of(stream_id)) + 1
    while low < high:
        middle = (low + high) // 2
        place, last_id = file.execute(
            "SELECT place, last_id FROM segment WHERE place >= ? ORDER BY place LIMIT 1", (middle,)
        ).fetchone()
        if last_id < exchange_id:
            low = place + 1
        else:
            high = middle
    found = file.execute("SELECT min(place) FROM segment WHERE place BETWEEN ? AND ?", (low, end_of(stream_id)))
    return int(found.fetchone()[0] or end_of(stream_id))


def exchange(file: sqlite3.Connection, exchange_id: str) -> Exchange | None:
    """One exchange by its id."""
    for place, content, gone in file.execute(_BY_ID, (exchange_id,)):
        for each in read_segment(place, content):
            if each.id == exchange_id and each.number > gone:
                return each
    return None


def knows(file: sqlite3.Connection, environment_id: str, session_key: str) -> bool:
    """True when there is any exchange with that key."""
    of_sessions = (
        "SELECT 1 FROM stream WHERE environment_id = ? AND session_key = ? AND session_id <> '' AND kept > 0 LIMIT 1"
    )
    if file.execute(of_sessions, (environment_id, session_key)).fetchone():
        return True
    account = accounts.find(file, Stream(environment_id))
    query = "SELECT 1 FROM segment WHERE place >> 38 = ? AND key = ? LIMIT 1"
    return account is not None and file.execute(query, (account.id, session_key)).fetchone() is not None


def last_id(file: sqlite3.Connection) -> str:
    """The greatest id of all exchanges, empty when there is none."""
    return str(file.execute(_LAST_ID).fetchone()[0])


def latest_stream(file: sqlite3.Connection, environment_id: str, session_key: str) -> Stream | None:
    """The incarnation of a session that recorded last under a key, unless all of it was purged."""
    found = file.execute(_LATEST, (environment_id, session_key)).fetchone()
    return Stream(environment_id, session_key, found[0]) if found else None


def streams(file: sqlite3.Connection, environment_id: str, session_key: str | None) -> Sequence[Stream]:
    """The streams of an environment of which anything is on record, or those of the sessions that had a key."""
    if session_key is None:
        found = file.execute(_STREAMS, (environment_id,))
    else:
        found = file.execute(_STREAMS_OF_KEY, (environment_id, session_key))
    return [Stream(environment_id, *each) for each in found]


def read(file: sqlite3.Connection, stream: Stream, after: int, limit: int) -> Sequence[Exchange]:
    """Exchanges of a stream with numbers behind ``after``, oldest first."""
    account = accounts.find(file, stream)
    if account is None:
        return ()
    after = max(after, account.gone)
    # The segment in which the next one lies may begin before it.
    found = file.execute(_BACKWARDS + " LIMIT 1", (base_of(account.id), base_of(account.id) + after + 1)).fetchone()
    begin = found[0] if found else base_of(account.id)
    exchanges: list[Exchange] = []
    for place, content in file.execute(_ONWARDS, (begin, end_of(account.id))):
        exchanges += [each for each in read_segment(place, content) if each.number > after]
        if len(exchanges) >= limit:
            break
    return exchanges[:limit]
