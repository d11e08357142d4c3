"""Random steps on sessions, over all three doors in turn, against a plain model."""

from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from support.doors import Answer, GrpcDoor, RestDoor
from support.furniture import furnished
from support.server import MadeKey, Server

LIBRARY = ("ovr_cart", "ovr_pay")
SCENARIOS = ("scn_declined", "scn_empty")
EMPTY: dict[str, Any] = {
    "label": None, "scenario": None, "overrides": [], "globalDelayMs": 0, "globalDelayMaxMs": 0,
}  # fmt: skip

keys = st.sampled_from(["ci-1", " ci-1\n", "CI-1", "ci-2"])
doors = st.sampled_from(["grpc", "rest", "remote"])
overrides = st.sampled_from([*LIBRARY, "ovr_draft", "ovr_declined", "ovr_nothing", "bad"])
bodies = st.fixed_dictionaries(
    {},
    optional={
        "label": st.none() | st.sampled_from(["a", "b", "x" * 200, "x" * 201]),
        "scenario": st.none() | st.sampled_from([*SCENARIOS, "scn_nothing"]),
        "overrides": st.lists(overrides, max_size=3) | st.lists(st.sampled_from(LIBRARY), max_size=3),
        "globalDelayMs": st.none() | st.sampled_from([0, 5, 120_000, 120_001]),
        "globalDelayMaxMs": st.none() | st.sampled_from([0, 9, 120_001]),
    },
)


class Model:
    """What the contract says, written as plainly as can be."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, Any]] = {}

    def put(self, key: str, body: dict[str, Any]) -> str:
        if len(body.get("label") or "") > 200 or any(
            (body.get(name) or 0) > 120_000 for name in ("globalDelayMs", "globalDelayMaxMs")
        ):
            return "invalid_body"
        if body.get("scenario") == "scn_nothing":
            return "not_found"
        if any(each not in LIBRARY for each in body.get("overrides", [])):
            return "invalid_override"
        session = self.sessions.setdefault(key, {**EMPTY})
        for name, value in body.items():
            if name == "overrides":
                kept = [each for each in session[name] if each in value]
                session[name] = kept + [each for each in dict.fromkeys(value) if each not in kept]
            else:
                session[name] = EMPTY[name] if value is None else value
        return ""

    def on(self, key: str, override: str) -> str:
        if override in ("bad", "ovr_declined", "ovr_draft"):
            return "invalid_override"
        if override not in LIBRARY:
            return "not_found"
        session = self.sessions.setdefault(key, {**EMPTY})
        if override not in session["overrides"]:
            session["overrides"] = [*session["overrides"], override]
        return ""

    def off(self, key: str, override: str) -> str:
        if key not in self.sessions:
            return "not_found"
        if override in ("bad", "ovr_declined"):
            return "invalid_override"
        if override == "ovr_nothing":
            return "not_found"
        session = self.sessions[key]
        session["overrides"] = [each for each in session["overrides"] if each != override]
        return ""

    def delete(self, key: str, mode: str) -> str:
        if mode not in ("reset", "delete"):
            return "invalid_mode"
        if key not in self.sessions:
            return "not_found"
        if mode == "delete":
            del self.sessions[key]
        else:
            self.sessions[key] = {**EMPTY, "label": self.sessions[key]["label"]}
        return ""


class Sessions(RuleBasedStateMachine):
    """Steps through the doors of a server, each checked against the model."""

    server: ClassVar[Server]
    through: ClassVar[dict[str, GrpcDoor | RestDoor]]

    def __init__(self) -> None:
        super().__init__()
        self.place = furnished(self.server)
        self.key: MadeKey = self.server.make_key(project=self.place.project)
        self.auth = f"Bearer {self.key.text}"
        self.model = Model()

    def teardown(self) -> None:
        self.server.revoke(self.key)

    @rule(door=doors, key=keys, body=bodies)
    def put(self, door: str, key: str, body: dict[str, Any]) -> None:
        answer = self.through[door].put(self.auth, key, body)
        assert answer.code == self.model.put(key.strip(), body)
        if answer.code == "":
            self.compare(answer, key.strip())

    @rule(door=doors, key=keys, override=overrides)
    def on(self, door: str, key: str, override: str) -> None:
        assert self.through[door].on(self.auth, key, override).code == self.model.on(key.strip(), override)

    @rule(door=doors, key=keys, override=overrides)
    def off(self, door: str, key: str, override: str) -> None:
        assert self.through[door].off(self.auth, key, override).code == self.model.off(key.strip(), override)

    @precondition(lambda self: self.model.sessions)
    @rule(door=doors, key=keys, mode=st.sampled_from(["reset", "delete", "x"]))
    def delete(self, door: str, key: str, mode: str) -> None:
        assert self.through[door].delete(self.auth, key, mode=mode).code == self.model.delete(key.strip(), mode)

    @invariant()
    def every_door_sees_the_model(self) -> None:
        for door, key in zip(self.through.values(), ("ci-1", "CI-1", "ci-2"), strict=True):
            self.compare(door.get(self.auth, key), key)

    def compare(self, answer: Answer, key: str) -> None:
        if key not in self.model.sessions:
            assert answer.code == "not_found"
            return
        assert {name: answer.served[name] for name in EMPTY} == self.model.sessions[key]


@pytest.mark.timeout(300)
def test_random_steps_agree_with_a_plain_model_through_every_door(server: Server, gateway: str) -> None:
    made: dict[str, GrpcDoor | RestDoor] = {
        "grpc": GrpcDoor(server.grpc), "rest": RestDoor(server.rest), "remote": RestDoor(gateway),
    }  # fmt: skip
    bound = type("BoundSessions", (Sessions,), {"server": server, "through": made})
    steps = settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(bound, settings=steps)
    for each in made.values():
        each.close()
