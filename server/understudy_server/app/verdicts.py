"""Verdicts as the contract shows them."""

from collections.abc import Generator, Sequence

from understudy.v1 import verification_service_pb2 as pb

from understudy_server.app.nearest import Near
from understudy_server.core import verification_words as words
from understudy_server.core.verification import Judgement, Verdict

VERDICTS = {
    Verdict.PASSED: pb.VERDICT_PASSED,
    Verdict.FAILED: pb.VERDICT_FAILED,
    Verdict.INCONCLUSIVE: pb.VERDICT_INCONCLUSIVE,
}


def outcomes(judgement: Judgement, nearest: Sequence[Sequence[Near]]) -> Generator[None, None, list[pb.Outcomes]]:
    """What came of each expectation, in their order. It yields where others may go first, and returns them."""
    found = []
    for at, near in enumerate(nearest):
        found.append(_outcome(judgement, at, near))
        yield
    return found


def _outcome(judgement: Judgement, at: int, near: Sequence[Near]) -> pb.Outcomes:
    expected, tally, verdict = judgement.expectations[at], judgement.tallies[at], judgement.verdict(at)
    said = words.nearest(near[0].request, near[0].mismatches) if near else ""
    return pb.Outcomes(
        name=words.name_of(expected),
        verdict=VERDICTS[verdict],
        count=tally.count,
        undecided=tally.undecided,
        message=words.outcome(expected, tally, verdict, judgement, said),
        log_ids=tally.last_ids,
        near_calls=[each.message() for each in near],
    )
