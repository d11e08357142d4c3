"""What a journal may keep and lose, told plainly: all that was recorded, and hard facts that hold whenever one asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from support import records
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Lost, Quota, Standing, Stream

_KIB = 1024
ROOMY = Quota(1_000_000, 1 << 40, 1_000_000, 1 << 40, 1 << 40)


@dataclass
class PlainRules:
    """Rules as a test sets them. Every session goes on until it is among those that ended."""

    own: Quota = ROOMY
    ended: set[str] = field(default_factory=set)

    def quota(self, _environment_id: str) -> Quota:
        return self.own

    def is_live(self, _environment_id: str, session_id: str) -> bool:
        return session_id not in self.ended


def exchange(number: int, session_id: str, of: str = "env_1", *, bytes_: int = 0) -> Exchange:
    """The exchange of that number for a session whose key is ``ci-`` and its id, or for no session."""
    made = records.exchange(number, f"ci-{session_id}", of=of, body=b"x" * bytes_)
    return made._replace(session_id=session_id, started_at_ms=1_000 * number)


@dataclass
class Told:
    """What a journal said of one stream."""

    standing: Standing
    there: Sequence[Exchange]


@dataclass
class Model:
    """Everything that was recorded, by stream, and what was purged of it."""

    recorded: dict[Stream, list[Exchange]] = field(default_factory=dict)
    purged: dict[Stream, int] = field(default_factory=dict)
    forgiven: dict[Lost, int] = field(default_factory=dict)
    """What was lost of streams that were purged later: they do not tell of it any more."""

    def record(self, each: Exchange) -> None:
        """Take note of an exchange."""
        self.recorded.setdefault(each.stream, []).append(each)

    def purge(self, stream: Stream, losses: Mapping[Lost, int]) -> None:
        """Take note that a stream was purged, which had lost so many."""
        self.purged[stream] = len(self.recorded.get(stream, ()))
        for reason, count in losses.items():
            self.forgiven[reason] = self.forgiven.get(reason, 0) + count

    def check(self, told: Mapping[Stream, Told], quota: Quota, losses: Mapping[Lost, int]) -> None:
        """Compare with what a journal tells of all streams, and of its losses in all."""
        by_environment: dict[str, list[Exchange]] = {}
        for stream, taken in self.recorded.items():
            standing, there = told[stream].standing, told[stream].there
            assert standing.last_number == len(taken), "no number is left out, and none given twice"
            # Only the oldest ever go.
            kept = len(there)
            assert there == records.numbered(taken, 1)[len(taken) - kept :]
            gone = len(taken) - kept - self.purged.get(stream, 0)
            assert standing.kept == kept
            assert standing.purged == self.purged.get(stream, 0)
            assert sum(standing.losses.values()) == gone, "what is missing is what was lost"
            assert kept <= quota.session_entries
            assert _bytes(there) <= quota.session_bytes
            by_environment.setdefault(stream.environment_id, []).extend(there)
        for together in by_environment.values():
            assert len(together) <= quota.entries
            assert _bytes(together) <= quota.bytes
        summed = dict(self.forgiven)
        for each in told.values():
            for reason, count in each.standing.losses.items():
                summed[reason] = summed.get(reason, 0) + count
        assert losses == summed

    def check_step(
        self, before: Mapping[Stream, Told], after: Mapping[Stream, Told], to: set[Stream], ended: set[str]
    ) -> None:
        """Compare what was told before some exchanges were recorded to a few streams with what is told after that."""
        quota = Lost.ENVIRONMENT_QUOTA
        lost = {stream: _lost(after[stream], quota) - _lost(before[stream], quota) for stream in before}
        places = {each.environment_id for each in to}
        victims = [
            each for each in before if each.session_id in ended and each not in to and each.environment_id in places
        ]
        for stream, count in lost.items():
            assert not count or stream in to or stream in victims, "nobody costs a session that goes on anything"
        if any(lost[stream] for stream in to & before.keys() if stream.session_id not in ended):
            assert not any(after[each].there for each in victims), "first goes what is kept of sessions that have ended"
        last = {stream: self.recorded[stream][-1].started_at_ms for stream in victims}
        touched = [last[each] for each in victims if lost[each]]
        spared = [last[each] for each in victims if after[each].there and not lost[each]]
        assert not touched or not spared or max(touched) < min(spared), "the one that was quiet for longest goes first"


def _lost(told: Told, reason: Lost) -> int:
    return told.standing.losses.get(reason, 0)


def _bytes(exchanges: Sequence[Exchange]) -> int:
    return sum(len(each.request_body.content) for each in exchanges if each.request_body)
