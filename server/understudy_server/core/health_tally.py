"""What came of a session's requests, sorted by what may be odd about them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from understudy_server.core.exchange import Exchange
from understudy_server.core.record import ExchangeOutcome

LOG_IDS_MAX: Final = 5

# Of what is sorted in itself: it says nothing more about these.
_ORDINARY: Final = frozenset(
    {
        ExchangeOutcome.MOCKED,
        ExchangeOutcome.FAULT_INJECTED,
        ExchangeOutcome.PREFLIGHT,
        ExchangeOutcome.CLIENT_GONE,
        ExchangeOutcome.UNKNOWN,
    }
)


class Asked(NamedTuple):
    """What requests have in common that are told of together. ``status`` is 0 where it does not matter."""

    outcome: ExchangeOutcome
    method: str
    path: str
    mock_id: str = ""
    status: int = 0


@dataclass(slots=True)
class Group:
    """Exchanges that have something in common: how many, the latest of them, and the ids of the last 5."""

    latest: Exchange | None = None
    count: int = 0
    newest: list[str] = field(default_factory=list)

    @property
    def log_ids(self) -> tuple[str, ...]:
        """Oldest first."""
        return tuple(self.newest[::-1])

    def add(self, exchange: Exchange) -> None:
        """Take in one that is older than all before."""
        self.count += 1
        if self.latest is None:
            self.latest = exchange
        if len(self.newest) < LOG_IDS_MAX:
            self.newest.append(exchange.id)

    def add_all(self, other: "Group") -> None:
        """Take in others, of any age."""
        self.count += other.count
        self.newest = sorted({*self.newest, *other.newest}, reverse=True)[:LOG_IDS_MAX]


@dataclass(slots=True)
class Tally:
    """Takes in the exchanges of a session, the newest first.

    ``session_id`` is that of the incarnation which is looked at, empty for a key that never had a session. ``odd`` are
    those that say something by what became of them, ``noted`` those with a finding, by its code; ``homeless`` came when
    there was no session, and is not sorted further; ``used`` are the mocks that have answered. ``carried`` is all.
    ``hides_requests``: so much was evaluated that what was requested before was not looked at.
    """

    session_id: str = ""
    outcomes: Counter[ExchangeOutcome] = field(default_factory=Counter)
    odd: dict[Asked, Group] = field(default_factory=dict)
    noted: dict[str, Group] = field(default_factory=dict)
    homeless: Group = field(default_factory=Group)
    used: set[str] = field(default_factory=set)
    carried: Group = field(default_factory=Group)
    hides_requests: bool = False

    @property
    def in_session(self) -> int:
        """How many came to the session."""
        return self.carried.count - self.homeless.count

    def add(self, exchange: Exchange) -> None:
        """Take one in; that of another incarnation is passed by."""
        if exchange.session_id not in ("", self.session_id):
            return
        self.outcomes[exchange.outcome] += 1
        if not exchange.is_call:
            return
        self.carried.add(exchange)
        for code in exchange.findings:
            self.noted.setdefault(code, Group()).add(exchange)
        if self.session_id and not exchange.session_id:
            self.homeless.add(exchange)
            return
        if exchange.mock_id:
            self.used.add(exchange.mock_id)
        asked = asked_of(exchange)
        if asked is not None:
            self.odd.setdefault(asked, Group()).add(exchange)


def asked_of(exchange: Exchange) -> Asked | None:
    """What it is told of together with; ``None`` where its outcome is nothing to tell of."""
    outcome, method, path = exchange.outcome, exchange.method, exchange.path
    match outcome:
        case ExchangeOutcome.MOCK_FAILED:
            return Asked(outcome, "", "", exchange.mock_id)
        case ExchangeOutcome.FORWARDED:
            # A mock that forwards has answered.
            return None if exchange.mock_id else Asked(outcome, method, path)
        case ExchangeOutcome.REFUSED:
            return Asked(outcome, method, path, status=exchange.status)
        case _:
            return None if outcome in _ORDINARY else Asked(outcome, method, path, exchange.mock_id)
