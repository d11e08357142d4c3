"""What both journals are, for the tests that hold for either."""

from typing import Protocol

from understudy_server.app.ports import Journal
from understudy_server.core.exchange import Exchange


class Keeper(Journal, Protocol):
    """A journal as the proxy, the use cases and the one who opens it see it together."""

    dropped: int

    def record(self, exchange: Exchange) -> None: ...

    async def last_id(self) -> str: ...

    async def close(self) -> None: ...
