"""What requests leave behind, as it is read, set and cleared from outside."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.desk import Desk
from understudy.v1 import state_service_pb2 as pb
from understudy.v1.manifest_service_pb2 import ApplyManifestRequest, ApplyManifestResponse, Manifest
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.project_service_pb2 import DeleteEnvironmentRequest, DeleteEnvironmentResponse
from understudy.v1.session_service_pb2 import (
    DELETE_MODE_DELETE,
    DELETE_MODE_RESET,
    DeleteSessionRequest,
    PutSessionRequest,
)
from understudy_server.app.ports import SessionRecord
from understudy_server.app.sweep import sweep
from understudy_server.core.state import MACHINE_START, MACHINES_MAX, VALUES_MAX, Claim, Owner, Scope

OWNERS = [{}, {"session_key": "ci-42"}, {"session_key": "ci-43"}, {"chain": "order"}, {"chain": "ci-42"}]
RPCS = {
    "ListStateValues": pb.ListStateValuesRequest(),
    "GetStateValue": pb.GetStateValueRequest(key="k"),
    "SetStateValue": pb.SetStateValueRequest(key="k", value="1"),
    "IncrementStateValue": pb.IncrementStateValueRequest(key="k"),
    "DeleteStateValue": pb.DeleteStateValueRequest(key="k"),
    "GetState": pb.GetStateRequest(),
    "SetMachine": pb.SetMachineRequest(machine="order", state="paid"),
    "ResetState": pb.ResetStateRequest(),
}


class StateDesk:
    """Calls about the state of one owner (``session_key`` or ``chain``, neither: the environment)."""

    def __init__(self, desk: Desk, **owner: str) -> None:
        self.desk = desk
        self.owner = owner

    async def set(self, key: str, value: str) -> str:
        request = pb.SetStateValueRequest(key=key, value=value, **self.owner)
        return (await self.desk.call("StateService.SetStateValue", request, pb.SetStateValueResponse)).value.value

    async def get(self, key: str) -> str:
        request = pb.GetStateValueRequest(key=key, **self.owner)
        return (await self.desk.call("StateService.GetStateValue", request, pb.GetStateValueResponse)).value.value

    async def add(self, key: str, by: int | None = None) -> str:
        request = pb.IncrementStateValueRequest(key=key, by=by, **self.owner)
        answer = await self.desk.call("StateService.IncrementStateValue", request, pb.IncrementStateValueResponse)
        return answer.value.value

    async def delete(self, key: str) -> None:
        request = pb.DeleteStateValueRequest(key=key, **self.owner)
        await self.desk.call("StateService.DeleteStateValue", request, pb.DeleteStateValueResponse)

    async def page(self, prefix: str = "", size: int = 0, token: str = "") -> pb.ListStateValuesResponse:
        request = pb.ListStateValuesRequest(prefix=prefix, page_size=size, page_token=token, **self.owner)
        return await self.desk.call("StateService.ListStateValues", request, pb.ListStateValuesResponse)

    async def keys(self, prefix: str = "") -> list[str]:
        return [each.key for each in (await self.page(prefix)).values]

    async def machine(self, machine: str, state: str) -> tuple[str, str]:
        request = pb.SetMachineRequest(machine=machine, state=state, **self.owner)
        made = (await self.desk.call("StateService.SetMachine", request, pb.SetMachineResponse)).machine
        return made.machine, made.state

    async def shown(self) -> tuple[list[tuple[str, str]], list[tuple[str, int]]]:
        """Machines, and uses of mocks."""
        request = pb.GetStateRequest(**self.owner)
        state = await self.desk.call("StateService.GetState", request, pb.GetStateResponse)
        return [(each.machine, each.state) for each in state.machines], [
            (each.mock_id, each.uses) for each in state.uses
        ]

    async def reset(self, *, everything: bool = False) -> None:
        request = pb.ResetStateRequest(everything=everything, **self.owner)
        await self.desk.call("StateService.ResetState", request, pb.ResetStateResponse)


@pytest.fixture
async def furnished(desk: Desk) -> Desk:
    """With the sessions ci-42 and ci-43."""
    for each in ("ci-42", "ci-43"):
        await desk.put(PutSessionRequest(session_key=each))
    return desk


@pytest.fixture
def mine(furnished: Desk) -> StateDesk:
    """The state of the session ci-42."""
    return StateDesk(furnished, session_key="ci-42")


async def record_of(desk: Desk, key: str = "ci-42") -> SessionRecord:
    """A session as the store has it."""
    project = await desk.world.store.read(lambda tx: tx.project(desk.project))
    assert project is not None
    environment = await desk.world.store.read(lambda tx: tx.environment(project.id, desk.environment))
    assert environment is not None
    record = await desk.world.store.read(lambda tx: tx.session(environment.id, key))
    assert record is not None
    return record


async def owner_of(desk: Desk, key: str = "ci-42") -> Owner:
    """Whose state a proxied request of the session has."""
    record = await record_of(desk, key)
    return Owner(record.environment_id, Scope.SESSION, record.state_id)


async def swept(desk: Desk) -> None:
    await sweep(desk.world.store, desk.world.presence, desk.world.state, desk.world.clock.now_ms, 0)


# Values


@pytest.mark.parametrize("value", ["42", "1.10", "12345678901234567890.50", '{"b": 1E2, "a": "ä"}', "null", '"text"'])
async def test_a_value_is_given_back_digit_by_digit(mine: StateDesk, value: str) -> None:
    assert await mine.set("order.id", value) == value
    assert await mine.get("order.id") == value
    assert [(each.key, each.value) for each in (await mine.page()).values] == [("order.id", value)]


async def test_a_value_that_is_not_there_is_not_found(mine: StateDesk) -> None:
    await mine.set("k", "1")
    await mine.delete("k")
    await mine.delete("k")
    assert await mine.desk.code("StateService.GetStateValue", pb.GetStateValueRequest(key="k")) == "not_found"


async def test_sessions_chains_and_the_environment_have_each_their_own(furnished: Desk) -> None:
    desks = [StateDesk(furnished, **owner) for owner in OWNERS]
    for number, each in enumerate(desks):
        await each.set("k", str(number))
    assert [await each.get("k") for each in desks] == ["0", "1", "2", "3", "4"]


async def test_environments_have_each_their_own(desk: Desk) -> None:
    qa = StateDesk(Desk(desk.world, environment="qa"))
    await StateDesk(desk).set("k", "1")
    assert await qa.keys() == []


async def test_the_key_of_a_session_is_normalised(mine: StateDesk) -> None:
    await StateDesk(mine.desk, session_key=" ci-42\n").set("k", "1")
    assert await mine.get("k") == "1"


async def test_what_is_set_is_what_a_request_sees(mine: StateDesk) -> None:
    await mine.set("k", "[1.5]")
    owner = await owner_of(mine.desk)
    state = mine.desk.world.state
    assert state.value(owner, "k") == [1.5]
    state.set_value(owner, "seen", {"id": 7})
    assert await mine.get("seen") == '{"id":7}'


async def test_a_counter_begins_at_zero_and_moves_by_one(mine: StateDesk) -> None:
    assert [await mine.add("n"), await mine.add("n", 5), await mine.add("n", -7), await mine.add("n", 0)] == [
        "1", "6", "-1", "-1",
    ]  # fmt: skip


async def test_a_long_number_is_counted_on_with_all_its_digits(mine: StateDesk) -> None:
    await mine.set("n", "123456789012345678901234567890")
    assert await mine.add("n") == "123456789012345678901234567891"
    assert await mine.get("n") == "123456789012345678901234567891"


@pytest.mark.parametrize("value", ['"1"', "true", "null", "[]"])
async def test_what_is_no_number_cannot_be_added_to(mine: StateDesk, value: str) -> None:
    await mine.set("n", value)
    request = pb.IncrementStateValueRequest(key="n", session_key="ci-42")
    problem = await mine.desk.refused("StateService.IncrementStateValue", request)
    assert (problem.reason, problem.field) == ("not_a_number", "key")
    assert await mine.get("n") == value


async def test_an_owner_that_is_full_keeps_what_it_has(mine: StateDesk) -> None:
    owner = await owner_of(mine.desk)
    for number in range(VALUES_MAX):
        mine.desk.world.state.set_text(owner, f"k{number}", "1")
    request = pb.SetStateValueRequest(key="one more", value="1", session_key="ci-42")
    assert await mine.desk.code("StateService.SetStateValue", request) == "state_full"
    add = pb.IncrementStateValueRequest(key="one more", session_key="ci-42")
    assert await mine.desk.code("StateService.IncrementStateValue", add) == "state_full"
    assert await mine.set("k1", "2") == "2"


async def test_an_owner_with_too_many_machines_keeps_what_it_has(mine: StateDesk) -> None:
    owner = await owner_of(mine.desk)
    for number in range(MACHINES_MAX):
        mine.desk.world.state.set_machine(owner, f"m{number}", "on")
    request = pb.SetMachineRequest(machine="one more", state="on", session_key="ci-42")
    assert await mine.desk.code("StateService.SetMachine", request) == "state_full"


@pytest.mark.parametrize("value", ["", "{", "NaN", "1 2", '{"a":1,"a":2}', "[" * 70 + "]" * 70, f'"{"x" * 65_535}"'])
async def test_what_is_not_json_that_can_be_kept_is_refused(mine: StateDesk, value: str) -> None:
    request = pb.SetStateValueRequest(key="k", value=value, session_key="ci-42")
    problem = await mine.desk.refused("StateService.SetStateValue", request)
    assert (problem.reason, problem.field) == ("invalid_field", "value")
    assert await mine.keys() == []


# Lists


async def pages_of(desk: StateDesk, size: int, prefix: str = "") -> Sequence[Sequence[str]]:
    pages, token = [], ""
    while True:
        page = await desk.page(prefix, size, token)
        pages.append([each.key for each in page.values])
        if not (token := page.next_page_token):
            return pages


async def test_values_are_listed_page_by_page_in_the_order_of_their_keys(mine: StateDesk) -> None:
    for key in ("b", "ü", "a", "C", "d"):
        await mine.set(key, "1")
    assert await pages_of(mine, 2) == [["C", "a"], ["b", "d"], ["ü"]]
    assert await pages_of(mine, 5) == [["C", "a", "b", "d", "ü"]]


async def test_values_are_listed_by_the_beginning_of_their_keys(mine: StateDesk) -> None:
    for key in ("order.id", "order", "orders", "a.order.", "order.name"):
        await mine.set(key, "1")
    assert await pages_of(mine, 1, "order.") == [["order.id"], ["order.name"]]
    assert await mine.keys("%") == []


async def test_a_page_of_long_values_ends_early(mine: StateDesk) -> None:
    for number in range(40):
        await mine.set(f"k{number:02}", f'"{"x" * 65_000}"')
    pages = await pages_of(mine, 1000)
    assert [len(page) for page in pages] == [17, 17, 6]


async def test_a_list_goes_on_after_the_longest_key_there_can_be(mine: StateDesk) -> None:
    longest = "\U0001f3ad" * 256
    for key in ("a", longest, "\U0001f3af"):
        await mine.set(key, "1")
    assert await pages_of(mine, 1) == [["a"], [longest], ["\U0001f3af"]]


async def test_a_page_token_of_another_owner_or_prefix_is_refused(mine: StateDesk) -> None:
    for key in "abc":
        await mine.set(key, "1")
    token = (await mine.page(size=1)).next_page_token
    for other in (
        pb.ListStateValuesRequest(page_token=token),
        pb.ListStateValuesRequest(page_token=token, session_key="ci-42", prefix="a"),
        pb.ListStateValuesRequest(page_token="no token!", session_key="ci-42"),
    ):
        problem = await mine.desk.refused("StateService.ListStateValues", other)
        assert (problem.reason, problem.field) == ("invalid_field", "page_token")


# Machines and uses


async def test_machines_that_have_left_their_first_state_are_shown(mine: StateDesk) -> None:
    assert await mine.machine("order", "paid") == ("order", "paid")
    assert await mine.machine("cart", "full") == ("cart", "full")
    assert await mine.machine("login", MACHINE_START) == ("login", MACHINE_START)
    assert await mine.shown() == ([("cart", "full"), ("order", "paid")], [])


async def test_a_machine_is_put_back_by_naming_no_state(mine: StateDesk) -> None:
    await mine.machine("order", "paid")
    assert await mine.machine("order", "") == ("order", MACHINE_START)
    assert await mine.shown() == ([], [])


async def test_a_machine_that_was_set_is_in_that_state_for_the_next_request(mine: StateDesk) -> None:
    await mine.machine("order", "paid")
    owner = await owner_of(mine.desk)
    claim = Claim("ovr_a", owner, 0, "order", owner, "paid", "sent")
    assert mine.desk.world.state.claim(claim) == 1
    assert await mine.shown() == ([("order", "sent")], [("ovr_a", 1)])


async def test_uses_are_shown_by_the_ids_of_the_mocks(mine: StateDesk) -> None:
    owner, session = await owner_of(mine.desk), await record_of(mine.desk)
    for mock in ("ovr_b", f"{session.id}/ovr_a", "ovr_b", ""):
        mine.desk.world.state.claim(Claim(mock, owner))
    assert await mine.shown() == ([], [("ovr_a", 1), ("ovr_b", 2)])


# Beginning anew


async def test_one_owner_begins_anew_and_the_others_stay(furnished: Desk) -> None:
    desks = [StateDesk(furnished, **owner) for owner in OWNERS]
    for each in desks:
        await each.set("k", "1")
        await each.machine("order", "paid")
    await desks[1].reset()
    await desks[1].reset()
    assert [await each.keys() for each in desks] == [["k"], [], ["k"], ["k"], ["k"]]
    assert await desks[1].shown() == ([], [])


async def test_everything_in_an_environment_begins_anew(furnished: Desk) -> None:
    desks = [StateDesk(furnished, **owner) for owner in OWNERS]
    elsewhere = StateDesk(Desk(furnished.world, environment="qa"))
    for each in (*desks, elsewhere):
        await each.set("k", "1")
    await desks[0].reset(everything=True)
    assert [await each.keys() for each in (*desks, elsewhere)] == [[], [], [], [], [], ["k"]]


@pytest.mark.parametrize("name", ["session_key", "chain"])
async def test_everything_is_not_that_of_one(furnished: Desk, name: str) -> None:
    request = pb.ResetStateRequest(everything=True, **{name: "ci-42"})
    problem = await furnished.refused("StateService.ResetState", request)
    assert (problem.reason, problem.field, problem.rule) == ("invalid_field", name, "exclusive")


@pytest.mark.parametrize("rpc", RPCS)
async def test_a_session_and_a_chain_at_once_are_refused(furnished: Desk, rpc: str) -> None:
    request: Any = type(RPCS[rpc])()
    request.CopyFrom(RPCS[rpc])
    request.session_key = request.chain = "ci-42"
    problem = await furnished.refused(f"StateService.{rpc}", request)
    assert (problem.reason, problem.field, problem.rule) == ("invalid_field", "chain", "exclusive")


@pytest.mark.parametrize("rpc", RPCS)
async def test_a_session_that_there_is_not_has_no_state(furnished: Desk, rpc: str) -> None:
    request: Any = type(RPCS[rpc])()
    request.CopyFrom(RPCS[rpc])
    request.session_key = "unknown"
    assert await furnished.code(f"StateService.{rpc}", request) == "not_found"
    assert list(furnished.world.state.owners()) == []


async def test_a_session_that_has_expired_has_no_state(mine: StateDesk) -> None:
    await mine.set("k", "1")
    await mine.desk.put(PutSessionRequest(ttl_seconds=5))
    mine.desk.world.clock.advance(5)
    request = pb.ListStateValuesRequest(session_key="ci-42")
    assert await mine.desk.code("StateService.ListStateValues", request) == "not_found"


# What becomes of state when sessions and environments end


async def test_a_session_that_is_reset_begins_anew_at_once(mine: StateDesk) -> None:
    await mine.set("k", "1")
    before = await owner_of(mine.desk)
    mine.desk.world.state.claim(Claim("ovr_a", before, 1))
    await mine.desk.end(DELETE_MODE_RESET)
    after = await owner_of(mine.desk)
    assert await mine.keys() == []
    assert await mine.shown() == ([], [])
    assert mine.desk.world.state.claim(Claim("ovr_a", after, 1)) == 1


async def test_a_reset_of_a_session_that_has_nothing_but_state_counts_as_no_change_of_it(mine: StateDesk) -> None:
    before = await record_of(mine.desk)
    await mine.desk.end(DELETE_MODE_RESET)
    after = await record_of(mine.desk)
    assert after == replace(before, generation=2)
    await mine.desk.end(DELETE_MODE_RESET)
    assert (await record_of(mine.desk)).generation == 3


async def test_other_changes_of_a_session_leave_its_state_alone(mine: StateDesk) -> None:
    await mine.set("k", "1")
    await mine.desk.put(PutSessionRequest(label="CI"))
    await mine.desk.put(PutSessionRequest(label="CI"))
    assert await mine.keys() == ["k"]


async def test_a_reset_is_refused_whole(mine: StateDesk) -> None:
    await mine.set("k", "1")
    request = DeleteSessionRequest(session_key="ci-42", expected_revision=9)
    assert await mine.desk.code("SessionService.DeleteSession", request) == "revision_mismatch"
    assert await mine.keys() == ["k"]


async def test_what_is_swept_is_the_state_of_what_is_gone(mine: StateDesk) -> None:
    desk, state = mine.desk, mine.desk.world.state
    desks = [StateDesk(desk, **owner) for owner in OWNERS]
    for each in desks:
        await each.set("k", "1")
    environment_id = (await record_of(desk)).environment_id
    nobody = Owner(environment_id, Scope.SESSION)
    state.claim(Claim("ovr_a", nobody))
    gone = Owner("env_gone", Scope.CHAIN, "order")
    state.claim(Claim("ovr_a", gone))
    was_reset = await owner_of(desk)
    await desk.end(DELETE_MODE_RESET)
    await mine.set("after", "1")
    deleted = await owner_of(desk, "ci-43")
    await desk.end(DELETE_MODE_DELETE, "ci-43")
    before = set(state.owners())

    await swept(desk)

    assert set(state.owners()) == before - {was_reset, deleted, gone}
    assert await mine.keys() == ["after"]


async def test_a_session_made_again_has_nothing_of_the_one_before(mine: StateDesk) -> None:
    await mine.set("k", "1")
    await mine.desk.end(DELETE_MODE_DELETE)
    await mine.desk.put()
    assert await mine.keys() == []


async def test_the_state_of_an_environment_that_is_removed_is_swept(mine: StateDesk) -> None:
    for owner in OWNERS:
        await StateDesk(mine.desk, **owner).set("k", "1")
    request = DeleteEnvironmentRequest(environment="staging", force=True)
    await mine.desk.call("ProjectService.DeleteEnvironment", request, DeleteEnvironmentResponse)
    await swept(mine.desk)
    assert list(mine.desk.world.state.owners()) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.text(min_size=1, max_size=20), text=st.text(max_size=20))
async def test_any_key_has_its_value(mine: StateDesk, key: str, text: str) -> None:
    value = json.dumps(text)
    await mine.set(key, value)
    assert await mine.get(key) == value
    assert key in await mine.keys(key)
    await mine.reset()


# Uses of mocks that come and go


async def test_a_mock_made_again_was_never_used(mine: StateDesk) -> None:
    owner = await owner_of(mine.desk)
    for each in ("ovr_a", "ovr_b"):
        await mine.desk.create(Mock(id=each, name=each))
        mine.desk.world.state.claim(Claim(each, owner))
    await mine.desk.delete_mock("ovr_a")
    await mine.desk.create(Mock(id="ovr_a", name="anew"))
    assert await mine.shown() == ([], [("ovr_b", 1)])


async def test_a_mock_that_is_changed_was_used_as_often_as_before(mine: StateDesk) -> None:
    await mine.desk.create(Mock(id="ovr_a", name="a"))
    mine.desk.world.state.claim(Claim("ovr_a", await owner_of(mine.desk)))
    await mine.desk.update("ovr_a", Mock(name="b"), "name")
    assert await mine.shown() == ([], [("ovr_a", 1)])


async def test_a_mock_that_a_manifest_declares_anew_was_never_used(desk: Desk) -> None:
    state = desk.world.state

    async def apply(*mocks: str, name: str) -> None:
        manifest = Manifest(source="understudy.yaml")
        environment = manifest.projects["shop"].environments["staging"]
        for each in mocks:
            environment.mocks[each].name = name
        await desk.call("ManifestService.ApplyManifest", ApplyManifestRequest(manifest=manifest), ApplyManifestResponse)

    await apply("ovr_a", "ovr_b", name="first")
    owner = await _environment_owner(desk, "shop")
    for each in ("ovr_a", "ovr_b"):
        state.claim(Claim(each, owner))
    await apply("ovr_b", name="second")
    await apply("ovr_a", "ovr_b", name="third")
    assert state.uses(owner) == [("ovr_b", 1)]


async def _environment_owner(desk: Desk, project: str) -> Owner:
    found = await desk.world.store.read(lambda tx: tx.project(project))
    assert found is not None
    environment = await desk.world.store.read(lambda tx: tx.environment(found.id, "staging"))
    assert environment is not None
    return Owner(environment.id, Scope.ENVIRONMENT)
