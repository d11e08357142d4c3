"""Exchanges put on record in a data directory that nobody holds, for commands to ask about."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from understudy_server.app.ports import Transaction
from understudy_server.cli.embedded import Rooms, open_rooms
from understudy_server.core.exchange import Captured, Exchange, RawHeaders
from understudy_server.core.record import ExchangeOutcome

KEY = "ci-42"


def call(
    method: str = "POST",
    path: str = "/api/pay",
    *,
    query: str = "",
    status: int = 402,
    body: bytes = b'{"amount":1180}',
    answer: bytes = b'{"error":"card_declined"}',
    headers: RawHeaders = (),
    kept: Captured | None = None,
) -> Exchange:
    """An exchange of the session; ``kept`` is its body where not all of it is on record."""
    return Exchange(
        id="",
        project_id="",
        environment_id="",
        session_key=KEY,
        session_id="",
        method=method,
        path=path,
        query=query,
        status=status,
        started_at_ms=1_700_000_000_000,
        duration_ms=3,
        mock_id="ovr_payDeclined",
        request_headers=((b"x-flowmock-session", KEY.encode()), *headers),
        response_headers=((b"content-type", b"application/json"),),
        request_body=kept or (Captured(body, len(body), "application/json") if body else None),
        response_body=Captured(answer, len(answer), "application/json") if answer else None,
        outcome=ExchangeOutcome.MOCKED,
    )


def record(data: Path, calls: Sequence[Exchange], *, in_session: bool = True) -> list[str]:
    """Put exchanges of the session on record, which must be there. Returns their ids.

    Without ``in_session`` they found none when they came.
    """
    return asyncio.run(_record(data, calls, in_session=in_session))


async def _record(data: Path, calls: Sequence[Exchange], *, in_session: bool) -> list[str]:
    async with open_rooms(data, "normal") as rooms:
        project, environment, session = await _place(rooms)
        session = session if in_session else ""
        made = [
            each._replace(id=rooms.new_id("log_"), project_id=project, environment_id=environment, session_id=session)
            for each in calls
        ]
        for each in made:
            rooms.journal.record(each)
    return [each.id for each in made]


async def _place(rooms: Rooms) -> tuple[str, str, str]:
    """Ids of project, environment and session."""

    async def find(tx: Transaction) -> tuple[str, str, str]:
        project = await tx.project("checkout")
        assert project is not None
        environment = await tx.environment(project.id, "staging")
        assert environment is not None
        session = await tx.session(environment.id, KEY)
        assert session is not None
        return project.id, environment.id, session.id

    return await rooms.store.read(find)
