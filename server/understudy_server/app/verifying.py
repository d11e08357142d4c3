"""Whether calls happened as expected."""

from understudy.v1.verification_service_pb2 import Verification, VerifyCallsRequest, VerifyCallsResponse

from understudy_server.app.call import Call
from understudy_server.app.expectations import all_expected
from understudy_server.app.nearest import nearest_of
from understudy_server.app.record_reading import completeness, judge_all
from understudy_server.app.slices import Slices
from understudy_server.app.stopwatch import Stopwatch
from understudy_server.app.verdicts import VERDICTS, outcomes
from understudy_server.app.verifications import existing_stream, put_on_record
from understudy_server.core.verification import Judgement, all_of
from understudy_server.core.verification_words import whole


async def verify_calls(call: Call, request: VerifyCallsRequest) -> VerifyCallsResponse:
    """Judge calls by all that was recorded before it was asked, and put the verdict on record.

    Raises InvalidInput, NotFound (there is and was no such session) and StorageFailure.
    """
    watch, journal = Stopwatch(call), call.world.journal
    expectations = await all_expected(request.expectations, "expectations")
    stream = await existing_stream(call, request.session_key)
    judgement = Judgement(expectations, request.after)
    standing = await judge_all(journal, stream, judgement)
    near = await nearest_of(journal, stream, judgement, standing.last_number)
    verdicts = [judgement.verdict(at) for at in range(len(expectations))]
    order = judgement.order() if request.in_order else None
    others = judgement.no_others() if request.no_others else None
    verdict = all_of([*verdicts, *[each for each in (order, others) if each is not None]])
    slices = Slices()
    response = VerifyCallsResponse(
        verdict=VERDICTS[verdict],
        outcomes=await slices.result_of(outcomes(judgement, near)),
        message=whole(judgement, verdicts, order, others),
        other_log_ids=judgement.other_ids if request.no_others else (),
        completeness=completeness(stream, standing, complete=judgement.complete),
    )
    # A hundred that failed are a megabyte of what comes near.
    await slices.pause()
    verification = Verification(
        verdict=response.verdict,
        message=response.message,
        outcomes=response.outcomes,
        completeness=response.completeness,
    )
    if order is not None:
        response.order = verification.order = VERDICTS[order]
    if others is not None:
        response.others = verification.others = VERDICTS[others]
    await slices.pause()
    await put_on_record(call, stream, watch, verification)
    return response
