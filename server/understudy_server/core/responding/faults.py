"""What may go wrong with an answer: the dice are cast before it is made."""

from dataclasses import dataclass

from understudy_server.core.draws import Draws
from understudy_server.core.responding.plan import FaultKind, PlannedFault


@dataclass(frozen=True, slots=True)
class FaultRule:
    """A fault that happens as often as ``probability`` says (0 to 1). ``fraction`` of the body is sent before a cut."""

    kind: FaultKind
    probability: float = 1.0
    fraction: float = 0.5

    @property
    def by_chance(self) -> bool:
        """Whether it is drawn."""
        return 0 < self.probability < 1

    def draw(self, draws: Draws) -> PlannedFault | None:
        """Whether it happens this time: drawn and noted when it is by chance."""
        happens = self.probability >= 1
        if self.by_chance:
            happens = draws.random.random() < self.probability
            draws.note("fault", self.kind.name.lower() if happens else "none")
        return PlannedFault(self.kind, self.fraction) if happens else None
