"""What the proofs share: how long they run, the seed they print, and where their numbers go.

A proof runs in every test run at a fiftieth of its length. With ``UNDERSTUDY_PROVE=1`` (``make prove``) it runs whole
and its numbers are written to ``benchmarks/PROOFS.md``, with whether it held once its test has ended
(``support.proof_verdicts``) and the commit it ran on. ``UNDERSTUDY_SEED`` repeats a run.
"""

import fcntl
import os
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.sources import commit_of

PROVE = os.environ.get("UNDERSTUDY_PROVE") == "1"
PAGE = Path(__file__).parents[2] / "benchmarks" / "PROOFS.md"

_SOURCES = ("server", "gateway", "clients/python", "pyproject.toml", "constraints.txt", "tests")
COMMIT = commit_of(*_SOURCES) if PROVE else ""
"""Looked up at the start: a proof may run for longer than the sources stay as they are."""

_SHARE = 50
_TITLE = (
    "# Proofs\n\nWhat `make prove` last measured on the machine it ran on. Each section is written by one\n"
    "proof of `tests/proofs/`; `UNDERSTUDY_SEED` repeats a run. `held` says whether its test passed: where it\n"
    "did not, or never ended, the numbers prove nothing. Sections without it are older than it is.\n"
)
_UNDECIDED, _HELD, _FAILED = "not ended", "yes", "NO"


def scaled(whole: int) -> int:
    """How many rounds to run: all of them in ``make prove``, else a fiftieth, at least one."""
    return whole if PROVE else max(1, whole // _SHARE)


def new_seed() -> int:
    """The seed of this run, printed so that a failure can be repeated."""
    given = os.environ.get("UNDERSTUDY_SEED")
    seed = int(given) if given else random.randrange(1 << 32)
    print(f"UNDERSTUDY_SEED={seed}")
    return seed


_waiting: dict[str, Mapping[str, object]] = {}


def report(name: str, **numbers: object) -> None:
    """Print a proof's numbers, and in ``make prove`` write them as the proof's section of the page.

    ``seed`` among the numbers is shown like the others. Whether the proof held is not known before its test has ended:
    `judge` adds it. Proofs that run side by side do not lose each other's sections.
    """
    print(f"{name}: {', '.join(f'{key}={value}' for key, value in numbers.items())}")
    if PROVE:
        _waiting[name] = numbers
        _write(PAGE, name, numbers, _UNDECIDED)


def undecided() -> frozenset[str]:
    """The proofs that have reported, and are not judged yet."""
    return frozenset(_waiting)


def judge(name: str, *, held: bool) -> None:
    """Say of a proof that has reported whether it held."""
    _write(PAGE, name, _waiting.pop(name), _HELD if held else _FAILED)


def _write(page: Path, name: str, numbers: Mapping[str, object], held: str) -> None:
    date = datetime.now(UTC).date().isoformat()
    page.parent.mkdir(exist_ok=True)
    with page.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        sections = _sections(file.read())
        sections[name] = _table({"proof": name, "held": held, **numbers, "date": date, "commit": COMMIT})
        file.truncate(0)
        file.write(_TITLE + "".join(f"\n## {each}\n\n{sections[each]}" for each in sorted(sections)))


def _sections(text: str) -> dict[str, str]:
    parts = ("\n" + text).split("\n## ")[1:]
    named = [part.partition("\n") for part in parts]
    return {name: body.strip() + "\n" for name, _, body in named}


def _table(cells: Mapping[str, object]) -> str:
    names = [name.replace("_", " ") for name in cells]
    rows = (names, ["---"] * len(names), [str(value) for value in cells.values()])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
