"""What the store suite is written in: opening, furnishing, changing."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from support import records
from support.records import ENVIRONMENT
from understudy.options.v1.options_pb2 import ROLE_CI, Role
from understudy.v1.key_service_pb2 import KeyScope
from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED, MockState
from understudy_server.app.ports import Store, Transaction
from understudy_server.live.source import Changes, Source


class FullStore(Store, Source, Protocol):
    """A store as the process that owns it sees it."""

    async def trim(self, versions_kept: int) -> None: ...

    async def close(self) -> None: ...


Opener = Callable[[Path], Awaitable[FullStore]]
Change = Callable[[Transaction], Awaitable[object]]


class Refused(Exception):
    """What a unit of work raises here."""


async def fail(_tx: Transaction) -> None:
    """A change that cannot be made."""
    raise Refused


async def change(store: Store, *changes: Change) -> None:
    """Make changes in one unit of work."""

    async def work(tx: Transaction) -> None:
        for each in changes:
            await each(tx)

    await store.write(work)


async def changes_of(store: FullStore, *changes: Change) -> Changes:
    """Make changes in one unit of work, and load what they changed."""
    before = await store.version()
    await change(store, *changes)
    return await store.load_since(before)


async def furnish(store: Store) -> None:
    """One project with one environment."""
    await change(
        store, lambda tx: tx.put_project(records.project()), lambda tx: tx.put_environment(records.environment())
    )


def put_mock(
    mock_id: str,
    *,
    name: str = "",
    scenario: str = "",
    state: MockState = MOCK_STATE_PUBLISHED,
    created_by: str = "key_1",
) -> Change:
    made = records.mock(mock_id, name=name, scenario=scenario, state=state, created_by=created_by)
    return lambda tx: tx.put_mock(ENVIRONMENT, made)


def activate(mock_id: str) -> Change:
    return lambda tx: tx.set_active(ENVIRONMENT, mock_id, active=True)


def put_scenario(scenario_id: str, *mocks: str, name: str = "", created_at_ms: int = 1_000) -> Change:
    made = records.scenario(scenario_id, mocks, name=name, created_at_ms=created_at_ms)
    return lambda tx: tx.put_scenario(ENVIRONMENT, made)


def put_session(
    key: str,
    *overrides: str,
    scenario_id: str | None = None,
    expires_at_ms: int | None = None,
    updated_at_ms: int = 1_000,
    label: str | None = None,
) -> Change:
    """Put the session ``ses_<key>``."""
    made = records.session(
        f"ses_{key}",
        key,
        overrides=overrides,
        scenario_id=scenario_id,
        expires_at_ms=expires_at_ms,
        updated_at_ms=updated_at_ms,
        label=label,
    )
    return lambda tx: tx.put_session(made)


def put_key(
    key_id: str,
    *,
    name: str = "",
    role: Role = ROLE_CI,
    scope: KeyScope | None = None,
    project_id: str = "",
    expires_at_ms: int | None = None,
    revoked_at_ms: int | None = None,
) -> Change:
    made = records.key(
        key_id,
        name=name,
        role=role,
        scope=scope,
        project_id=project_id,
        expires_at_ms=expires_at_ms,
        revoked_at_ms=revoked_at_ms,
    )
    return lambda tx: tx.put_key(made)
