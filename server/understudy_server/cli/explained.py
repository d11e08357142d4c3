"""An explanation for people: what becomes of the request, why, and what does not hold of the other mocks."""

import typer
from understudy.v1 import explain_service_pb2 as pb

from understudy_server.cli.output import count, print_facts, print_table, visible

_WHERE = {
    pb.LAYER_SESSION: "the session",
    pb.LAYER_SCENARIO: "its scenario",
    pb.LAYER_ENVIRONMENT: "everybody",
}
_REASONS = {
    "no_session_key": "The request carries no session key, so that only what is on for everybody counts.",
    "unknown_session": "There is no session with this key now, so that only what is on for everybody counts.",
    "body_too_large": "The body is longer than the server matches, so that no criterion on it holds.",
    "body_not_kept": "The body was not kept whole, so that no criterion on it is said to hold.",
    "masked": "Values were masked before the exchange was recorded; criteria on them see a mark in their place.",
}


def print_explanation(request: pb.ExplainRequest, found: pb.ExplainResponse) -> None:
    """Print an explanation."""
    typer.echo(visible(found.summary))
    typer.echo()
    print_facts(_facts(request, found))
    for reason in found.reasons:
        typer.echo(_REASONS.get(reason, reason))
    if found.considered:
        typer.echo()
        print_table(("MOCK", "NAME", "ON FOR", "MATCHES", "WHAT DOES NOT HOLD"), map(_row, found.considered), empty="")
    more = found.considered_total - len(found.considered)
    if more:
        typer.echo(f"And {count(more, 'more mock')} that {'is' if more == 1 else 'are'} on: --limit")
    if found.not_on:
        typer.echo(f"Not on, though matching: {' '.join(found.not_on)}")
    if found.drafts:
        typer.echo(f"Drafts, though matching: {' '.join(found.drafts)}")
    for each in found.elsewhere:
        typer.echo(visible(f"In session {each.session_key} it would be answered by {each.mock_id}"))


def _facts(request: pb.ExplainRequest, found: pb.ExplainResponse) -> list[tuple[str, str]]:
    asked = request.request
    facts = [("exchange", request.log_id)] if request.log_id else [("request", f"{asked.method} {asked.target}")]
    facts.append(("session", found.session_key))
    if found.rule:
        facts.append(("rule", found.rule))
    if found.findings:
        facts.append(("findings", " ".join(found.findings)))
    return facts


def _row(considered: pb.Considered) -> tuple[str, ...]:
    return (
        considered.mock_id,
        considered.name,
        _WHERE.get(considered.layer, ""),
        "yes" if considered.matches else "no",
        "" if considered.matches else _missing(considered),
    )


def _missing(considered: pb.Considered) -> str:
    """The first thing that does not hold, and how many there are beside it."""
    first, *others = considered.mismatches
    found = f"found {first.actual!r}" if first.actual else "found nothing"
    more = f" (+{len(others)})" if others else ""
    return f"{first.field}: {first.expected}; {found}{more}"
