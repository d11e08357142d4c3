"""What a mock may say: its limits, what only the proxy writes, and updates by mask."""

from dataclasses import replace

import pytest
from support.desk import Desk
from understudy.v1 import mock_service_pb2 as pb
from understudy.v1.actions_pb2 import Action, Delay, Header, Respond
from understudy.v1.matching_pb2 import Criterion, RequestMatcher
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.project_service_pb2 import (
    PROFILE_ASSERTIVE,
    CreateEnvironmentRequest,
    CreateEnvironmentResponse,
    Environment,
)
from understudy.v1.session_mock_service_pb2 import PutSessionMockRequest, PutSessionMockResponse, SessionMock

CREATE = "MockService.CreateMock"


def responding(**fields: object) -> Mock:
    return Mock(name="a", action=Action(respond=Respond(**fields)))  # type: ignore[arg-type]


def matching(**fields: object) -> Mock:
    return Mock(name="a", matcher=RequestMatcher(**fields))  # type: ignore[arg-type]


def header(name: str, value: str = "x") -> Mock:
    return responding(headers=[Header(name="x-first", value="1"), Header(name=name, value=value)])


@pytest.mark.parametrize(
    "mock",
    [
        responding(status=200),
        responding(status=599),
        responding(headers=[Header(name="x-a", value="")] * 64),
        responding(text="x" * 1_048_576),
        responding(binary=b"\xff" * 1_048_576),
        responding(json="[" * 64 + "]" * 64),
        responding(json="null"),
        header("set-cookie", "a=b; Path=/"),
        header("content-type", "text/html"),
        header("x-a", "tab\tand space"),
        matching(method="M-SEARCH", path="/a/:b", query={"": Criterion(equals="")}),
        matching(body=Criterion(json_subset="{}")),
        Mock(name="a", action=Action(delay=Delay(fixed_ms=120_000))),
        Mock(name="ü" * 200),
    ],
    ids=lambda mock: str(mock)[:40],
)
async def test_what_is_within_the_limits_is_taken(desk: Desk, mock: Mock) -> None:
    assert (await desk.create(mock)).name == mock.name


RESPOND = "mock.action.respond"


@pytest.mark.parametrize(
    ("mock", "field", "rule"),
    [
        (Mock(), "mock.name", "required"),
        (Mock(name="ü" * 201), "mock.name", "max_length"),
        (responding(status=199), f"{RESPOND}.status", "min"),
        (responding(status=100), f"{RESPOND}.status", "min"),
        (responding(status=600), f"{RESPOND}.status", "max"),
        (Mock(name="a", action=Action(delay=Delay(fixed_ms=120_001))), "mock.action.delay.fixed_ms", "max"),
        (responding(headers=[Header(name="x")] * 65), f"{RESPOND}.headers", "max_items"),
        (header("bad name"), f"{RESPOND}.headers[1].name", "pattern"),
        (header("bad:name"), f"{RESPOND}.headers[1].name", "pattern"),
        (header(""), f"{RESPOND}.headers[1].name", "required"),
        (header("x" * 257), f"{RESPOND}.headers[1].name", "max_length"),
        (header("x-a", "split\r\nSet-Cookie: a=b"), f"{RESPOND}.headers[1].value", "pattern"),
        (header("x-a", "end\n"), f"{RESPOND}.headers[1].value", "pattern"),
        (header("x-a", " outer"), f"{RESPOND}.headers[1].value", "pattern"),
        (header("x-a", "ü"), f"{RESPOND}.headers[1].value", "pattern"),
        (header("x-a", "x" * 8193), f"{RESPOND}.headers[1].value", "max_length"),
        (responding(json=""), f"{RESPOND}.json", "json"),
        (responding(json="{'a': 1}"), f"{RESPOND}.json", "json"),
        (responding(json="NaN"), f"{RESPOND}.json", "json"),
        (responding(json="1e999"), f"{RESPOND}.json", "json"),
        (responding(json='{"a": 1, "a": 2}'), f"{RESPOND}.json", "json"),
        (responding(json='"\\ud800"'), f"{RESPOND}.json", "json"),
        (responding(json="[" * 66 + "]" * 66), f"{RESPOND}.json", "json"),
        (responding(json="[" * 500_000), f"{RESPOND}.json", "json"),
        (responding(json="9" * 5_000), f"{RESPOND}.json", "json"),
        (responding(json='"' + "x" * 1_048_576 + '"'), f"{RESPOND}.json", "max_length"),
        (responding(text="x" * 1_048_577), f"{RESPOND}.text", "max_length"),
        (responding(binary=b"x" * 1_048_577), f"{RESPOND}.binary", "max_length"),
        (matching(method="get"), "mock.matcher.method", "pattern"),
        (matching(path="no/slash"), "mock.matcher.path", "pattern"),
        (matching(path="/a?b=c"), "mock.matcher.path", "pattern"),
        (matching(path="/" + "a" * 2048), "mock.matcher.path", "max_length"),
        (matching(query={"a": Criterion()}), "mock.matcher.query['a']", "required"),
        (matching(query={"a": Criterion(json_subset="{")}), "mock.matcher.query['a'].json_subset", "json"),
        (matching(query={str(n): Criterion(equals="") for n in range(65)}), "mock.matcher.query", "max_items"),
        (matching(body=Criterion()), "mock.matcher.body", "required"),
        (matching(body=Criterion(equals="x" * 65_537)), "mock.matcher.body.equals", "max_length"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_what_is_beyond_the_limits_is_refused_where_it_stands(
    desk: Desk, mock: Mock, field: str, rule: str
) -> None:
    problem = await desk.refused(CREATE, pb.CreateMockRequest(mock=mock))
    assert (problem.reason, problem.field, problem.rule) == ("invalid_field", field, rule)


@pytest.mark.parametrize(
    "name", ["Content-Length", "transfer-encoding", "CONNECTION", "keep-alive", "upgrade", "date", "trailer", "te"]
)
async def test_a_header_that_the_proxy_writes_is_refused_in_any_case(desk: Desk, name: str) -> None:
    problem = await desk.refused(CREATE, pb.CreateMockRequest(mock=header(name)))
    assert (problem.field, problem.rule, problem.given) == (f"{RESPOND}.headers[1].name", "proxy_header", name)


async def test_a_response_without_a_status_says_200(desk: Desk) -> None:
    assert (await desk.create(responding(text="x"))).action.respond.status == 200


async def test_a_mock_is_required(desk: Desk) -> None:
    problem = await desk.refused(CREATE, pb.CreateMockRequest())
    assert (problem.field, problem.rule) == ("mock", "required")


@pytest.fixture
async def made(desk: Desk) -> Desk:
    """A desk with the mock ovr_a, which says something everywhere."""
    mock = Mock(id="ovr_a", name="a", matcher=RequestMatcher(method="POST", path="/pay"))
    mock.action.respond.text = "no"
    mock.action.delay.fixed_ms = 9
    await desk.create(mock)
    return desk


async def test_an_update_without_a_mask_sets_what_is_populated(made: Desk) -> None:
    mock = await made.update("ovr_a", Mock(matcher=RequestMatcher(path="/new")))
    assert (mock.name, mock.matcher.path, mock.action.delay.fixed_ms) == ("a", "/new", 9)


async def test_matcher_and_action_are_set_whole(made: Desk) -> None:
    mock = await made.update("ovr_a", Mock(matcher=RequestMatcher(path="/new"), action=Action(delay=Delay(fixed_ms=1))))
    assert (mock.matcher.method, mock.action.WhichOneof("kind")) == ("", None)


async def test_an_update_sets_only_what_the_mask_names(made: Desk) -> None:
    mock = await made.update("ovr_a", Mock(name="new", matcher=RequestMatcher(path="/new")), "name")
    assert (mock.name, mock.matcher.path) == ("new", "/pay")


async def test_a_masked_matcher_that_is_unset_is_cleared(made: Desk) -> None:
    mock = await made.update("ovr_a", Mock(name="new"), "name", "matcher")
    assert mock.matcher == RequestMatcher()


@pytest.mark.parametrize(("mask", "code"), [(["matcher"], ""), (["name"], "invalid_field"), ([], "")])
async def test_a_name_is_required_only_when_the_mask_names_it(made: Desk, mask: list[str], code: str) -> None:
    request = pb.UpdateMockRequest(mock_id="ovr_a", mock=Mock(matcher=RequestMatcher(path="/new")))
    request.update_mask.paths.extend(mask)
    assert await made.code("MockService.UpdateMock", request) == code


@pytest.mark.parametrize("mask", [["action"], ["name"], []])
async def test_a_header_without_a_name_is_refused_in_an_update_too(made: Desk, mask: list[str]) -> None:
    request = pb.UpdateMockRequest(mock_id="ovr_a", mock=header(""))
    request.update_mask.paths.extend(mask)
    assert (await made.refused("MockService.UpdateMock", request)).field == f"{RESPOND}.headers[1].name"


@pytest.mark.parametrize("path", ["id", "scenario", "state", "active", "revision", "matcher.none", "tags.x"])
async def test_a_mask_names_only_what_can_be_set(made: Desk, path: str) -> None:
    request = pb.UpdateMockRequest(mock_id="ovr_a", mock=Mock(name="new"))
    request.update_mask.paths.append(path)
    problem = await made.refused("MockService.UpdateMock", request)
    assert (problem.reason, problem.field) == ("invalid_field", "update_mask")


async def test_an_update_moves_no_mock_to_another_id(made: Desk) -> None:
    assert (await made.update("ovr_a", Mock(id="ovr_b", name="new"))).id == "ovr_a"


async def test_an_update_refuses_what_creation_refuses(made: Desk) -> None:
    request = pb.UpdateMockRequest(mock_id="ovr_a", mock=matching(body=Criterion()))
    assert (await made.refused("MockService.UpdateMock", request)).field == "mock.matcher.body"


@pytest.mark.parametrize("template", ["{% bad %}", "{{ request.nope }}", "{{ request.scope }}"])
async def test_what_a_template_may_say_is_as_the_profile_has_it(desk: Desk, template: str) -> None:
    made = responding(template=template)
    assert (await desk.refused(CREATE, pb.CreateMockRequest(mock=made))).field == f"{RESPOND}.template"
    await desk.call(
        "ProjectService.CreateEnvironment",
        CreateEnvironmentRequest(environment=Environment(slug="stubs", profile=PROFILE_ASSERTIVE)),
        CreateEnvironmentResponse,
    )
    there = replace(desk, environment="stubs")
    assert (await there.create(made)).action.respond.template == template
    own = SessionMock(name="a", action=made.action)
    await there.call(
        "SessionMockService.PutSessionMock",
        PutSessionMockRequest(session_key="ci-42", mock_id="ovr_a", mock=own),
        PutSessionMockResponse,
    )
