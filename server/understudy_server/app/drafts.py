"""Drafts, to tell that one of them would match: a mock is easily made, and its publishing forgotten."""

from collections.abc import Sequence
from typing import Final

from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT, Mock

from understudy_server.app.call import Call
from understudy_server.app.mocks import drafts_seen_by
from understudy_server.app.ports import MockQuery, Transaction

DRAFTS_MAX: Final = 200
"""Of so many it is told whether they match: the first in the order of their ids."""


async def visible_drafts(call: Call) -> Sequence[Mock]:
    """The drafts of an environment that the caller may see. Raises StorageFailure."""

    async def drafts(tx: Transaction) -> Sequence[Mock]:
        query = MockQuery(state=MOCK_STATE_DRAFT, drafts_of=drafts_seen_by(call.caller))
        return await tx.mocks(call.place.environment_id, query, "", DRAFTS_MAX)

    return await call.world.store.read(drafts)
