"""Which calls are told to the store as brief: those that every test makes, unless they name many things."""

from typing import Any

import pytest
from google.protobuf.message import Message
from support.dispatching import World
from understudy.v1.project_service_pb2 import CreateProjectRequest, Project
from understudy.v1.session_service_pb2 import (
    ActivateOverrideRequest,
    DeactivateOverrideRequest,
    DeleteSessionRequest,
    PutSessionRequest,
)

PLACE: dict[str, Any] = {"project": "checkout", "environment": "staging", "session_key": "ci-42"}
MANY = [f"ovr_{number:05}" for number in range(500)]


@pytest.mark.parametrize(
    ("method", "request_", "is_brief"),
    [
        ("SessionService.PutSession", PutSessionRequest(**PLACE, label="CI"), True),
        ("SessionService.PutSession", PutSessionRequest(**PLACE, overrides=MANY), False),
        ("SessionService.ActivateOverride", ActivateOverrideRequest(**PLACE, override_id="ovr_a"), True),
        ("SessionService.DeactivateOverride", DeactivateOverrideRequest(**PLACE, override_id="ovr_a"), True),
        ("SessionService.DeleteSession", DeleteSessionRequest(**PLACE), True),
        ("ProjectService.CreateProject", CreateProjectRequest(project=Project(slug="orders")), False),
    ],
)
async def test_a_call_is_brief(
    here: World, monkeypatch: pytest.MonkeyPatch, method: str, request_: Message, is_brief: bool
) -> None:
    told = list[bool]()
    write = here.store.write

    async def noted(work: Any, *, brief: bool = False) -> Any:
        told.append(brief)
        return await write(work, brief=brief)

    monkeypatch.setattr(here.store, "write", noted)
    await here.raw(method, request_)
    assert told == [is_brief]
