"""Flags of the servers that evaluate over their doors: so many as a batch may name, each with five rules."""

import json
from typing import Final

from understudy.options.v1.options_pb2 import ROLE_CI
from understudy.v1.flag_service_pb2 import CreateFlagRequest, PutFlagStateRequest
from understudy.v1.flags_pb2 import FLAG_KIND_STRING, Flag, FlagCondition, FlagRule
from understudy.v1.key_service_pb2 import CreateKeyRequest
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy_server.rpc.dispatcher import Dispatcher

from benchmarks.rooms import as_owner
from benchmarks.scenery import ENVIRONMENT, PROJECT

SESSION: Final = "ci-flags"
KEYS: Final = tuple(f"checkout-button-{number:02}" for number in range(50))
CONTEXT: Final = {"targetingKey": "user-123", "country": "DE", "plan": "free", "email": "ada@example.org", "age": 36}
_CONDITIONS: Final = (
    ("country", "equals", "BR"),
    ("plan", "in", ["team", "enterprise"]),
    ("email", "ends_with", "@example.com"),
    ("age", "gte", 60),
    ("age", "lt", 40),
)


async def make_flags(made: Dispatcher) -> str:
    """Make them, a session that sets the first, and a key of their environment; gives its text.

    The last rule of each flag is the one that fits.
    """
    for key in KEYS:
        flag = Flag(key=key, kind=FLAG_KIND_STRING, default_value='"red"')
        await as_owner(made, "FlagService/CreateFlag", CreateFlagRequest(project=PROJECT, flag=flag))
        request = PutFlagStateRequest(project=PROJECT, environment=ENVIRONMENT, flag_key=key)
        request.state.enabled = True
        request.state.rules.extend(_rule(*each) for each in _CONDITIONS)
        await as_owner(made, "FlagService/PutFlagState", request)
    session = PutSessionRequest(project=PROJECT, environment=ENVIRONMENT, session_key=SESSION)
    session.flags = json.dumps({KEYS[0]: "blue"})
    await as_owner(made, "SessionService/PutSession", session)
    own = CreateKeyRequest(role=ROLE_CI, project=PROJECT, environment=ENVIRONMENT)
    text: str = (await as_owner(made, "KeyService/CreateKey", own)).text
    return text


def _rule(attribute: str, operator: str, value: object) -> FlagRule:
    condition = FlagCondition(attribute=attribute, operator=operator, value=json.dumps(value))
    return FlagRule(conditions=[condition], value=json.dumps("green"))
