"""The process around the use cases, as far as the server's status tells of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from understudy.v1.server_service_pb2 import JournalStatus, Listener, StoreStatus


@dataclass(frozen=True, slots=True)
class Watched:
    """A manifest that the process follows in a file.

    ``problem`` is why the file as it is now is not in force, a line for each problem; empty when it was applied.
    ``digest`` is that of the manifest that was applied last, and ``resources`` how much the source declared after that,
    by which it is known whether it is in force still.
    ``declares`` is false when the file says nothing any more of what there is to be: then it is no trap to release the
    source, which a start with the file would otherwise declare again.
    """

    source: str
    problem: str = ""
    digest: str = ""
    resources: int = 0
    declares: bool = True


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What a process knows of itself now. A problem is what is wrong and what to do, empty where all is well.

    ``started_at_ms`` is 0 where no server runs: a command opened the data itself, and nothing listens.
    """

    version: str = ""
    started_at_ms: int = 0
    listeners: Sequence[Listener] = ()
    store: StoreStatus = field(default_factory=StoreStatus)
    store_problem: str = ""
    journal: JournalStatus = field(default_factory=JournalStatus)
    journal_problem: str = ""
    presence_problem: str = ""
    watched: Watched | None = None


Host = Callable[[], HostFacts]
"""Looks at the process. It neither fails nor waits."""
