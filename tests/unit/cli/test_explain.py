"""``understudy explain``: the place that a line of curl's is for, and the account that people read."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from google.protobuf.message import Message
from support.shell import HERE, Shell, invoke
from typer.testing import Result
from understudy.status import Problem
from understudy.v1 import explain_service_pb2 as pb
from understudy.v1 import project_service_pb2, server_service_pb2
from understudy_server.cli.command import Desk
from understudy_server.cli.curl_line import Sent
from understudy_server.cli.explain_place import place_of
from understudy_server.cli.explained import print_explanation
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.line import Line

# The place of a request


class FakeLine:
    """A server with listeners, and environments with hosts; ``refuses`` are requests that it may not be asked."""

    def __init__(self, *refuses: str) -> None:
        self.refuses = refuses
        self.asked: list[str] = []

    async def call(self, request: Message, answer: type[Message], timeout_seconds: float | None = None) -> Message:
        name = request.DESCRIPTOR.name.removesuffix("Request")
        self.asked.append(name)
        if name in self.refuses:
            problem = Problem("role_required", "no")
            raise CommandFailed(ExitCode.NOT_AUTHORISED, "no", problem=problem)
        return {"GetStatus": _status, "ListProjects": _projects, "ListEnvironments": _environments}[name](request)


def _status(_: Any) -> Message:
    listeners = [
        ("rest", "127.0.0.1:8000", ""),
        ("proxy", "127.0.0.1:8080", ""),
        ("proxy", "https://0.0.0.0:8443", ""),
        ("proxy", "127.0.0.1:9090", "shop/qa"),
    ]
    response = server_service_pb2.GetStatusResponse()
    for kind, address, place in listeners:
        response.status.listeners.add(kind=kind, address=address, place=place)
    return response


def _projects(request: Any) -> Message:
    second = request.page_token == "2"
    slugs, token = (["shop"], "") if second else (["other"], "2")
    return project_service_pb2.ListProjectsResponse(
        projects=[project_service_pb2.Project(slug=slug) for slug in slugs], next_page_token=token
    )


def _environments(request: Any) -> Message:
    response = project_service_pb2.ListEnvironmentsResponse()
    if request.project == "shop" and not request.page_token:
        response.next_page_token = "2"
    elif request.project == "shop":
        response.environments.add(project="shop", slug="staging", hosts=["shop.test"])
    return response


def sent_to(authority: str, target: str = "/api/pay?a=1", host: str = "") -> Sent:
    return Sent("GET", authority, target, [("Host", host or authority)], b"")


async def placed(sent: Sent, line: FakeLine | None = None, project: str = "", environment: str = "") -> Any:
    desk = Desk(cast("Line", line or FakeLine()), project, environment, as_json=False)
    found, target = await place_of(desk, sent)
    return found.project, found.environment, target


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (sent_to("127.0.0.1:8080", "/checkout/staging/api/pay?a=1"), ("checkout", "staging", "/api/pay?a=1")),
        (sent_to("localhost:8080", "/checkout/staging"), ("checkout", "staging", "/")),
        (sent_to("[::1]:8080", "/checkout/staging?a=/b"), ("checkout", "staging", "/?a=/b")),
        (sent_to("build.example.com:8443", "/checkout/staging/a"), ("checkout", "staging", "/a")),
        (sent_to("127.0.0.1:9090"), ("shop", "qa", "/api/pay?a=1")),
        (sent_to("shop.test"), ("shop", "staging", "/api/pay?a=1")),
        (sent_to("SHOP.test.:8080"), ("shop", "staging", "/api/pay?a=1")),
        (sent_to("127.0.0.1:8080", host="shop.test"), ("shop", "staging", "/api/pay?a=1")),
        (sent_to("api.example.com"), ("", "", "/api/pay?a=1")),
    ],
)
async def test_a_place_is_where_the_request_would_go(sent: Sent, expected: tuple[str, str, str]) -> None:
    assert await placed(sent) == expected


async def test_the_url_counts_more_than_the_place_that_is_set() -> None:
    sent = sent_to("127.0.0.1:8080", "/checkout/staging/a")
    assert await placed(sent, project="shop", environment="qa") == ("checkout", "staging", "/a")


@pytest.mark.parametrize(
    ("target", "rest"), [("/api/pay", "/api/pay"), ("/shop/qa/api/pay", "/api/pay"), ("/shop/dev/a", "/shop/dev/a")]
)
async def test_elsewhere_the_place_is_the_one_that_is_named(target: str, rest: str) -> None:
    found = await placed(sent_to("10.0.0.9:1234", target), project="shop", environment="qa")
    assert found == ("shop", "qa", rest)


@pytest.mark.parametrize("target", ["/", "/checkout", "/checkout/", "//staging/a"])
async def test_a_url_of_the_proxy_without_a_place_is_a_mistake_of_use(target: str) -> None:
    with pytest.raises(CommandFailed) as caught:
        await placed(sent_to("127.0.0.1:8080", target))
    assert caught.value.exit_code is ExitCode.USAGE
    assert "/checkout/staging/api/pay" in caught.value.advice


async def test_who_may_not_ask_about_the_server_names_the_place() -> None:
    line = FakeLine("GetStatus", "ListProjects", "ListEnvironments")
    sent = sent_to("shop.test", "/shop/qa/a")
    assert await placed(sent, line, "shop", "qa") == ("shop", "qa", "/a")


async def test_no_list_is_read_for_an_address() -> None:
    line = FakeLine()
    await placed(sent_to("127.0.0.1:8080", "/checkout/staging/a"), line)
    assert line.asked == ["GetStatus"]


# The command


def explain(data: Path, *words: str, options: tuple[str, ...] = HERE, typed: bytes | None = None) -> Result:
    """Options stand before what is explained."""
    arguments = ["explain", *options, "--data", str(data), *words]
    return invoke(arguments, typed=typed, env={"COLUMNS": "200"})


def test_a_line_of_curls_is_explained_to_people(shell: Shell, data: Path) -> None:
    shell.ok("session", "put", "ci-42", "--override", "ovr_extraMock")
    shown = shell.json("mock", "get", "ovr_extraMock")["matcher"]
    line = ("curl", "-sX", shown["method"], f"http://staging.test{shown['path']}", "-H", "x-flowmock-session: ci-42")
    result = explain(data, *line)
    assert result.exit_code == 0, result.stderr
    first, _, request, session, *_ = result.stdout.splitlines()
    assert first.startswith("ovr_extraMock answers: ")
    assert request.split() == ["request", shown["method"], shown["path"]]
    assert session.split() == ["session", "ci-42"]
    assert any(row.split()[:1] == ["ovr_extraMock"] and " yes" in row for row in result.stdout.splitlines())


def test_it_is_explained_to_scripts_as_json(data: Path) -> None:
    result = explain(data, "curl", "http://staging.test/nothing", options=(*HERE, "--json"))
    found = json.loads(result.stdout)
    assert found["outcome"] == "upstream"
    assert found["reasons"] == ["no_session_key"]


def test_options_of_curls_that_are_like_ours_are_curls(data: Path) -> None:
    result = explain(data, "curl", "http://staging.test/", "--json", '{"a": 1}')
    assert result.exit_code == 0, result.stderr
    assert "request  POST /" in result.stdout


def test_a_body_may_be_read_from_the_input(data: Path) -> None:
    result = explain(data, "curl", "http://staging.test/", "-d", "@-", typed=b"a=1")
    assert "request  POST /" in result.stdout


def test_a_session_may_be_named(shell: Shell, data: Path) -> None:
    shell.ok("session", "put", "ci-42")
    result = explain(data, "curl", "http://staging.test/", options=(*HERE, "--session", "ci-42"))
    assert "session  ci-42" in result.stdout


@pytest.mark.parametrize(
    ("words", "options", "exit_code", "said"),
    [
        (("something",), HERE, ExitCode.USAGE, "something is nothing to explain"),
        (("log_1", "log_2"), HERE, ExitCode.USAGE, "log_1 log_2 is nothing to explain"),
        (("log_none",), HERE, ExitCode.NOT_FOUND, "not_found"),
        (("log_none",), (*HERE, "--session", "a"), ExitCode.USAGE, "--session is for a line of curl's"),
        (("curl", "-F", "a=b", "http://staging.test/"), HERE, ExitCode.USAGE, "curl's -F is not known here"),
        (("curl",), HERE, ExitCode.USAGE, "the line of curl's has no URL"),
        (("curl", "http://a.test/", "-H", "x-a: é"), HERE, ExitCode.REFUSED, "curl's headers"),
    ],
)
def test_what_cannot_be_explained_says_why(
    data: Path, words: tuple[str, ...], options: tuple[str, ...], exit_code: ExitCode, said: str
) -> None:
    result = explain(data, *words, options=options)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert said in result.stderr


def test_options_may_stand_behind_the_id_of_a_log(data: Path) -> None:
    result = invoke(["explain", "log_none", *HERE, "--data", str(data)])
    assert result.exit_code == ExitCode.NOT_FOUND


# The account


def account(capsys: pytest.CaptureFixture[str], **found: Any) -> list[str]:
    request = pb.ExplainRequest(request=pb.ExplainedRequest(method="GET", target="/a"))
    print_explanation(request, pb.ExplainResponse(summary="So it is.", considered_total=4, **found))
    return capsys.readouterr().out.splitlines()


def test_the_others_are_told_with_the_first_thing_that_does_not_hold(capsys: pytest.CaptureFixture[str]) -> None:
    missing = [
        pb.Mismatch(field="matcher.method", expected="is POST", actual="GET"),
        pb.Mismatch(field="matcher.query.a", expected='equals "1"'),
    ]
    lines = account(
        capsys,
        rule="only_match",
        findings=["carriers_disagree"],
        reasons=["masked"],
        considered=[
            pb.Considered(mock_id="ovr_a", name="A", layer=pb.LAYER_SESSION, matches=True),
            pb.Considered(mock_id="ovr_b", name="B", layer=pb.LAYER_SCENARIO, mismatches=missing),
            pb.Considered(mock_id="ovr_c", name="C", layer=pb.LAYER_ENVIRONMENT, mismatches=missing[1:]),
        ],
        not_on=["ovr_x", "ovr_y"],
        drafts=["ovr_z"],
        elsewhere=[pb.Elsewhere(session_key="ci-41", mock_id="ovr_x")],
    )
    assert [line.rstrip() for line in lines] == [
        "So it is.",
        "",
        "request   GET /a",
        "session   -",
        "rule      only_match",
        "findings  carriers_disagree",
        "Values were masked before the exchange was recorded; criteria on them see a mark in their place.",
        "",
        "MOCK   NAME  ON FOR        MATCHES  WHAT DOES NOT HOLD",
        "ovr_a  A     the session   yes      -",
        "ovr_b  B     its scenario  no       matcher.method: is POST; found 'GET' (+1)",
        'ovr_c  C     everybody     no       matcher.query.a: equals "1"; found nothing',
        "And 1 more mock that is on: --limit",
        "Not on, though matching: ovr_x ovr_y",
        "Drafts, though matching: ovr_z",
        "In session ci-41 it would be answered by ovr_x",
    ]


def test_what_strangers_have_sent_is_safe_for_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    mismatch = pb.Mismatch(field="matcher.path", expected="is /a", actual="/\x1b[2J")
    lines = account(capsys, considered=[pb.Considered(mock_id="ovr_a", mismatches=[mismatch])])
    assert "\x1b" not in "".join(lines)
