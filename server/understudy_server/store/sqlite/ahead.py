"""Showing followers what changed before it is committed, where taking it in takes long."""

import logging
import sqlite3
from collections.abc import Callable, Iterable

from understudy_server.live.source import Follower
from understudy_server.store.sqlite.changes import load_since

_log = logging.getLogger(__name__)


def look_ahead(connection: sqlite3.Connection, followers: Iterable[Follower]) -> list[Callable[[], None]]:
    """Let followers look at all that changed since what they have; returns what to call once it is committed.

    Call inside the transaction. A follower that fails is left out: it will load by itself. Raises sqlite3.Error when
    the transaction is over by that.
    """
    ready = []
    for follower in followers:
        since = follower.version
        if not since:
            # Who has never asked may never do so, and everything there is would be loaded at every change.
            continue
        try:
            ready.append(follower.look_ahead(since, load_since(connection, since)))
        except Exception:
            if not connection.in_transaction:
                raise
            _log.exception("a change could not be prepared; it is loaded by the first request that needs it")
    return ready
