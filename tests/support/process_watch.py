"""Whether a process grows: its memory, its open descriptors and its threads, looked at again and again. Linux only."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import median

from support.memory import MIB, resident_bytes_of


@dataclass(frozen=True)
class Sample:
    """One look. ``seconds`` is when it was, ``files`` how many of the descriptors are of files below a folder."""

    seconds: float
    resident_bytes: int
    descriptors: int
    threads: int
    files: int = 0

    @property
    def others(self) -> int:
        """Descriptors of sockets, pipes and whatever else is no file below the folder."""
        return self.descriptors - self.files


@dataclass(frozen=True)
class Bounds:
    """By how much each may rise: memory as `floor_rise` has it, the others as a line through all samples does."""

    resident_bytes: int
    descriptors: int
    threads: int


def look(pid: int, seconds: float, folder: Path | None = None) -> Sample:
    """Look at a process. ``seconds`` is the time by the watcher's clock."""
    links = Path(f"/proc/{pid}/fd")
    targets = [_target(each) for each in links.iterdir()]
    below = f"{folder}/" if folder else None
    files = sum(target.startswith(below) for target in targets) if below else 0
    return Sample(seconds, resident_bytes_of(pid), len(targets), len(list(Path(f"/proc/{pid}/task").iterdir())), files)


def rise(points: Sequence[tuple[float, float]]) -> float:
    """How much a line through points rises from the first of them to the last.

    Its slope is the median of those between all pairs (Theil and Sen): single peaks do not tilt it. It may be negative.
    """
    slopes = [(later[1] - one[1]) / (later[0] - one[0]) for one, later in combinations(points, 2) if later[0] > one[0]]
    return median(slopes) * (points[-1][0] - points[0][0]) if slopes else 0.0


def floor_rise(held: Sequence[int]) -> int:
    """By how much the least that was held in the second half is above the least of the first half.

    Python's collector is rarely run in a server, so what is held rises and falls by some 40 MiB in minutes: what stays
    when it has run is what counts.
    """
    middle = len(held) // 2
    return min(held[middle:]) - min(held[:middle]) if middle else 0


def growth_of(samples: Sequence[Sample], bounds: Bounds) -> list[str]:
    """What grows by more than it may, in words; nothing for a process that stays as it is."""
    found = []
    floor = floor_rise([each.resident_bytes for each in samples])
    if floor > bounds.resident_bytes:
        found.append(f"memory rises by {floor / MIB:.1f} MiB, and may by {bounds.resident_bytes / MIB:.0f}")
    for name, most in (("descriptors", bounds.descriptors), ("threads", bounds.threads)):
        risen = rise([(each.seconds, getattr(each, name)) for each in samples])
        if risen > most:
            found.append(f"{name} rise by {risen:.0f}, and may by {most}")
    return found


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        # It was closed since the folder was listed.
        return ""
