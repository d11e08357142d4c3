"""Feature flags from a caller's desk: set, overridden in sessions, and evaluated."""

import json

from support.desk import Desk
from understudy.v1 import evaluation_service_pb2 as pb
from understudy.v1 import flags_pb2 as flags
from understudy.v1.flag_service_pb2 import CreateFlagRequest, PutFlagStateRequest, PutFlagStateResponse
from understudy.v1.flags_pb2 import Evaluation, Flag, FlagState
from understudy.v1.project_session_service_pb2 import (
    CreateProjectSessionRequest,
    CreateProjectSessionResponse,
    ProjectSession,
)
from understudy.v1.session_service_pb2 import PutSessionRequest, Session

OVERRIDE = flags.EVALUATION_REASON_TEST_OVERRIDE
DISABLED = flags.EVALUATION_REASON_FLAG_DISABLED
ENABLED = flags.EVALUATION_REASON_FLAG_ENABLED
NOT_FOUND = flags.EVALUATION_REASON_FLAG_NOT_FOUND


async def set_flag(desk: Desk, key: str = "new-checkout", state: FlagState | None = None, **flag: object) -> None:
    """A flag, made where there is none yet, and what it is set to in the desk's environment."""
    made = CreateFlagRequest(flag=Flag(key=key, **flag))  # type: ignore[arg-type]
    if await desk.code("FlagService.CreateFlag", made) not in ("", "already_exists"):
        raise AssertionError(key)
    if state is not None:
        request = PutFlagStateRequest(flag_key=key, state=state)
        await desk.call("FlagService.PutFlagState", request, PutFlagStateResponse)


async def evaluate(desk: Desk, key: str = "new-checkout", **asked: object) -> Evaluation:
    """What a flag is."""
    return (await answer(desk, key, **asked)).evaluation


async def answer(desk: Desk, key: str = "new-checkout", **asked: object) -> pb.EvaluateResponse:
    """What a flag is, and in which session."""
    request = pb.EvaluateRequest(flag_key=key, **asked)  # type: ignore[arg-type]
    return await desk.call("EvaluationService.Evaluate", request, pb.EvaluateResponse)


async def batch(desk: Desk, **asked: object) -> pb.EvaluateBatchResponse:
    """What several flags are."""
    request = pb.EvaluateBatchRequest(**asked)  # type: ignore[arg-type]
    return await desk.call("EvaluationService.EvaluateBatch", request, pb.EvaluateBatchResponse)


async def put(desk: Desk, values: dict[str, object], key: str = "ci-42") -> Session:
    """Set the flags of a session."""
    return await desk.put(PutSessionRequest(session_key=key, flags=json.dumps(values)))


async def project_session(desk: Desk, **asked: object) -> ProjectSession:
    """Make a session of the project."""
    request = CreateProjectSessionRequest(**asked)  # type: ignore[arg-type]
    found = await desk.call("ProjectSessionService.CreateProjectSession", request, CreateProjectSessionResponse)
    return found.session
