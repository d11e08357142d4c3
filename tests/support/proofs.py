"""What the proofs share: how long they run, the seed they print, and where their numbers go.

A proof runs in every test run at a fiftieth of its length. With ``UNDERSTUDY_PROVE=1`` (``make prove``) it runs whole
and its numbers are written to ``benchmarks/PROOFS.md``. ``UNDERSTUDY_SEED`` repeats a run.
"""

import fcntl
import os
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

PROVE = os.environ.get("UNDERSTUDY_PROVE") == "1"
PAGE = Path(__file__).parents[2] / "benchmarks" / "PROOFS.md"

_SHARE = 50
_TITLE = (
    "# Proofs\n\nWhat `make prove` last measured on the machine it ran on. Each section is written by one\n"
    "proof of `tests/proofs/`; `UNDERSTUDY_SEED` repeats a run.\n"
)


def scaled(whole: int) -> int:
    """How many rounds to run: all of them in ``make prove``, else a fiftieth, at least one."""
    return whole if PROVE else max(1, whole // _SHARE)


def new_seed() -> int:
    """The seed of this run, printed so that a failure can be repeated."""
    given = os.environ.get("UNDERSTUDY_SEED")
    seed = int(given) if given else random.randrange(1 << 32)
    print(f"UNDERSTUDY_SEED={seed}")
    return seed


def report(name: str, **numbers: object) -> None:
    """Print a proof's numbers, and in ``make prove`` write them (with the date) as the proof's section of the page.

    ``seed`` among the numbers is shown like the others. Proofs that run side by side do not lose each other's sections.
    """
    print(f"{name}: {', '.join(f'{key}={value}' for key, value in numbers.items())}")
    if PROVE:
        _write(PAGE, name, numbers, datetime.now(UTC).date().isoformat())


def _write(page: Path, name: str, numbers: Mapping[str, object], date: str) -> None:
    page.parent.mkdir(exist_ok=True)
    with page.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        sections = _sections(file.read())
        sections[name] = _table({"proof": name, **numbers, "date": date})
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
