"""The page of results, ``benchmarks/RESULTS.md``: all rows with the runs they are of, and what missed and why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from benchmarks.method import LOAD_CORE, SERVER_CORE
from benchmarks.profiles import table
from benchmarks.results import Measured, Run
from benchmarks.row import Row

PAGE = Path(__file__).with_name("RESULTS.md")
_ROOMS = 8
# Of runs before it was kept.
_BY_HAND = "its rooms, joined by hand: journal on, metrics off"
_TEXT = f"""\
# Results

Written by `make bench`: medians of alternating rounds after one that warms up, and the least and the greatest of them;
server on core {SERVER_CORE}, load on core {LOAD_CORE}, over 64 connections where a row says nothing else. Rounds in
which the reference moved by more than 15 % from its median were repeated; beside other products, who stand still while
ours is asked, those in which other processes or the machine's host took more than a tenth of a core, or ours did not
keep its own busy. Where nothing is compared, a loop of a fixed length on the servers' core was the reference. `server`
says what served the rows of the proxy and those that put sessions, and what it had on.
`make bench ROW=name` measures one row again and leaves the others as they are: `run` says which run a row is of.
"""
_PROFILES = """\
Each stands here with where the time of the process went that bears its load: by the innermost function of Python, with
what that calls in compiled code. The load was made once more for it, and its numbers count for nothing.\
"""


@dataclass(frozen=True)
class _Entry:
    """A row, the name it is measured again by, and the number of its run."""

    row: Row
    name: str
    run: int


def page(results: Mapping[str, Measured]) -> str:
    """All rows with what they were measured on; below them those that missed, with the profiles of their own work."""
    runs = _numbered(measured.run for measured in results.values())
    entries = [_Entry(row, name, runs[each.run]) for name, each in results.items() for row in each.rows]
    parts = [_runs(runs, results), _rows(entries), *_missed(entries), *_missed_aims(entries), *_not_measured(entries)]
    return "\n".join([_TEXT, *parts])


def _numbered(runs: Iterable[Run]) -> dict[Run, int]:
    """From 1 on, the newest first."""
    newest_first = sorted(dict.fromkeys(runs), key=lambda run: run.at, reverse=True)
    return dict(zip(newest_first, count(1), strict=False))


def _runs(runs: Mapping[Run, int], results: Mapping[str, Measured]) -> str:
    lines = [
        "| run | at (UTC) | commit | rounds | rows | server | on |",
        "| ---: | --- | --- | --- | --- | --- | --- |",
    ]
    for run, number in runs.items():
        names = [name for name, measured in results.items() if measured.run == run]
        of = ", ".join(names) if len(names) <= len(results) // 2 else f"{len(names)} of {len(results)}"
        rounds = f"{run.rounds} of {run.seconds} s"
        on = f"{run.server or _BY_HAND} | {run.machine}; {run.versions}"
        lines.append(f"| {number} | {run.at} | {run.commit} | {rounds} | {of} | {on} |")
    return _section("", lines)


def _rows(entries: Sequence[_Entry]) -> str:
    lines = [
        "| what | run | ratio | spread | target | holds | aim | made of |",
        "| --- | ---: | ---: | ---: | ---: | --- | ---: | --- |",
    ]
    return _section("", [*lines, *(_line(each.row, each.run) for each in entries)])


def _line(row: Row, run: int) -> str:
    value, unit = row.value, row.unit
    target = f"{row.target}{unit}" if row.target else ""
    if value is None:
        return f"| {row.name} | {run} | | | {target} | {row.verdict} | | {row.detail} |"
    spread = f"{value.least:.2f} to {value.greatest:.2f}"
    aim = row.target.aimed(value.median, unit) if row.target else ""
    return f"| {row.name} | {run} | {row.figure} | {spread} | {target} | {row.verdict} | {aim} | {row.detail} |"


def _missed(entries: Sequence[_Entry]) -> Iterator[str]:
    musts = [each for each in entries if each.row.target is not None and each.row.target.must]
    missed = [each for each in musts if each.row.missed]
    if not missed:
        yield _section("Missed targets", [f"None of {len(musts)}."])
        return
    yield _section("Missed targets", [f"{len(missed)} of {len(musts)}.", _PROFILES])
    for each in missed:
        row = each.row
        heading = f"### {row.name}\n\n{row.figure}, and {row.target}{row.unit} it must be (run {each.run})."
        yield "\n".join([heading, *_profile(each), ""])


def _profile(entry: _Entry) -> Iterator[str]:
    row, profile = entry.row, entry.row.profile
    if row.is_of_bytes:
        yield f"A profile of time does not say what holds them: {row.detail}."
    elif profile is None:
        yield f"No profile was taken in that run: `make bench ROW={entry.name}` takes one."
    elif not profile.spots:
        yield profile.said
    else:
        rooms = ", ".join(f"{room} {share:.0%}" for room, share in profile.rooms[:_ROOMS])
        yield from [f"{profile.said} {rooms}.", "", *table(profile)]


def _missed_aims(entries: Sequence[_Entry]) -> Iterator[str]:
    lines = [
        f"- {each.row.name}: {each.row.figure}, where {each.row.target.aim:.2f}{each.row.unit} is the aim"
        for each in entries
        if each.row.missed_aim and each.row.target
    ]
    if lines:
        yield _section("Targets that hold, but not their aims", lines)


def _not_measured(entries: Sequence[_Entry]) -> Iterator[str]:
    lines = [f"- {each.row.name} (run {each.run}): {each.row.detail}" for each in entries if each.row.value is None]
    if lines:
        yield _section("Not measured", lines)


def _section(name: str, lines: Sequence[str]) -> str:
    return "\n".join([*([f"## {name}\n"] if name else []), *lines, ""])
