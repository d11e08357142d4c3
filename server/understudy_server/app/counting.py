"""How many calls a matcher fits."""

from understudy.v1.verification_service_pb2 import CountCallsRequest, CountCallsResponse

from understudy_server.app.call import Call
from understudy_server.app.expectations import matcher_of
from understudy_server.app.record_reading import completeness, judge_all
from understudy_server.app.verifications import existing_stream
from understudy_server.core.verification import Expected, Judgement


async def count_calls(call: Call, request: CountCallsRequest) -> CountCallsResponse:
    """Count calls. Raises InvalidInput, NotFound (there is and was no such session) and StorageFailure."""
    matcher = await matcher_of(request.matcher, "matcher")
    stream = await existing_stream(call, request.session_key)
    judgement = Judgement([Expected(matcher)], request.after)
    standing = await judge_all(call.world.journal, stream, judgement)
    (tally,) = judgement.tallies
    return CountCallsResponse(
        count=tally.count,
        undecided=tally.undecided,
        completeness=completeness(stream, standing, complete=judgement.complete),
    )
