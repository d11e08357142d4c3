"""Keys: how many, how wide, how long; and that nothing but their hash is kept."""

from pathlib import Path

import pytest
from support.desk import Desk
from support.dispatching import START_MS, World
from understudy.options.v1.options_pb2 import ROLE_ADMIN, ROLE_CI, ROLE_EDITOR, Role
from understudy.v1.key_service_pb2 import (
    CreateKeyRequest,
    CreateKeyResponse,
    Key,
    ListKeysRequest,
    ListKeysResponse,
    RevokeKeyRequest,
    RevokeKeyResponse,
)
from understudy.v1.session_service_pb2 import ListSessionsRequest
from understudy_server.app.times import stamp
from understudy_server.core.keys import ACTIVE_MAX, fingerprint

CREATE = "KeyService.CreateKey"
REVOKE = "KeyService.RevokeKey"


async def make(
    here: World, role: Role = ROLE_CI, project: str = "", environment: str = "", *, name: str = "", key: str = "",
    expires_at_ms: int = 0,
) -> CreateKeyResponse:  # fmt: skip
    request = CreateKeyRequest(name=name, role=role, project=project, environment=environment)
    if expires_at_ms:
        request.expires_at.CopyFrom(stamp(expires_at_ms))
    answer = await here.call(CREATE, request, key)
    assert isinstance(answer, CreateKeyResponse)
    return answer


async def keys(here: World, key: str = "") -> list[Key]:
    answer = await here.call("KeyService.ListKeys", ListKeysRequest(), key)
    assert isinstance(answer, ListKeysResponse)
    return list(answer.keys)


async def revoke(here: World, key_id: str, key: str = "") -> Key:
    answer = await here.call(REVOKE, RevokeKeyRequest(key_id=key_id), key)
    assert isinstance(answer, RevokeKeyResponse)
    return answer.key


async def works(here: World, text: str) -> bool:
    request = ListSessionsRequest(project="checkout", environment="staging")
    code = await here.code("SessionService.ListSessions", request, text)
    assert code in ("", "unauthorized")
    return not code


async def test_a_new_key_works_and_says_what_it_is_for(here: World) -> None:
    made = await make(here, ROLE_EDITOR, "checkout", "qa", name="CI")
    key = made.key
    assert (key.name, key.role, key.project, key.environment) == ("CI", ROLE_EDITOR, "checkout", "qa")
    assert (key.active, key.HasField("expires_at"), key.HasField("revoked_at")) == (True, False, False)


async def test_the_hint_is_the_beginning_of_the_text(here: World) -> None:
    made = await make(here)
    assert made.text.startswith(made.key.hint)
    assert len(made.key.hint) == 8


async def test_no_answer_but_the_first_holds_the_text(here: World) -> None:
    made = await make(here)
    shown = str(await keys(here)) + str(await revoke(here, made.key.id))
    assert made.text not in shown
    assert made.text[8:] not in shown


async def test_the_text_is_nowhere_in_the_files_and_its_hash_is(here: World, tmp_path: Path) -> None:
    made = await make(here, name="findable-name")
    kept = b"".join(path.read_bytes() for path in sorted((tmp_path / "data").iterdir()) if path.is_file())
    assert b"findable-name" in kept
    assert fingerprint(made.text) in kept
    assert made.text[8:].encode() not in kept


async def test_two_keys_have_two_texts(here: World) -> None:
    assert (await make(here)).text != (await make(here)).text


async def test_the_twenty_sixth_active_key_is_refused(here: World) -> None:
    for _ in range(ACTIVE_MAX):
        await make(here)
    problem = await here.refused(CREATE, CreateKeyRequest(role=ROLE_CI))
    assert (problem.reason, problem.limit) == ("key_limit", "25")


async def test_revoked_keys_do_not_count(here: World) -> None:
    made = [await make(here) for _ in range(ACTIVE_MAX)]
    await revoke(here, made[0].key.id)
    assert await here.code(CREATE, CreateKeyRequest(role=ROLE_CI)) == ""


async def test_expired_keys_do_not_count_from_the_very_millisecond(here: World) -> None:
    for _ in range(ACTIVE_MAX):
        await make(here, expires_at_ms=START_MS + 1_000)
    here.clock.now_ms = START_MS + 999
    assert await here.code(CREATE, CreateKeyRequest(role=ROLE_CI)) == "key_limit"
    here.clock.now_ms = START_MS + 1_000
    assert await here.code(CREATE, CreateKeyRequest(role=ROLE_CI)) == ""


@pytest.mark.parametrize(("after_ms", "working"), [(999, True), (1_000, False)])
async def test_a_key_works_until_the_last_millisecond_before_it_expires(
    here: World, after_ms: int, working: bool
) -> None:
    made = await make(here, expires_at_ms=START_MS + 1_000)
    here.clock.now_ms = START_MS + after_ms
    assert await works(here, made.text) is working
    assert [key.active for key in await keys(here)] == [working]


@pytest.mark.parametrize(
    ("expires_at_ms", "code"), [(START_MS, "invalid_field"), (1, "invalid_field"), (START_MS + 1, "")]
)
async def test_a_key_expires_in_the_future(here: World, expires_at_ms: int, code: str) -> None:
    request = CreateKeyRequest(role=ROLE_CI, expires_at=stamp(expires_at_ms))
    assert await here.code(CREATE, request) == code


@pytest.mark.parametrize(
    ("seconds", "nanos"), [(2**62, 0), (-(2**62), 0), (253_402_300_800, 0), (START_MS, -1), (START_MS, 10**9)]
)
async def test_what_is_no_moment_is_refused(here: World, seconds: int, nanos: int) -> None:
    request = CreateKeyRequest(role=ROLE_CI)
    request.expires_at.seconds, request.expires_at.nanos = seconds, nanos
    problem = await here.refused(CREATE, request)
    assert (problem.reason, problem.field) == ("invalid_field", "expires_at")


async def test_revoking_is_in_force_at_once_and_for_good(here: World) -> None:
    made = await make(here)
    assert await works(here, made.text)
    await revoke(here, made.key.id)
    assert not await works(here, made.text)


async def test_revoking_twice_keeps_the_first_moment(here: World) -> None:
    made = await make(here)
    first = await revoke(here, made.key.id)
    here.clock.advance(5)
    assert await revoke(here, made.key.id) == first
    assert (first.active, first.revoked_at) == (False, stamp(START_MS))


async def test_a_key_can_revoke_itself(here: World) -> None:
    made = await make(here, ROLE_ADMIN)
    await revoke(here, made.key.id, made.text)
    assert not await works(here, made.text)


async def test_revoking_what_is_no_key_is_not_found(here: World) -> None:
    assert await here.code(REVOKE, RevokeKeyRequest(key_id="key_none")) == "not_found"


@pytest.mark.parametrize("role", [ROLE_CI, ROLE_EDITOR])
async def test_only_admins_manage_keys(here: World, role: Role) -> None:
    text = (await make(here, role)).text
    codes = [
        await here.code(CREATE, CreateKeyRequest(role=ROLE_CI), text),
        await here.code("KeyService.ListKeys", ListKeysRequest(), text),
        await here.code(REVOKE, RevokeKeyRequest(key_id="key_none"), text),
    ]
    assert codes == ["role_required"] * 3


@pytest.mark.parametrize("role", [0, 4, -1])
async def test_a_key_has_one_of_the_roles(here: World, role: int) -> None:
    request = CreateKeyRequest(role=role)  # type: ignore[arg-type]
    assert (await here.refused(CREATE, request)).field == "role"


PLACES = {
    "organisation": ("", ""),
    "checkout": ("checkout", ""),
    "checkout/staging": ("checkout", "staging"),
    "checkout/qa": ("checkout", "qa"),
    "other": ("other", ""),
    "other/staging": ("other", "staging"),
}
WITHIN = {
    "organisation": set(PLACES),
    "checkout": {"checkout", "checkout/staging", "checkout/qa"},
    "checkout/staging": {"checkout/staging"},
}


@pytest.mark.parametrize("asked", PLACES)
@pytest.mark.parametrize("own", WITHIN)
async def test_a_key_makes_none_that_reaches_further_than_itself(here: World, own: str, asked: str) -> None:
    admin = await make(here, ROLE_ADMIN, *PLACES[own])
    project, environment = PLACES[asked]
    request = CreateKeyRequest(role=ROLE_CI, project=project, environment=environment)
    assert await here.code(CREATE, request, admin.text) == ("" if asked in WITHIN[own] else "scope_mismatch")


@pytest.mark.parametrize("own", WITHIN)
async def test_a_key_lists_those_within_its_reach(here: World, own: str) -> None:
    admin = await make(here, ROLE_ADMIN, *PLACES[own], name=own)
    for name, place in PLACES.items():
        await make(here, ROLE_CI, *place, name=name)
    assert {key.name for key in await keys(here, admin.text)} == WITHIN[own]


@pytest.mark.parametrize("target", PLACES)
@pytest.mark.parametrize("own", WITHIN)
async def test_a_key_revokes_only_those_within_its_reach(here: World, own: str, target: str) -> None:
    admin = await make(here, ROLE_ADMIN, *PLACES[own])
    victim = await make(here, ROLE_CI, *PLACES[target])
    code = await here.code(REVOKE, RevokeKeyRequest(key_id=victim.key.id), admin.text)
    assert code == ("" if target in WITHIN[own] else "not_found")


@pytest.mark.parametrize("project", ["other", "nowhere"])
async def test_a_key_does_not_learn_which_other_projects_exist(here: World, project: str) -> None:
    admin = await make(here, ROLE_ADMIN, "checkout")
    request = CreateKeyRequest(role=ROLE_CI, project=project)
    assert await here.code(CREATE, request, admin.text) == "scope_mismatch"


@pytest.mark.parametrize("environment", ["qa", "nowhere"])
async def test_a_key_does_not_learn_which_other_environments_exist(here: World, environment: str) -> None:
    admin = await make(here, ROLE_ADMIN, "checkout", "staging")
    request = CreateKeyRequest(role=ROLE_CI, project="checkout", environment=environment)
    assert await here.code(CREATE, request, admin.text) == "scope_mismatch"


@pytest.mark.parametrize(
    ("project", "environment", "code", "field"),
    [
        ("nowhere", "", "not_found", "project"),
        ("checkout", "nowhere", "not_found", "environment"),
        ("", "staging", "invalid_field", "project"),
    ],
)
async def test_a_key_is_for_a_place_that_exists(
    here: World, project: str, environment: str, code: str, field: str
) -> None:
    problem = await here.refused(CREATE, CreateKeyRequest(role=ROLE_CI, project=project, environment=environment))
    assert (problem.reason, problem.field) == (code, field)


async def test_a_list_is_newest_first_and_paged(desk: Desk) -> None:
    made = [(await make(desk.world)).key.id for _ in range(3)]
    first = await desk.call("KeyService.ListKeys", ListKeysRequest(page_size=2), ListKeysResponse)
    request = ListKeysRequest(page_size=2, page_token=first.next_page_token)
    rest = await desk.call("KeyService.ListKeys", request, ListKeysResponse)
    assert [key.id for key in [*first.keys, *rest.keys]] == made[::-1]
    assert rest.next_page_token == ""


async def test_the_keys_of_one_project_are_listed(here: World) -> None:
    for project in ("", "checkout", "other"):
        await make(here, ROLE_CI, project, name=project or "wide")
    request = ListKeysRequest(in_project="checkout")
    answer = await here.call("KeyService.ListKeys", request)
    assert isinstance(answer, ListKeysResponse)
    assert [key.name for key in answer.keys] == ["checkout"]


@pytest.mark.parametrize(
    ("own", "asked", "code"),
    [("", "nowhere", "not_found"), ("checkout", "nowhere", "scope_mismatch"), ("checkout", "other", "scope_mismatch")],
)
async def test_keys_are_listed_of_projects_that_the_key_may_see(here: World, own: str, asked: str, code: str) -> None:
    admin = await make(here, ROLE_ADMIN, own)
    assert await here.code("KeyService.ListKeys", ListKeysRequest(in_project=asked), admin.text) == code
