"""Scenes for answers, and what is made of them, without a proxy."""

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.json_format import ParseDict
from understudy.v1.actions_pb2 import Action
from understudy_server.core.draws import Draws
from understudy_server.core.matching.request import Body, Request
from understudy_server.core.responding.answerer import Answerer
from understudy_server.core.responding.files import Files, no_files
from understudy_server.core.responding.plan import Plan, Scene
from understudy_server.core.responding.templates import begin, compile_text
from understudy_server.core.state import Owner, Scope, State
from understudy_server.definitions.actions import compile_action
from understudy_server.state.memory import MemoryState

NOW_MS = 1_782_216_000_123
"""2026-06-23, noon and 123 ms."""

SESSION = Owner("env_1", Scope.SESSION, "ses_1.0")
CHAIN = Owner("env_1", Scope.CHAIN, "checkout")
ENVIRONMENT = Owner("env_1", Scope.ENVIRONMENT)


def scene(
    target: str = "/",
    *,
    method: str = "GET",
    body: Body = b"",
    headers: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
    state: State | None = None,
    occurrence: int = 1,
    seed: str = "seed:7",
    mock: str = "ovr_1",
) -> Scene:
    """A request to a mock of a session."""
    path, _, query = target.partition("?")
    raw = tuple([(name.encode(), value.encode()) for name, value in (headers or {}).items()])
    return Scene(
        request=Request(method, path, query, body, headers=raw, host="shop.example.com"),
        path_parameters=dict(parameters or {}),
        environment_id="env_1",
        session_key="ci-42",
        session_state=SESSION.name,
        chain=CHAIN.name,
        mock=mock,
        occurrence=occurrence,
        seed=seed,
        now_ms=NOW_MS,
        state=state if state is not None else MemoryState(),
    )


def draws_of(given: Scene) -> Draws:
    """The chance of an answer."""
    return Draws(given.seed, given.mock, given.occurrence)


def rendered(source: str, given: Scene | None = None) -> str:
    """What a template of an answer makes of a scene. Raises Fault, BadTemplate."""
    given = given or scene()
    return compile_text(source).render(begin(given, draws_of(given)))


def answerer(action: dict[str, Any], files: Files = no_files, **fields: Any) -> Answerer:
    """Compile an action, given as JSON has it, that is more than a fixed response."""
    answer = compile_action(message(action), "mock.action", files, **fields).answer
    assert answer is not None
    return answer


def message(action: dict[str, Any]) -> Action:
    return ParseDict(action, Action())


def planned(action: dict[str, Any], given: Scene | None = None, files: Files = no_files, **fields: Any) -> Plan:
    """What an action plans for a scene."""
    given = given or scene()
    return answerer(action, files, **fields).plan(given, draws_of(given))


def constant(value: Any) -> Callable[[Any], Any]:
    """What a name of a language stands for, always."""
    return lambda _: value
