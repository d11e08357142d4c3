"""What an environment takes as its settings for the proxy, and how they are set and cleared."""

import subprocess
import sys

import pytest
from support.desk import Desk
from understudy.options.v1.options_pb2 import ROLE_EDITOR
from understudy.v1 import project_service_pb2 as pb
from understudy.v1.project_service_pb2 import (
    PROFILE_FLOWMOCK,
    PROFILE_MOCKARTY,
    Carrier,
    Cors,
    Environment,
    EnvironmentChanges,
    EnvironmentLimits,
    Profile,
    Redaction,
)

CREATE, UPDATE = "ProjectService.CreateEnvironment", "ProjectService.UpdateEnvironment"
EVERY_CARRIER = [
    Carrier(header="X-Run"),
    Carrier(cookie="sid"),
    Carrier(query="run id"),
    Carrier(jwt_claim="user.session"),
    Carrier(jwt_claim="https://shop.example.com/run"),
    Carrier(baggage="test.run"),
]
LABEL = "a" * 63
GOOD_HOSTS = [
    "shop.example.com",
    "localhost",
    "a",
    "my_service",
    "_tcp.example",
    "1.2.3.4.example",
    "xn--bcher-kva.example",
    "0x7f.example",
    "0xg",
    "7f0",
    f"{LABEL}.{LABEL}.{LABEL}.{'a' * 61}",
]
BAD_HOSTS = [
    "",
    "Shop.example.com",
    "shop.example.com:8080",
    "shop.example.com.",
    ".example.com",
    "shop..example.com",
    "-shop.example.com",
    "shop-.example.com",
    "*.example.com",
    "bücher.example",
    "shop example.com",
    "shop.example.com\n",
    "http://shop.example.com",
    "shop.example.com/path",
    "[::1]",
    "::1",
    "127.0.0.1",
    "127.1",
    "0",
    "2130706433",
    "0x7f000001",
    "127.0.0.0x1",
    "0x",
    "a" * 64,
    f"{LABEL}.{LABEL}.{LABEL}.{'a' * 62}",
]
BAD_CARRIERS = [
    Carrier(),
    Carrier(header=""),
    Carrier(header="x run"),
    Carrier(header="x:run"),
    Carrier(header="x\r\nrun"),
    Carrier(header="a" * 257),
    Carrier(cookie=""),
    Carrier(cookie="a=b"),
    Carrier(cookie="a;b"),
    Carrier(query=""),
    Carrier(query="a" * 257),
    Carrier(jwt_claim=""),
    Carrier(jwt_claim="user."),
    Carrier(jwt_claim=".session"),
    Carrier(jwt_claim="user..session"),
    Carrier(baggage=""),
    Carrier(baggage="a,b"),
]


def full(slug: str = "new", profile: Profile = PROFILE_MOCKARTY) -> Environment:
    """An environment with nothing left at its default."""
    return Environment(
        slug=slug,
        name="New",
        upstream="http://real",
        hosts=["b.test", "a.test"],
        carriers=EVERY_CARRIER,
        strict=True,
        cors=Cors(forward_preflights=True, leave_answers=True),
        tunnel_upgrades=True,
        strip_session_header=True,
        redaction=Redaction(headers=["X-Token"], query=["token"], json_paths=["$.card.number", "$..token"]),
        limits=EnvironmentLimits(
            request_body_bytes_max=1,
            captured_bytes_max=0,
            first_byte_ms=2,
            session_log_entries_max=3,
            session_log_bytes_max=4,
            log_entries_max=5,
            log_bytes_max=6,
            log_retention_seconds=7,
        ),
        profile=profile,
    )


async def create(desk: Desk, environment: Environment) -> Environment:
    request = pb.CreateEnvironmentRequest(environment=environment)
    return (await desk.call(CREATE, request, pb.CreateEnvironmentResponse)).environment


async def update(desk: Desk, changes: EnvironmentChanges, *mask: str) -> Environment:
    request = pb.UpdateEnvironmentRequest(changes=changes)
    request.update_mask.paths.extend(mask)
    return (await desk.call(UPDATE, request, pb.UpdateEnvironmentResponse)).environment


async def read(desk: Desk) -> Environment:
    request = pb.GetEnvironmentRequest()
    return (await desk.call("ProjectService.GetEnvironment", request, pb.GetEnvironmentResponse)).environment


def of_new(desk: Desk) -> Desk:
    """The desk at the environment that `full` describes."""
    return Desk(desk.world, desk.project, "new", desk.key)


def settings(environment: Environment) -> Environment:
    """What a caller can set of an environment."""
    kept = Environment()
    kept.CopyFrom(environment)
    for name in ("project", "created_at", "updated_at", "revision"):
        kept.ClearField(name)
    return kept


async def test_everything_that_is_set_when_made_is_read_back(desk: Desk) -> None:
    made = await create(desk, full())
    assert settings(made) == full()
    assert await read(of_new(desk)) == made


async def test_an_environment_made_without_settings_has_the_defaults(desk: Desk) -> None:
    made = await create(desk, Environment(slug="new"))
    assert settings(made) == Environment(slug="new", name="new", profile=PROFILE_FLOWMOCK)


async def test_everything_can_be_changed(desk: Desk) -> None:
    given = full()
    changes = EnvironmentChanges(
        **{name: getattr(given, name) for name in EnvironmentChanges.DESCRIPTOR.fields_by_name}
    )
    assert settings(await update(desk, changes)) == full("staging", PROFILE_FLOWMOCK)
    assert settings(await read(desk)) == full("staging", PROFILE_FLOWMOCK)


async def test_a_change_leaves_what_it_does_not_name(desk: Desk) -> None:
    await create(desk, full())
    expected = full()
    expected.upstream = "http://other"
    assert settings(await update(of_new(desk), EnvironmentChanges(upstream="http://other"))) == expected


@pytest.mark.parametrize("name", EnvironmentChanges.DESCRIPTOR.fields_by_name)
async def test_what_is_masked_and_absent_is_cleared_alone(desk: Desk, name: str) -> None:
    await create(desk, full())
    expected = full()
    expected.ClearField(name)
    expected.name = expected.name or expected.slug
    assert settings(await update(of_new(desk), EnvironmentChanges(), name)) == expected


async def test_a_list_is_set_whole(desk: Desk) -> None:
    await create(desk, full())
    changes = EnvironmentChanges(hosts=["c.test", "b.test"], carriers=[Carrier(query="run")])
    found = await update(of_new(desk), changes)
    assert (list(found.hosts), list(found.carriers)) == (["c.test", "b.test"], [Carrier(query="run")])


async def test_an_empty_list_without_a_mask_changes_nothing(desk: Desk) -> None:
    await create(desk, full())
    found = await update(of_new(desk), EnvironmentChanges(hosts=[], carriers=[], name="New"))
    assert (list(found.hosts), list(found.carriers)) == (list(full().hosts), EVERY_CARRIER)


async def test_cors_is_set_whole(desk: Desk) -> None:
    await create(desk, full())
    found = await update(of_new(desk), EnvironmentChanges(cors=Cors(leave_answers=True)))
    assert found.cors == Cors(leave_answers=True)


@pytest.mark.parametrize("host", GOOD_HOSTS)
async def test_a_name_in_lower_case_is_a_host(desk: Desk, host: str) -> None:
    assert (await update(desk, EnvironmentChanges(hosts=[host]))).hosts == [host]


@pytest.mark.parametrize("host", BAD_HOSTS)
async def test_what_is_no_host_name_is_refused(desk: Desk, host: str) -> None:
    made = await desk.refused(
        CREATE, pb.CreateEnvironmentRequest(environment=Environment(slug="new", hosts=["a.test", host]))
    )
    changed = await desk.refused(UPDATE, pb.UpdateEnvironmentRequest(changes=EnvironmentChanges(hosts=[host])))
    assert (made.reason, made.field) == ("invalid_field", "environment.hosts[1]")
    assert (changed.reason, changed.field) == ("invalid_field", "changes.hosts[0]")


async def test_a_host_named_twice_in_one_list_is_refused(desk: Desk) -> None:
    changes = EnvironmentChanges(hosts=["a.test", "b.test", "a.test"])
    problem = await desk.refused(UPDATE, pb.UpdateEnvironmentRequest(changes=changes))
    assert (problem.reason, problem.field) == ("invalid_field", "changes.hosts[2]")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (EnvironmentChanges(hosts=[f"{number}.test" for number in range(33)]), "changes.hosts"),
        (EnvironmentChanges(carriers=[Carrier(query="run")] * 17), "changes.carriers"),
    ],
    ids=["hosts", "carriers"],
)
async def test_a_list_has_a_greatest_length(desk: Desk, changes: EnvironmentChanges, field: str) -> None:
    problem = await desk.refused(UPDATE, pb.UpdateEnvironmentRequest(changes=changes))
    assert (problem.reason, problem.field) == ("invalid_field", field)


async def test_the_longest_lists_are_taken(desk: Desk) -> None:
    hosts, carriers = [f"{number}.test" for number in range(32)], [Carrier(query=f"run{each}") for each in range(16)]
    found = await update(desk, EnvironmentChanges(hosts=hosts, carriers=carriers))
    assert (list(found.hosts), list(found.carriers)) == (hosts, carriers)


@pytest.mark.parametrize("carrier", BAD_CARRIERS, ids=lambda each: str(each).strip()[:30] or "nothing")
async def test_what_is_no_carrier_is_refused(desk: Desk, carrier: Carrier) -> None:
    given = [Carrier(header="x-run"), carrier]
    made = await desk.refused(CREATE, pb.CreateEnvironmentRequest(environment=Environment(slug="new", carriers=given)))
    changed = await desk.refused(UPDATE, pb.UpdateEnvironmentRequest(changes=EnvironmentChanges(carriers=given)))
    source = carrier.WhichOneof("source")
    place = f"carriers[1].{source}" if source else "carriers[1]"
    assert (made.reason, made.field) == ("invalid_field", f"environment.{place}")
    assert (changed.reason, changed.field) == ("invalid_field", f"changes.{place}")


async def test_a_host_of_any_other_environment_is_taken(desk: Desk) -> None:
    await update(Desk(desk.world, "other"), EnvironmentChanges(hosts=["a.test"]))
    made = await desk.refused(
        CREATE, pb.CreateEnvironmentRequest(environment=Environment(slug="new", hosts=["a.test"]))
    )
    changes = EnvironmentChanges(hosts=["b.test", "a.test"])
    changed = await desk.refused(UPDATE, pb.UpdateEnvironmentRequest(changes=changes))
    assert (made.reason, made.field) == ("already_exists", "environment.hosts[0]")
    assert (changed.reason, changed.field) == ("already_exists", "changes.hosts[1]")
    assert (await read(desk)).revision == 1


async def test_a_taken_host_does_not_tell_whose_it_is(desk: Desk) -> None:
    await update(Desk(desk.world, "other"), EnvironmentChanges(hosts=["a.test"]))
    narrow = desk.of(await desk.world.make_key(ROLE_EDITOR, "checkout"))
    problem = await narrow.refused(UPDATE, pb.UpdateEnvironmentRequest(changes=EnvironmentChanges(hosts=["a.test"])))
    assert "other" not in problem.message.replace("another", "")


async def test_an_environment_keeps_a_host_that_is_its_own(desk: Desk) -> None:
    await update(desk, EnvironmentChanges(hosts=["a.test"]))
    assert (await update(desk, EnvironmentChanges(hosts=["b.test", "a.test"]))).hosts == ["b.test", "a.test"]


async def test_hosts_that_are_not_to_be_set_may_be_anybodys(desk: Desk) -> None:
    await update(Desk(desk.world, "other"), EnvironmentChanges(hosts=["a.test"]))
    assert (await update(desk, EnvironmentChanges(hosts=["a.test"], strict=True), "strict")).hosts == []


async def test_a_host_is_free_again_when_it_is_let_go(desk: Desk) -> None:
    other = Desk(desk.world, "other")
    await update(other, EnvironmentChanges(hosts=["a.test"]))
    await update(other, EnvironmentChanges(), "hosts")
    assert (await update(desk, EnvironmentChanges(hosts=["a.test"]))).hosts == ["a.test"]


async def test_a_host_is_free_again_when_its_project_is_removed(desk: Desk) -> None:
    await update(Desk(desk.world, "other"), EnvironmentChanges(hosts=["a.test"]))
    request = pb.DeleteProjectRequest(project="other", force=True)
    await desk.call("ProjectService.DeleteProject", request, pb.DeleteProjectResponse)
    assert (await update(desk, EnvironmentChanges(hosts=["a.test"]))).hosts == ["a.test"]


async def test_an_environment_with_hosts_alone_is_empty(desk: Desk) -> None:
    await update(desk, EnvironmentChanges(hosts=["a.test"]))
    assert await desk.code("ProjectService.DeleteEnvironment", pb.DeleteEnvironmentRequest()) == ""


# Redaction and limits.


@pytest.mark.parametrize(
    ("redaction", "field", "rule"),
    [
        (Redaction(headers=["x token"]), "redaction.headers[0]", "pattern"),
        (Redaction(headers=["a", ""]), "redaction.headers[1]", "min_length"),
        (Redaction(headers=["a"] * 65), "redaction.headers", "max_items"),
        (Redaction(query=[""]), "redaction.query[0]", "min_length"),
        (Redaction(query=["a"] * 65), "redaction.query", "max_items"),
        (Redaction(json_paths=["$.a"] * 33), "redaction.json_paths", "max_items"),
        (Redaction(json_paths=["$." + "a" * 511]), "redaction.json_paths[0]", "max_length"),
        (Redaction(json_paths=["$.a", "card.number"]), "redaction.json_paths[1]", "json_path"),
        (Redaction(json_paths=["$.a["]), "redaction.json_paths[0]", "json_path"),
        (Redaction(json_paths=["$.a", "$.b", "$[?@.a].b"]), "redaction.json_paths[2]", "json_path"),
    ],
)
async def test_redaction_that_cannot_be_done_is_refused(
    desk: Desk, redaction: Redaction, field: str, rule: str
) -> None:
    before = await read(desk)
    making = pb.CreateEnvironmentRequest(environment=Environment(slug="new", redaction=redaction))
    problem = await desk.refused(CREATE, making)
    assert (problem.reason, problem.field, problem.rule) == ("invalid_field", f"environment.{field}", rule)
    problem = await desk.refused(UPDATE, pb.UpdateEnvironmentRequest(changes=EnvironmentChanges(redaction=redaction)))
    assert (problem.reason, problem.field, problem.rule) == ("invalid_field", f"changes.{field}", rule)
    assert await read(desk) == before


async def test_refusal_of_a_path_says_why(desk: Desk) -> None:
    changes = EnvironmentChanges(redaction=Redaction(json_paths=["$.card[?@.kind == 'visa'].number"]))
    problem = await desk.refused(UPDATE, pb.UpdateEnvironmentRequest(changes=changes))
    assert "filter" in problem.message
    assert problem.given == "$.card[?@.kind == 'visa'].number"


async def test_what_is_named_twice_is_masked_once(desk: Desk) -> None:
    redaction = Redaction(headers=["a", "A"], query=["b", "b"], json_paths=["$.c", "$.c"])
    assert (await update(desk, EnvironmentChanges(redaction=redaction))).redaction == redaction


async def test_redaction_and_limits_are_set_whole(desk: Desk) -> None:
    await update(desk, EnvironmentChanges(redaction=full().redaction, limits=full().limits))
    redaction, limits = Redaction(query=["q"]), EnvironmentLimits(captured_bytes_max=7)
    changed = await update(desk, EnvironmentChanges(redaction=redaction, limits=limits))
    assert (changed.redaction, changed.limits) == (redaction, limits)


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        (EnvironmentLimits(request_body_bytes_max=-1), "request_body_bytes_max"),
        (EnvironmentLimits(request_body_bytes_max=1 << 41), "request_body_bytes_max"),
        (EnvironmentLimits(captured_bytes_max=-1), "captured_bytes_max"),
        (EnvironmentLimits(first_byte_ms=3_600_001), "first_byte_ms"),
        (EnvironmentLimits(session_log_entries_max=100_000_001), "session_log_entries_max"),
        (EnvironmentLimits(session_log_bytes_max=-1), "session_log_bytes_max"),
        (EnvironmentLimits(log_entries_max=-1), "log_entries_max"),
        (EnvironmentLimits(log_bytes_max=1 << 41), "log_bytes_max"),
        (EnvironmentLimits(log_retention_seconds=315_360_001), "log_retention_seconds"),
    ],
)
async def test_limit_out_of_range_is_refused(desk: Desk, limits: EnvironmentLimits, field: str) -> None:
    problem = await desk.refused(UPDATE, pb.UpdateEnvironmentRequest(changes=EnvironmentChanges(limits=limits)))
    assert (problem.reason, problem.field) == ("invalid_field", f"changes.limits.{field}")


def test_nothing_of_a_path_is_read_where_none_is_set() -> None:
    """Reading paths takes a library that is slow to import."""
    code = (
        "import sys\n"
        "from understudy.v1.project_service_pb2 import Environment, Redaction\n"
        "from understudy_server.app.proxy_settings import check_settings\n"
        "from understudy_server.definitions.environments import compile_redaction\n"
        "import understudy_server.proxy.listener\n"
        "given = Environment(redaction=Redaction(headers=['a'], query=['b']))\n"
        "check_settings(given, 'environment'), compile_redaction(given.redaction)\n"
        "assert 'jsonpath' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
