"""Rows of applying a manifest of thousands of mocks, all of them changed each time: under traffic, and from a file."""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

from benchmarks.apply_stage import MOCKS, RATE, apply_stage
from benchmarks.manifests import manifest_text
from benchmarks.method import Length, Rejected, Spread, alternate
from benchmarks.mocked import serving_mocks
from benchmarks.row import Row, at_most

ON = 1_000
_SECONDS_MAX, _RATIO_MAX = 2.0, 3.0
# The quiet p99 of a round is that of sixty requests in six thousand, and goes up and down by half: the ratio of one
# round says little. With so many times the rounds the medians of either side stand still.
_TIMES_ROUNDS = 2
_applies, _seconds, _p50, _p99, _worst = map(attrgetter, ("applies", "seconds", "p50_ms", "p99_ms", "worst_ms"))


def apply(length: Length) -> list[Row]:
    """The proxy's p99 while a manifest is applied, beside that of the same traffic alone; and what applying takes."""
    return [*_under_traffic(length, 0), *_under_traffic(length, ON), _from_file(length)]


def _under_traffic(length: Length, on: int) -> list[Row]:
    more = replace(length, rounds=_TIMES_ROUNDS * length.rounds)
    with apply_stage(on) as stage:
        rounds = alternate(
            lambda: stage.applying(length.seconds), lambda: stage.quiet(length.seconds), more, steady=_p50
        )
    during, quiet = rounds.subject, rounds.reference
    name = f"{MOCKS} mocks applied, {on or 'none'} of them on, at {RATE} requests/s"
    detail = (
        f"p50 {during(_p50).median:.2f} and {quiet(_p50).median:.2f} ms, p99 {during(_p99).median:.2f} and "
        f"{quiet(_p99).median:.2f} ms, worst {during(_worst).greatest:.1f} and {quiet(_worst).greatest:.1f} ms; "
        f"{rounds.disturbed} of {len(rounds.pairs) + rounds.disturbed} rounds disturbed"
    )
    return [
        Row(f"{name}: p99 meanwhile / quiet p99", rounds.ratio_of_medians(_p99), at_most(_RATIO_MAX), detail),
        Row(f"{name}: time", during(_seconds), at_most(_SECONDS_MAX), f"{during(_applies).median:.0f} a round", " s"),
    ]


def _from_file(length: Length) -> Row:
    """What a user waits for: the command from its start to its end, the reading of the file included."""
    with serving_mocks() as server, tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder:
        environ = {**os.environ, "UNDERSTUDY_SERVER": server.grpc, "UNDERSTUDY_KEY": server.make_key()}
        file, times = Path(folder) / "understudy.yaml", list[float]()
        for revision in range(length.rounds + 1):
            file.write_text(manifest_text(MOCKS, revision), encoding="utf-8")
            times.append(_seconds_of_command(file, environ))
    # The first makes the mocks, the others change them all, as in the other rows.
    detail = f"the whole command; {times[0]:.2f} s when it makes them"
    return Row(f"understudy apply FILE with {MOCKS} mocks", Spread.of(times[1:]), at_most(_SECONDS_MAX), detail, " s")


def _seconds_of_command(file: Path, environ: dict[str, str]) -> float:
    program = Path(sys.executable).with_name("understudy")
    began = time.perf_counter()
    ran = subprocess.run([str(program), "apply", str(file)], env=environ, capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    if ran.returncode:
        raise Rejected(f"understudy apply ended with {ran.returncode}: {ran.stderr[-500:]}")
    return took
