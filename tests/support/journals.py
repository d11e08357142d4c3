"""What both journals are, for the tests that hold for either."""

from collections.abc import Mapping
from typing import Protocol

from support.timers import ManualTimers
from understudy_server.app.ports import Journal
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Lost
from understudy_server.journal.bells import Bells
from understudy_server.journal.losing import Losses
from understudy_server.journal.sweeper import Sweeper
from understudy_server.store.sqlite.timers import CallLater


class Keeper(Journal, Protocol):
    """A journal as the proxy, the use cases and the one who opens it see it together."""

    _bells: Bells
    _losses: Losses
    _sweeper: Sweeper

    @property
    def dropped(self) -> int: ...

    @property
    def recorded(self) -> int: ...

    @property
    def losses(self) -> Mapping[Lost, int]: ...

    def record(self, exchange: Exchange) -> None: ...

    def start_sweeping(self, later: CallLater = ...) -> None: ...

    async def last_id(self) -> str: ...

    async def close(self) -> None: ...


async def sweep(journal: Keeper, timers: ManualTimers) -> None:
    """Let the time come for what is old to go, and wait until it is gone."""
    timers.fire()
    assert journal._sweeper._sweeping
    await journal._sweeper._sweeping
