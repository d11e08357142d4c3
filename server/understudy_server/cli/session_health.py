"""``understudy session health KEY``: what is odd about a session, the first thing to read when a test fails."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from understudy_server.cli.command import Desk, command
from understudy_server.cli.session_keys import SessionKey

if TYPE_CHECKING:
    from understudy.v1.verification_service_pb2 import GetSessionHealthResponse, HealthFinding


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "health")(_health)


async def _health(desk: Desk, session_key: SessionKey) -> None:
    """Tell what is odd about a session: the first thing to read when a test fails.

    Requests that no mock answered, and the one that nearly did; mocks that answered nothing; a key that no session has;
    what went wrong on the way; whether the record is whole. What needs attention first stands first.
    """
    from understudy.v1.verification_service_pb2 import GetSessionHealthRequest, GetSessionHealthResponse

    from understudy_server.cli.output import print_json

    answer = await desk.call(GetSessionHealthRequest(session_key=session_key), GetSessionHealthResponse)
    if desk.as_json:
        print_json(answer)
    else:
        print_health(session_key, answer)


def print_health(session_key: str, found: "GetSessionHealthResponse") -> None:
    """Print what was found: what there is, and below it a table of what is odd."""
    from understudy_server.cli.output import print_facts, print_table

    print_facts(
        (
            ("session", session_key if found.session_exists else f"{session_key} (there is none now)"),
            ("requests", _counts(found)),
            *_evaluations(found),
            ("record", _record(found)),
        )
    )
    typer.echo()
    columns = ("FINDING", "COUNT", "WHAT IS ODD, AND WHAT TO DO", "LAST LOG")
    print_table(columns, map(_row, found.findings), empty="Nothing is odd.")


def _row(found: "HealthFinding") -> Sequence[str]:
    return found.code, str(found.count or ""), found.message, found.log_ids[-1] if found.log_ids else ""


def _counts(found: "GetSessionHealthResponse") -> str:
    """How many requests became what, as in ``12 mocked, 3 forwarded``."""
    from understudy.v1.log_service_pb2 import EXCHANGE_OUTCOME_EVALUATED, ExchangeOutcome

    return ", ".join(
        [
            f"{each.count} {_word(ExchangeOutcome.Name(each.outcome))}"
            for each in found.counts
            if each.outcome != EXCHANGE_OUTCOME_EVALUATED
        ]
    )


def _evaluations(found: "GetSessionHealthResponse") -> Sequence[tuple[str, str]]:
    """How often flags were evaluated, which is no request; nothing where they never were."""
    from understudy.v1.log_service_pb2 import EXCHANGE_OUTCOME_EVALUATED

    from understudy_server.cli.output import count

    evaluated = sum(each.count for each in found.counts if each.outcome == EXCHANGE_OUTCOME_EVALUATED)
    return [("flags", count(evaluated, "evaluation"))] if evaluated else []


def _word(outcome: str) -> str:
    word = outcome.removeprefix("EXCHANGE_OUTCOME_").lower().replace("_", " ")
    return "of no known outcome" if word == "unspecified" else word


def _record(found: "GetSessionHealthResponse") -> str:
    record = found.completeness
    if not record.up_to:
        return "nothing yet"
    if record.complete:
        return f"complete, up to number {record.up_to}"
    return f"incomplete: {record.kept} of {record.up_to} are kept"
