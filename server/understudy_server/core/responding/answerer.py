"""What a mock answers with when it is more than a fixed response after a fixed time."""

from dataclasses import dataclass, field
from typing import Protocol

from understudy_server.core.draws import Draws
from understudy_server.core.responding.extracting import Extraction
from understudy_server.core.responding.making import TEMPLATE_FAILED, CannotAnswer, Maker
from understudy_server.core.responding.plan import Events, Failed, Forward, Plan, Scene
from understudy_server.core.responding.prepared import Prepared
from understudy_server.core.responding.sequences import Turn, Turns
from understudy_server.core.responding.templates import begin
from understudy_server.core.steps import TooManySteps
from understudy_server.core.templating.faults import Fault


class Answerer(Protocol):
    """Makes a plan for each request. It never waits, and it never fails: what goes wrong is a plan of `plan.Failed`."""

    @property
    def counts(self) -> bool:
        """Whether the answer follows from which use of the mock it is (a sequence, or anything by chance).

        Without it, and without a limit on uses, nobody need count: ``Scene.occurrence`` is then of no concern.
        """

    @property
    def wants_body(self) -> bool:
        """Whether the request's body must be here (``Request.body`` set) before `plan` may be called."""

    @property
    def repeats(self) -> bool:
        """Whether the same request has the same answer again: neither time, nor state, nor chance has a part in it."""

    def plan(self, scene: Scene, draws: Draws) -> Plan:
        """Decide everything about one answer. Keeps what the mock extracts from the request, too (``scene.state``).

        Called once for each request that the mock answers, after it has been claimed. The draws noted are the plan's.
        """


@dataclass(frozen=True, slots=True)
class Acting:
    """Does what a mock's action says: one of its turns, after what is to be kept of the request is kept."""

    turns: Turns
    extractions: tuple[Extraction, ...] = ()
    bytes_per_second: int = 0
    counts: bool = field(init=False)
    wants_body: bool = field(init=False)
    repeats: bool = field(init=False)
    _only: Turn | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        turns = self.turns.turns
        object.__setattr__(self, "_only", turns[0] if len(turns) == 1 else None)
        parts: list[Maker | Extraction] = [*[turn.maker for turn in turns], *self.extractions]
        by_chance = any(turn.delay.by_chance or (turn.fault is not None and turn.fault.by_chance) for turn in turns)
        counts = self.turns.counts or by_chance or any(part.counts for part in parts)
        object.__setattr__(self, "counts", counts)
        object.__setattr__(self, "wants_body", any(part.wants_body for part in parts))
        repeats = not counts and not self.extractions and all(turn.maker.repeats for turn in turns)
        object.__setattr__(self, "repeats", repeats)

    def plan(self, scene: Scene, draws: Draws) -> Plan:
        turn = self._only or self.turns.turn(scene.occurrence, draws)
        # Before whatever a template draws, so that they do not depend on the request.
        delay_ms = turn.delay.draw(draws)
        fault = turn.fault.draw(draws) if turn.fault is not None else None
        run = begin(scene, draws)
        answer: Prepared | Events | Forward | Failed
        try:
            for extraction in self.extractions:
                extraction.keep(run)
            answer = turn.maker.make(run)
        except Fault as failed:
            answer, fault = Failed(TEMPLATE_FAILED, str(failed)), None
        except TooManySteps:
            answer, fault = Failed(TEMPLATE_FAILED, "the answer takes more steps than one answer may"), None
        except CannotAnswer as failed:
            answer, fault = Failed(failed.code, str(failed)), None
        return Plan(answer, delay_ms, fault, self.bytes_per_second, tuple(draws.noted) if draws.noted else ())
