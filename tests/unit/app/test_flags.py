"""Flags of a project and what they are set to."""

import pytest
from support.desk import Desk
from support.dispatching import World
from understudy.options.v1.options_pb2 import ROLE_EDITOR
from understudy.v1 import flag_service_pb2 as pb
from understudy.v1 import flags_pb2 as flags
from understudy.v1.flags_pb2 import Flag, FlagCondition, FlagRule, FlagState, FlagVariant
from understudy.v1.project_service_pb2 import DeleteEnvironmentRequest, DeleteProjectRequest


async def create(desk: Desk, flag: Flag | str = "new-checkout") -> Flag:
    flag = Flag(key=flag) if isinstance(flag, str) else flag
    return (await desk.call("FlagService.CreateFlag", pb.CreateFlagRequest(flag=flag), pb.CreateFlagResponse)).flag


async def read(desk: Desk, key: str = "new-checkout") -> Flag:
    return (await desk.call("FlagService.GetFlag", pb.GetFlagRequest(flag_key=key), pb.GetFlagResponse)).flag


async def put(desk: Desk, state: FlagState, *mask: str, key: str = "new-checkout", expected: int = 0) -> FlagState:
    request = pb.PutFlagStateRequest(flag_key=key, state=state, expected_revision=expected)
    request.update_mask.paths.extend(mask)
    return (await desk.call("FlagService.PutFlagState", request, pb.PutFlagStateResponse)).state


async def update(desk: Desk, changes: pb.FlagChanges, *mask: str) -> Flag:
    request = pb.UpdateFlagRequest(flag_key="new-checkout", changes=changes)
    request.update_mask.paths.extend(mask)
    return (await desk.call("FlagService.UpdateFlag", request, pb.UpdateFlagResponse)).flag


async def batch(desk: Desk, *operations: pb.FlagOperation) -> list[Flag]:
    request = pb.BatchFlagsRequest(operations=operations)
    return list((await desk.call("FlagService.BatchFlags", request, pb.BatchFlagsResponse)).flags)


async def test_a_new_flag_is_boolean_named_as_its_key_and_set_nowhere(desk: Desk) -> None:
    made = await create(desk)

    assert (made.key, made.name, made.kind, made.revision) == (
        "new-checkout",
        "new-checkout",
        flags.FLAG_KIND_BOOLEAN,
        1,
    )
    assert not made.states
    assert await read(desk) == made


async def test_a_key_is_taken_once(desk: Desk) -> None:
    await create(desk)

    assert await desk.code("FlagService.CreateFlag", pb.CreateFlagRequest(flag=Flag(key="new-checkout"))) == (
        "already_exists"
    )


async def test_projects_have_flags_of_their_own(desk: Desk, here: World) -> None:
    await create(desk)

    assert await Desk(here, "other").code("FlagService.GetFlag", pb.GetFlagRequest(flag_key="new-checkout")) == (
        "not_found"
    )


@pytest.mark.parametrize("key", ["", "with space", "tab\there", "a" * 257])
async def test_a_key_with_white_space_or_of_no_length_is_refused(desk: Desk, key: str) -> None:
    assert await desk.code("FlagService.CreateFlag", pb.CreateFlagRequest(flag=Flag(key=key))) == "invalid_field"


@pytest.mark.parametrize("key", ["__proto__", "feature/login", "größe.neu", "batch"])
async def test_unusual_keys_are_keys(desk: Desk, key: str) -> None:
    assert (await create(desk, key)).key == key
    assert (await read(desk, key)).key == key


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (flags.FLAG_KIND_BOOLEAN, '"on"'),
        (flags.FLAG_KIND_STRING, "true"),
        (flags.FLAG_KIND_NUMBER, '"1"'),
    ],
)
async def test_a_default_of_another_kind_is_refused(desk: Desk, kind: flags.FlagKind, value: str) -> None:
    request = pb.CreateFlagRequest(flag=Flag(key="a", kind=kind, default_value=value))

    problem = await desk.refused("FlagService.CreateFlag", request)

    assert (problem.reason, problem.field) == ("invalid_field", "flag.default_value")


async def test_a_default_may_be_a_variant_whatever_the_kind(desk: Desk) -> None:
    made = await create(desk, Flag(key="a", default_value='"green"', variants=[FlagVariant(key="green")]))

    assert made.default_value == '"green"'


async def test_a_default_of_null_is_none(desk: Desk) -> None:
    assert not (await create(desk, Flag(key="a", default_value="null"))).HasField("default_value")


async def test_a_variant_that_is_there_twice_is_refused(desk: Desk) -> None:
    flag = Flag(key="a", variants=[FlagVariant(key="green"), FlagVariant(key="green")])

    assert (await desk.refused("FlagService.CreateFlag", pb.CreateFlagRequest(flag=flag))).field == (
        "flag.variants[1].key"
    )


async def test_an_update_sets_what_is_present_and_moves_the_revision(desk: Desk) -> None:
    await create(desk, Flag(key="new-checkout", description="old", tags=["a"]))

    changed = await update(desk, pb.FlagChanges(description="new"))

    assert (changed.description, list(changed.tags), changed.revision) == ("new", ["a"], 2)


async def test_an_update_that_changes_nothing_keeps_the_revision(desk: Desk) -> None:
    await create(desk, Flag(key="new-checkout", description="old"))

    assert (await update(desk, pb.FlagChanges(description="old"))).revision == 1


async def test_a_masked_name_that_is_unset_is_the_key_again(desk: Desk) -> None:
    await create(desk, Flag(key="new-checkout", name="Checkout"))

    assert (await update(desk, pb.FlagChanges(), "name")).name == "new-checkout"


async def test_a_state_that_was_never_set_is_off(desk: Desk) -> None:
    await create(desk)

    request = pb.GetFlagStateRequest(flag_key="new-checkout")
    found = (await desk.call("FlagService.GetFlagState", request, pb.GetFlagStateResponse)).state

    assert found == FlagState(environment="staging", enabled=False)


async def test_states_differ_by_environment(desk: Desk, here: World) -> None:
    await create(desk)
    await put(desk, FlagState(enabled=True))
    await put(Desk(here, environment="qa"), FlagState(enabled=False, value='"x"'))

    states = {each.environment: (each.enabled, each.value) for each in (await read(desk)).states}

    assert states == {"qa": (False, '"x"'), "staging": (True, "")}


async def test_what_is_absent_of_a_state_stays_and_what_is_masked_and_unset_goes(desk: Desk) -> None:
    await create(desk)
    await put(desk, FlagState(enabled=True, rollout_percentage=10, rules=[FlagRule(id="rule_a")]))

    later = await put(desk, FlagState(enabled=False))
    last = await put(desk, FlagState(), "rollout_percentage", "rules")

    assert (later.enabled, later.rollout_percentage, len(later.rules)) == (False, 10, 1)
    assert (last.enabled, last.HasField("rollout_percentage"), len(last.rules)) == (False, False, 0)
    assert (last.revision, last.HasField("enabled")) == (3, True)


async def test_rules_keep_their_order_and_get_ids(desk: Desk) -> None:
    await create(desk)
    rules = [FlagRule(name="one"), FlagRule(id="rule_two", name="two"), FlagRule(name="three")]

    found = (await put(desk, FlagState(rules=rules))).rules

    assert [each.name for each in found] == ["one", "two", "three"]
    assert found[1].id == "rule_two"
    assert found[0].id.startswith("rule_")
    assert len({each.id for each in found}) == 3


async def test_a_rule_of_an_id_that_another_has_is_refused(desk: Desk) -> None:
    await create(desk)
    request = pb.PutFlagStateRequest(flag_key="new-checkout")
    request.state.rules.extend([FlagRule(id="rule_a"), FlagRule(id="rule_a")])

    assert (await desk.refused("FlagService.PutFlagState", request)).field == "state.rules[1].id"


async def test_more_conditions_in_all_rules_than_a_state_has_are_refused(desk: Desk) -> None:
    await create(desk)
    rule = FlagRule(conditions=[FlagCondition(attribute="plan", operator="exists")] * 50)
    kept = await put(desk, FlagState(rules=[rule] * 40))
    request = pb.PutFlagStateRequest(flag_key="new-checkout")
    request.state.rules.extend([rule] * 41)

    problem = await desk.refused("FlagService.PutFlagState", request)

    assert (problem.reason, problem.field, problem.rule, problem.limit) == (
        "invalid_field",
        "state.rules[40].conditions",
        "max_items",
        "2000",
    )
    assert (await put(desk, FlagState(enabled=True))).rules == kept.rules


@pytest.mark.parametrize("operator", ["equal", "==", "", "unknown:"])
async def test_a_misspelt_operator_is_refused(desk: Desk, operator: str) -> None:
    await create(desk)
    request = pb.PutFlagStateRequest(flag_key="new-checkout")
    request.state.rules.add().conditions.append(FlagCondition(attribute="plan", operator=operator))

    assert (await desk.refused("FlagService.PutFlagState", request)).field == "state.rules[0].conditions[0].operator"


async def test_a_revision_that_is_not_the_present_one_is_refused(desk: Desk) -> None:
    await create(desk)
    await put(desk, FlagState(enabled=True))
    await put(desk, FlagState(enabled=False), expected=1)

    request = pb.PutFlagStateRequest(flag_key="new-checkout", state=FlagState(enabled=True), expected_revision=1)

    assert await desk.code("FlagService.PutFlagState", request) == "revision_mismatch"


async def test_a_flag_that_is_gone_leaves_no_state(desk: Desk) -> None:
    await create(desk)
    await put(desk, FlagState(enabled=True))

    await desk.call("FlagService.DeleteFlag", pb.DeleteFlagRequest(flag_key="new-checkout"), pb.DeleteFlagResponse)
    await create(desk)

    assert not (await read(desk)).states


async def test_lists_page_search_and_filter(desk: Desk) -> None:
    for key in ("alpha", "beta", "gamma"):
        await create(desk, Flag(key=key, name=f"The {key.title()}", tags=["old"] if key != "beta" else ["new"]))

    async def listed(**asked: object) -> pb.ListFlagsResponse:
        return await desk.call("FlagService.ListFlags", pb.ListFlagsRequest(**asked), pb.ListFlagsResponse)  # type: ignore[arg-type]

    first = await listed(page_size=2)
    rest = await listed(page_size=2, page_token=first.next_page_token)

    assert [each.key for each in (*first.flags, *rest.flags)] == ["alpha", "beta", "gamma"]
    assert (first.total, rest.next_page_token) == (3, "")
    assert [each.key for each in (await listed(search="BETA")).flags] == ["beta"]
    assert [each.key for each in (await listed(tags=["old"])).flags] == ["alpha", "gamma"]


async def test_a_list_may_show_the_states_of_one_environment(desk: Desk, here: World) -> None:
    await create(desk)
    await put(desk, FlagState(enabled=True))
    await put(Desk(here, environment="qa"), FlagState(enabled=True))

    request = pb.ListFlagsRequest(in_environment="qa")
    (found,) = (await desk.call("FlagService.ListFlags", request, pb.ListFlagsResponse)).flags

    assert [each.environment for each in found.states] == ["qa"]
    assert await desk.code("FlagService.ListFlags", pb.ListFlagsRequest(in_environment="none")) == "not_found"


async def test_a_batch_makes_a_flag_and_switches_it_on_everywhere(desk: Desk) -> None:
    made, on = await batch(
        desk,
        pb.FlagOperation(create=pb.CreateFlagRequest(flag=Flag(key="a"))),
        pb.FlagOperation(put_state=pb.PutFlagStateRequest(flag_key="a", state=FlagState(enabled=True))),
    )

    assert (made.key, {each.environment: each.enabled for each in on.states}) == ("a", {"qa": True, "staging": True})


async def test_a_rule_that_is_set_everywhere_has_one_id_and_each_rule_another(desk: Desk) -> None:
    rules = [FlagRule(name="a"), FlagRule(id="7b1c0f0e-1111-4222-8333-123456789abc"), FlagRule(name="b")]
    put_state = pb.PutFlagStateRequest(flag_key="new-checkout", state=FlagState(rules=rules))
    create_flag = pb.CreateFlagRequest(flag=Flag(key="new-checkout"))
    *_, made = await batch(desk, pb.FlagOperation(create=create_flag), pb.FlagOperation(put_state=put_state))

    qa, staging = ([rule.id for rule in state.rules] for state in made.states)
    assert qa == staging
    assert (len(set(qa)), qa[1]) == (3, rules[1].id)
    assert all(each.startswith("rule_") for each in (qa[0], qa[2]))


async def test_a_batch_that_fails_changes_nothing(desk: Desk) -> None:
    request = pb.BatchFlagsRequest()
    request.operations.add().create.flag.key = "a"
    request.operations.add().delete.flag_key = "none"

    problem = await desk.refused("FlagService.BatchFlags", request)

    assert (problem.reason, problem.field) == ("not_found", "operations[1].delete")
    assert await desk.code("FlagService.GetFlag", pb.GetFlagRequest(flag_key="a")) == "not_found"


async def test_a_key_for_one_environment_sees_its_state_and_changes_no_other(desk: Desk, here: World) -> None:
    await create(desk)
    await put(desk, FlagState(enabled=True))
    await put(Desk(here, environment="qa"), FlagState(enabled=True))
    bound = desk.of(await here.make_key(ROLE_EDITOR, "checkout", "staging"))

    assert [each.environment for each in (await read(bound)).states] == ["staging"]
    assert (await put(bound, FlagState(enabled=False))).enabled is False
    everywhere = pb.BatchFlagsRequest()
    everywhere.operations.add().put_state.CopyFrom(
        pb.PutFlagStateRequest(flag_key="new-checkout", state=FlagState(enabled=True))
    )
    elsewhere = pb.BatchFlagsRequest()
    elsewhere.operations.add().put_state.CopyFrom(
        pb.PutFlagStateRequest(flag_key="new-checkout", environment="qa", state=FlagState(enabled=True))
    )
    for rpc, request in (
        ("CreateFlag", pb.CreateFlagRequest(flag=Flag(key="b"))),
        ("UpdateFlag", pb.UpdateFlagRequest(flag_key="new-checkout", changes=pb.FlagChanges(name="x"))),
        ("DeleteFlag", pb.DeleteFlagRequest(flag_key="new-checkout")),
        ("BatchFlags", everywhere),
        ("BatchFlags", elsewhere),
    ):
        assert await bound.code(f"FlagService.{rpc}", request) == "scope_mismatch", rpc


async def test_flags_go_with_their_environment_and_project(desk: Desk, here: World) -> None:
    await create(desk)
    await put(desk, FlagState(enabled=True))

    request = DeleteEnvironmentRequest(project="checkout", environment="staging", force=True)
    await here.call("ProjectService.DeleteEnvironment", request)
    assert not (await read(Desk(here, environment="qa"))).states
    await here.call("ProjectService.DeleteProject", DeleteProjectRequest(project="checkout", force=True))
    await here.make_project("checkout", "staging")

    assert await desk.code("FlagService.GetFlag", pb.GetFlagRequest(flag_key="new-checkout")) == "not_found"
