"""Measure, in alternating rounds, and write ``benchmarks/RESULTS.md``.

``make bench ROW=name`` measures one row and writes nothing; so does a run that ``ROUNDS`` or ``ROUND_SECONDS`` shorten.
A row that could not be measured is named with the reason. Ends with 1 when there is one, or when a target is missed
that must hold.
"""

import os
import shutil
import sys
from collections.abc import Sequence

from benchmarks.apply_rows import apply
from benchmarks.body_rows import bodies
from benchmarks.connection_rows import connections
from benchmarks.control_rows import grpc_get_session, rest_get_session
from benchmarks.delay_rows import delays
from benchmarks.event_rows import events
from benchmarks.footprint_rows import footprint
from benchmarks.growth_rows import mocks, sessions
from benchmarks.journal_rows import await_calls, listing
from benchmarks.latency_rows import one_connection
from benchmarks.match_rows import match
from benchmarks.method import LOAD_CORE, Length, Rejected
from benchmarks.nginx import TOOLS_PATH
from benchmarks.page import PAGE, page
from benchmarks.peer_rows import peers
from benchmarks.processes import allow_descriptors
from benchmarks.proxy_rows import forward, static, static_durable, static_headers, template
from benchmarks.row import Measure, Row
from benchmarks.session_rows import put_session, session_ready
from benchmarks.start_rows import start
from benchmarks.stream_rows import streams
from benchmarks.wheel_rows import wheels

ROWS: dict[str, Measure] = {
    "rest-get": rest_get_session,
    "grpc-get": grpc_get_session,
    "put-session": put_session,
    "session-ready": session_ready,
    "static": static,
    "static-headers": static_headers,
    "static-durable": static_durable,
    "template": template,
    "forward": forward,
    "one-connection": one_connection,
    "sessions": sessions,
    "mocks": mocks,
    "connections": connections,
    "bodies": bodies,
    "events": events,
    "streams": streams,
    "delays": delays,
    "apply": apply,
    "match": match,
    "await-calls": await_calls,
    "listing": listing,
    "start": start,
    "footprint": footprint,
    "wheels": wheels,
    "peers": peers,
}


def main() -> None:
    wanted, length = os.environ.get("ROW"), Length.wanted()
    _check(wanted)
    os.sched_setaffinity(0, {LOAD_CORE})
    allow_descriptors()
    rows = _measured([wanted] if wanted else list(ROWS), length)
    text = page(rows, length)
    print(text)
    if not wanted and length.is_whole:
        PAGE.write_text(text, encoding="utf-8")
    sys.exit(any(row.failed for row in rows))


def _check(wanted: str | None) -> None:
    missing = [tool for tool in ("wrk", "nginx", "taskset") if shutil.which(tool, path=TOOLS_PATH) is None]
    if missing:
        sys.exit(f"bench: missing here: {', '.join(missing)}. `make bench` installs them, or says how.")
    if LOAD_CORE not in os.sched_getaffinity(0):
        sys.exit("bench: two cores are needed, one for the server and one for the load")
    if wanted and wanted not in ROWS:
        sys.exit(f"bench: there is no row {wanted!r}; there are {', '.join(ROWS)}")


def _measured(names: Sequence[str], length: Length) -> list[Row]:
    """All rows of these names."""
    rows: list[Row] = []
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            rows += ROWS[name](length)
        except Rejected as error:
            print(f"bench: {name} does not count: {error}", file=sys.stderr, flush=True)
            rows.append(Row(f"make bench ROW={name}", None, None, str(error), counts=False))
    return rows


if __name__ == "__main__":
    main()
