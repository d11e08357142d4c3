"""The data directory that a release leaves behind, kept in ``tests/data/releases``: every later one must load it.

Run this module to write the directory of the present release, once, when it is released::

    PYTHONPATH=tests .venv/bin/python -m support.release_files

What it holds never changes: what a later release adds to the schema belongs into a directory of that release.
"""

import asyncio
import shutil
from importlib.metadata import version
from pathlib import Path

from support import records
from support.records import ENVIRONMENT
from understudy.v1.actions_pb2 import Action, Delay, Header, Respond
from understudy.v1.matching_pb2 import Criterion
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT
from understudy_server.app.ports import SessionRecord, Transaction
from understudy_server.app.times import stamp
from understudy_server.journal.sqlite import SqliteJournal
from understudy_server.store.sqlite import SqlitePresence, SqliteStore

RELEASES = Path(__file__).parents[1] / "data" / "releases"
LAST_SEEN = {"ses_1": 1_700_000_000_123}
EXCHANGES = [records.exchange(1), records.exchange(2, body=bytes(range(256))), records.exchange(3, "other")]


async def fill(store: SqliteStore, presence: SqlitePresence, journal: SqliteJournal) -> None:
    """Put one of everything, by several units of work."""
    await store.write(_fill_organisation)
    await store.write(_fill_environment)
    await store.write(lambda tx: tx.put_session(_session()))
    await store.write(lambda tx: tx.put_session(records.session("ses_2", "gone")))
    await store.write(lambda tx: tx.remove_session("ses_2"))
    for session_id, moment in LAST_SEEN.items():
        presence.touch(session_id, moment)
    for exchange in EXCHANGES:
        journal.record(exchange)


async def _fill_organisation(tx: Transaction) -> None:
    await tx.set_plan(3)
    await tx.put_project(records.project())
    await tx.put_environment(records.environment())
    await tx.put_environment(records.environment("env_empty", "empty"))
    await tx.put_key(records.key("key_1", expires_at_ms=1_800_000_000_000))
    bound = records.key("key_2", project_id=records.PROJECT, environment_id=ENVIRONMENT)
    bound.message.revoked_at.CopyFrom(stamp(1_700_000_000_001))
    await tx.put_key(bound)


async def _fill_environment(tx: Transaction) -> None:
    library = records.mock("ovr_declined", name="Zahlung abgelehnt (Größe XL)")
    library.matcher.query["currency"].CopyFrom(Criterion(equals="EUR"))
    library.matcher.body.CopyFrom(Criterion(json_subset='{"amount": 12345678901234567890}'))
    respond = Respond(status=402, headers=[Header(name="X-Reason", value="card")], json='{"error": "card_declined"}')
    library.action.CopyFrom(Action(respond=respond, delay=Delay(fixed_ms=20)))
    await tx.put_mock(ENVIRONMENT, library)
    await tx.put_mock(ENVIRONMENT, records.mock("ovr_draft", state=MOCK_STATE_DRAFT))
    await tx.set_active(ENVIRONMENT, "ovr_declined", active=True)
    await tx.put_scenario(ENVIRONMENT, records.scenario("scn_declined", ["ovr_declined"], name="Abgelehnt"))
    await tx.put_mock(ENVIRONMENT, records.mock("ovr_local", scenario="scn_declined"))


def _session() -> SessionRecord:
    record = records.session(
        "ses_1",
        "ci-42",
        overrides=["ovr_declined"],
        scenario_id="scn_declined",
        delay_ms=250,
        expires_at_ms=1_800_000_000_000,
    )
    record.message.label = "nightly 🎭"
    return record


async def write(folder: Path) -> None:
    """Write a data directory by the present release."""
    store, presence, journal = (
        await SqliteStore.open(folder),
        await SqlitePresence.open(folder),
        await SqliteJournal.open(folder),
    )
    await fill(store, presence, journal)
    for each in (journal, presence, store):
        await each.close()
    (folder / "lock").unlink()


if __name__ == "__main__":
    target = RELEASES / version("understudy-server")
    shutil.rmtree(target, ignore_errors=True)
    asyncio.run(write(target))
    print(f"wrote {target}")
