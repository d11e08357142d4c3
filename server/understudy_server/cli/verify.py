"""``understudy verify KEY``: judges what was called, and waits for it."""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from understudy_server.cli.command import Desk, command
from understudy_server.cli.durations import seconds_of
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.flag_names import naming
from understudy_server.cli.forms import From, pointed, read_form
from understudy_server.cli.session_keys import SessionKey

if TYPE_CHECKING:
    # Messages take long to import, and help needs none of them.
    from collections.abc import Iterator, Sequence

    from understudy.v1 import verification_service_pb2 as pb

    from understudy_server.manifest.reading import Read

_FLAGS = {
    "matcher.method": "--method",
    "matcher.path": "--path",
    "at_least": "--at-least",
    "at_most": "--at-most",
    "exactly": "--exactly",
}
_ONE, _FIRST = "expectation.", "expectations[0]."
"""Where the fields of the expectation stand that flags make: to be waited for, and to be judged."""

_NAMES = {"session_key": "KEY", "after": "--after", "timeout_ms": "--within"}
_NAMES_OF_FLAGS = {f"{place}{field}": flag for place in (_ONE, _FIRST) for field, flag in _FLAGS.items()}
_COUNT_MAX = 1_000_000
# Beyond the time that the server waits.
_GRACE_SECONDS = 10.0


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "verify")(_verify)


async def _verify(
    desk: Desk,
    session_key: SessionKey,
    *,
    method: Annotated[str, typer.Option(help="Calls with this method.  \\[default: any]")] = "",
    path: Annotated[str, typer.Option(help="Calls of this path, such as /api/users/:id.  \\[default: any]")] = "",
    at_least: Annotated[int | None, typer.Option(min=0, max=_COUNT_MAX, help="Least number of calls.")] = None,
    at_most: Annotated[int | None, typer.Option(min=0, max=_COUNT_MAX, help="Most calls.")] = None,
    exactly: Annotated[int | None, typer.Option(min=0, max=_COUNT_MAX, help="So many calls.")] = None,
    never: Annotated[bool, typer.Option("--never", help="No call: the same as --exactly 0.")] = False,
    within: Annotated[
        str | None, typer.Option(metavar="TIME", help="Wait for it at most so long: 5s, 2m; 300s at most.")
    ] = None,
    after: Annotated[int, typer.Option(min=0, metavar="NUMBER", help="Only calls behind this number.")] = 0,
    source: From = None,
) -> None:
    """Judge what a session has called. Without a bound: at least one call.

    Ends with 0 when all is as expected, with 1 when it is not, and with 6 when it cannot be told, because the record is
    not complete.

    understudy verify ci-42 --method POST --path /api/pay --exactly 1

    understudy verify ci-42 --path /api/refund --never

    understudy verify ci-42 --path /api/pay --within 5s

    understudy verify ci-42 --from expectations.yaml
    """
    flags = {"--method": method, "--path": path, "--at-least": at_least, "--at-most": at_most, "--exactly": exactly}
    given = [flag for flag, value in flags.items() if value not in ("", None)] + (["--never"] if never else [])
    read = _read(source, given)
    if never and len(set(given) & {"--at-least", "--at-most", "--exactly", "--never"}) > 1:
        raise CommandFailed(ExitCode.USAGE, "--never is a bound by itself", "Name one of them.")
    request = read.message if read else _request(method, path, at_least, at_most, 0 if never else exactly)
    request.session_key = session_key
    request.after = after or request.after
    with _pointing(read), naming(_NAMES if read else _NAMES | _NAMES_OF_FLAGS):
        if within is None:
            await _judge(desk, request)
        else:
            await _wait(desk, request, seconds_of("--within", within) * 1_000)


@contextmanager
def _pointing(read: "Read[pb.VerifyCallsRequest] | None") -> "Iterator[None]":
    """Give refusals the place in the file, where it is the file that they are about."""
    from dataclasses import replace

    try:
        yield
    except CommandFailed as failure:
        problem = failure.problem
        if read is None or problem is None or not problem.field.startswith("expectation"):
            raise
        # What is waited for stood in the file as the first of several.
        field = problem.field.replace(_ONE, _FIRST, 1) if problem.field.startswith(_ONE) else problem.field
        told = CommandFailed(failure.exit_code, failure.message, failure.advice, problem=replace(problem, field=field))
        raise pointed(told, read.marks, "") from failure


def _read(source: str | None, given: "Sequence[str]") -> "Read[pb.VerifyCallsRequest] | None":
    from understudy.v1.verification_service_pb2 import VerifyCallsRequest

    if source is None:
        return None
    if given:
        raise CommandFailed(
            ExitCode.USAGE, f"--from and {given[0]} exclude each other", "Write all expectations into the file."
        )
    return read_form(source, VerifyCallsRequest)


def _request(
    method: str, path: str, at_least: int | None, at_most: int | None, exactly: int | None
) -> "pb.VerifyCallsRequest":
    from understudy.v1.verification_service_pb2 import VerifyCallsRequest

    request = VerifyCallsRequest()
    expectation = request.expectations.add(at_least=at_least, at_most=at_most, exactly=exactly)
    if method or path:
        expectation.matcher.method, expectation.matcher.path = method.upper(), path
    return request


async def _judge(desk: Desk, request: "pb.VerifyCallsRequest") -> None:
    from understudy.v1 import verification_service_pb2 as pb

    answer = await desk.call(request, pb.VerifyCallsResponse)
    if desk.as_json:
        _print(answer)
    else:
        _print_outcomes(answer.outcomes)
        for name, verdict in (("in this order", answer.order), ("no others", answer.others)):
            if verdict:
                typer.echo(f"{_word(verdict)}  {name}")
        typer.echo(answer.message)
        _print_losses(answer.completeness)
    _end(answer.verdict)


async def _wait(desk: Desk, request: "pb.VerifyCallsRequest", timeout_ms: int) -> None:
    from understudy.v1 import verification_service_pb2 as pb

    from understudy_server.cli.asking import working

    if len(request.expectations) != 1 or request.in_order or request.no_others:
        raise CommandFailed(ExitCode.USAGE, "--within waits for one expectation", "Verify the others by themselves.")
    waited = pb.AwaitCallsRequest(session_key=request.session_key, timeout_ms=timeout_ms, after=request.after)
    waited.expectation.CopyFrom(request.expectations[0])
    with working("waiting for calls"):
        answer = await desk.call(waited, pb.AwaitCallsResponse, timeout_ms / 1_000 + _GRACE_SECONDS)
    if desk.as_json:
        _print(answer)
    else:
        _print_outcomes([answer.outcome])
        _print_losses(answer.completeness)
    _end(answer.verdict)


def _print(answer: "pb.VerifyCallsResponse | pb.AwaitCallsResponse") -> None:
    from understudy_server.cli.output import print_json

    print_json(answer)


def _print_outcomes(outcomes: "Sequence[pb.Outcomes]") -> None:
    from understudy_server.bundle.junit import near_lines
    from understudy_server.cli.output import visible

    for outcome in outcomes:
        typer.echo(visible(f"{_word(outcome.verdict)}  {outcome.message}"))
        for line in near_lines(outcome):
            typer.echo(visible(f"  {line}"))


def _print_losses(completeness: "pb.Completeness") -> None:
    if not completeness.complete:
        lost = ", ".join(f"{each.reason} {each.count}" for each in completeness.losses)
        typer.echo(f"the record is not complete up to number {completeness.up_to}: {lost}", err=True)


def _word(verdict: "pb.Verdict") -> str:
    from understudy.v1 import verification_service_pb2 as pb

    return pb.Verdict.Name(verdict).removeprefix("VERDICT_").lower()


def _end(verdict: "pb.Verdict") -> None:
    from understudy.v1 import verification_service_pb2 as pb

    if verdict == pb.VERDICT_FAILED:
        raise typer.Exit(ExitCode.REFUSED)
    if verdict != pb.VERDICT_PASSED:
        raise typer.Exit(ExitCode.INCONCLUSIVE)
