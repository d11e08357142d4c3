"""What has to be done beside the event loop before an evaluation can be: it is raised, done, and then asked again."""

from typing import TypeVar

from understudy_server.app.ports import Store, Work

T = TypeVar("T")


class NotYet(Exception):
    """There is something to be done first that takes too long for the event loop: do it, and ask again."""

    async def work(self) -> None:
        """Do it beside the event loop."""
        raise NotImplementedError


async def read_when_ready(store: Store, work: Work[T]) -> T:
    """Run work that only reads, and again after whatever has to be done first."""
    while True:
        try:
            return await store.read(work)
        except NotYet as first:
            await first.work()
