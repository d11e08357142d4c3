"""Measure, in alternating rounds, and write ``benchmarks/RESULTS.md`` and what it is made of, ``results.json``.

``make bench ROW=name`` measures one row and leaves the others as they were. A run that ``ROUNDS`` or ``ROUND_SECONDS``
shorten writes nothing. What is measured is written down row by row. A row that misses a target is watched, so that a
profile stands beside it; one that could not be measured is named with the reason. Ends with 1 when there is one, or
when a target is missed that must hold.
"""

import os
import shutil
import sys
import traceback
from pathlib import Path

from benchmarks.apply_rows import apply
from benchmarks.assertive_rows import assertive
from benchmarks.body_rows import bodies
from benchmarks.connection_rows import connections
from benchmarks.control_rows import grpc_get_session, rest_get_session
from benchmarks.delay_rows import delays
from benchmarks.event_rows import events
from benchmarks.flag_door_rows import flag_doors
from benchmarks.flag_rows import flags
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
from benchmarks.proxy_rows import forward, static, static_durable, static_headers, static_masked, template
from benchmarks.results import FILE, Measured, Results, Run, load, save
from benchmarks.row import Measure, Row, one_line
from benchmarks.session_rows import put_session, session_ready
from benchmarks.start_rows import start
from benchmarks.stream_rows import streams
from benchmarks.watching import watched
from benchmarks.wheel_rows import wheels

ROWS: dict[str, Measure] = {
    "rest-get": rest_get_session,
    "grpc-get": grpc_get_session,
    "put-session": put_session,
    "session-ready": session_ready,
    "static": static,
    "static-headers": static_headers,
    "static-durable": static_durable,
    "static-masked": static_masked,
    "template": template,
    "forward": forward,
    "assertive": assertive,
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
    "flags": flags,
    "flag-doors": flag_doors,
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
    run = Run.now(length)
    found = Results()
    for name in [wanted] if wanted else list(ROWS):
        found[name] = Measured(run, tuple(measured(name, ROWS[name], length)))
        if length.is_whole:
            record({name: found[name]})
    print(page(found))
    sys.exit(any(row.failed for each in found.values() for row in each.rows))


def record(found: Results, file: Path = FILE, to: Path = PAGE) -> None:
    """Write down what was found, beside what is known of other rows. Rows that are no more are forgotten."""
    known = load([*ROWS], file) | found
    results = {name: known[name] for name in ROWS if name in known}
    save(results, file)
    to.write_text(page(results), encoding="utf-8")


def _check(wanted: str | None) -> None:
    missing = [tool for tool in ("wrk", "nginx", "taskset") if shutil.which(tool, path=TOOLS_PATH) is None]
    if missing:
        sys.exit(f"bench: missing here: {', '.join(missing)}. `make bench` installs them, or says how.")
    if LOAD_CORE not in os.sched_getaffinity(0):
        sys.exit("bench: two cores are needed, one for the server and one for the load")
    if wanted and wanted not in ROWS:
        sys.exit(f"bench: there is no row {wanted!r}; there are {', '.join(ROWS)}")


def measured(name: str, measure: Measure, length: Length) -> list[Row]:
    """The rows of a name, with profiles of those that missed. What goes wrong in them is a row, and ends nothing."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    try:
        return watched(measure, measure(length), length)
    except Rejected as error:
        print(f"bench: {name} does not count: {error}", file=sys.stderr, flush=True)
        reason = str(error)
    except Exception as error:  # noqa: BLE001 - whatever it was, the other rows take half an hour
        traceback.print_exc()
        reason = f"{type(error).__name__}: {error}"
    return [Row(f"make bench ROW={name}", None, None, one_line(reason), counts=False)]


if __name__ == "__main__":
    main()
