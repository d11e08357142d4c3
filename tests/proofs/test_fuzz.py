"""Whatever bytes a client or an upstream sends: no crash, no hang, nothing left behind, and only HTTP comes out.

Inputs that once showed something are kept in `tests/data/fuzz`; each is played in every run, whole and byte by byte.
"""

import multiprocessing
import random
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzz_inputs import CORPUS
from support.fuzz_stage import Stage, fuzz
from support.proofs import new_seed, report, scaled

REQUESTS = scaled(1_500_000)
ANSWERS = scaled(500_000)
PROCESSES = 2
_ROUNDS = 5

_KEPT = sorted(CORPUS.glob("*.bin"))


@pytest.mark.parametrize("path", _KEPT, ids=[path.stem for path in _KEPT])
def test_kept_input_shows_no_fault(path: Path) -> None:
    data = path.read_bytes()
    with Stage() as stage:
        play = stage.play_answers if path.name.startswith("answer") else stage.play_requests
        for seed in range(_ROUNDS):
            play([data], random.Random(seed))
            play([data[at : at + 1] for at in range(len(data))], random.Random(seed))


@given(
    st.lists(st.binary(max_size=120) | st.sampled_from([path.read_bytes() for path in _KEPT]), max_size=5),
    st.booleans(),
    st.integers(0, 1 << 32),
)
def test_any_pieces_are_answered_in_http_or_not_at_all(pieces: list[bytes], answers: bool, seed: int) -> None:
    with Stage() as stage:
        play = stage.play_answers if answers else stage.play_requests
        play(pieces, random.Random(seed))


@pytest.mark.parametrize(("side", "inputs"), [("request", REQUESTS), ("answer", ANSWERS)])
def test_no_bytes_bring_the_proxy_out_of_step(side: str, inputs: int) -> None:
    seed, started = new_seed(), time.monotonic()
    # Not forked: the parent's threads and loops are no concern of theirs.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        runs = [
            pool.submit(fuzz, seed + number, inputs // PROCESSES, answers=side == "answer")
            for number in range(PROCESSES)
        ]
        kinds = {outcome for run in runs for outcome in run.result()}
    report(
        f"fuzzed {side}s",
        inputs=inputs,
        kinds_of_outcome=len(kinds),
        faults=0,
        inputs_per_second=round(inputs / (time.monotonic() - started)),
        seed=seed,
    )
