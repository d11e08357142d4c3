"""In which order streams make room: the one that was quiet for longest first."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from operator import attrgetter
from typing import Final

from understudy_server.journal.patience import Patience
from understudy_server.journal.shelves import Shelf

# So many are looked at in one go: that takes some 0.2 ms. They are more than are recorded to from one search to the
# next, so that each round comes to its end.
LOOKS_MAX: Final = 256
# As long as no more are passed over, each search begins with the one that was quiet for longest.
_FEW: Final = 32
_last_id: Final = attrgetter("last_id")


class Line:
    """Streams of which anything is kept, in the order in which they were recorded to last.

    A search for those that have ended goes on where the last one stopped, where very many go on: then one that ended
    behind its back is found in the next round.

    To keep the order costs something for each exchange. Where nobody may ever search, it is put off until the first
    search: ``later`` gives the streams then, in any order.
    """

    __slots__ = ("_ahead", "_later", "_passed", "_patience")

    def __init__(self, later: Callable[[], Iterable[Shelf]] | None = None) -> None:
        self._later = later
        # Those that a search has passed over in this round and that were quiet since, and behind them all others.
        self._ahead: OrderedDict[Shelf, None] = OrderedDict()
        self._passed: OrderedDict[Shelf, None] = OrderedDict()
        self._patience = Patience()

    def enter(self, shelf: Shelf) -> None:
        """Take a stream in, as the one that was recorded to last."""
        if self._later is None:
            self._ahead[shelf] = None

    def leave(self, shelf: Shelf) -> None:
        """Let a stream go that is in the line."""
        if self._later is None:
            del (self._passed if shelf in self._passed else self._ahead)[shelf]

    def touch(self, shelves: Sequence[Shelf]) -> None:
        """Put streams of the line at its end, one after the other."""
        if self._later is not None:
            return
        if self._passed:
            for shelf in shelves:
                if shelf in self._passed:
                    self._ahead[shelf] = self._passed.pop(shelf)
        # Nothing of Python's for each: this is done at the pace of requests.
        deque(map(self._ahead.move_to_end, shelves), maxlen=0)

    def search(self, recorded: int, is_live: Callable[[str, str], bool], is_enough: Callable[[Shelf], bool]) -> None:
        """Hand streams that have ended to ``is_enough``, which empties them, until it says so.

        ``recorded`` is how many exchanges came since the last search. Not each searches, and none searches long.
        """
        if not self._patience.may_search(recorded):
            return
        if self._later is not None:
            self._ahead, self._later = OrderedDict.fromkeys(sorted(self._later(), key=_last_id)), None
        looked_at = list(islice(self._ahead, LOOKS_MAX))
        for number, shelf in enumerate(looked_at):
            if not is_live(shelf.environment_id, shelf.stream[2]) and is_enough(shelf):
                if number > _FEW:
                    self._pass(looked_at[:number])
                return
        if self._passed or len(looked_at) == LOOKS_MAX:
            self._pass(looked_at)
            if self._ahead:
                return
            self._ahead, self._passed = self._passed, self._ahead
        self._patience.in_vain(len(self._ahead))

    def _pass(self, shelves: Sequence[Shelf]) -> None:
        for shelf in shelves:
            if shelf in self._ahead:
                self._passed[shelf] = self._ahead.pop(shelf)
