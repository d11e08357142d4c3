"""``understudy status``: whether a server is well, and what it holds."""

from typing import TYPE_CHECKING

import typer

from understudy_server.cli.command import Desk, command
from understudy_server.cli.failures import ExitCode

if TYPE_CHECKING:
    # Messages take long to import, and help needs none of them.
    from understudy.v1.server_service_pb2 import Status

_STOPPED = "no server runs on this data"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_UNIT_BYTES = 1024


def add_to(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "status")
    async def status(desk: Desk) -> None:
        """Tell whether the server is well, where it listens and what it holds.

        Ends with 0 when all is well, with 1 when something is not, and with 5 when no server runs. With --json a server
        that does not run is the check `server`.
        """
        from understudy.v1.server_service_pb2 import GetStatusRequest, GetStatusResponse

        from understudy_server.cli.output import print_json

        found = (await desk.call(GetStatusRequest(), GetStatusResponse)).status
        # Without a server the command itself has looked at the data, and all may be well with that.
        runs, healthy = found.HasField("started_at"), found.healthy
        if desk.as_json:
            print_json(found if runs else _told_stopped(found))
        else:
            show(found)
        if not healthy:
            raise typer.Exit(ExitCode.REFUSED)
        if not runs:
            raise typer.Exit(ExitCode.UNREACHABLE)


def _told_stopped(status: "Status") -> "Status":
    """The same, with one more check that says to programs that no server runs."""
    from understudy.v1.server_service_pb2 import Check, Status

    told = Status()
    told.CopyFrom(status)
    told.healthy = False
    told.checks.append(Check(name="server", problem=_STOPPED))
    told.checks.sort(key=lambda check: check.name)
    return told


def show(status: "Status") -> None:
    """Print a status for people: what counts most at the top, what to do at the end."""
    from understudy_server.cli.output import moment, print_facts, print_table, visible

    started = moment(status.started_at, known=status.HasField("started_at"))
    print_facts(
        (
            ("STATE", _state(status)),
            ("VERSION", status.version),
            ("STARTED", started),
            ("ORGANISATION", _organisation(status)),
            ("HOLDS", _holdings(status)),
            ("STORE", _store(status)),
            ("JOURNAL", _journal(status)),
        )
    )
    if status.listeners:
        typer.echo()
        listeners = ((each.address, each.kind, each.place or "everything") for each in status.listeners)
        print_table(("ADDRESS", "LISTENER", "FOR"), listeners, empty="")
    if status.manifests:
        typer.echo()
        manifests = (
            (
                each.source,
                str(each.resources),
                moment(each.applied_at, known=each.HasField("applied_at")),
                each.applied_by or "owner",
                "yes" if each.watched else "no",
                "no: see below" if each.problem else "yes",
            )
            for each in status.manifests
        )
        print_table(("SOURCE", "DECLARES", "APPLIED", "BY", "FOLLOWED", "IN FORCE"), manifests, empty="")
    wrong = [check for check in status.checks if not check.ok]
    problems = [f"{check.name}: {line}" for check in wrong for line in check.problem.splitlines()]
    if problems:
        typer.echo("\nNot well:")
    for problem in problems:
        typer.echo(f"  {visible(problem)}")
    if not started:
        typer.echo(f"\n{_STOPPED.capitalize()}. `understudy serve` starts one (--data DIR, --config FILE).")


def _state(status: "Status") -> str:
    if not status.healthy:
        wrong = [check.name for check in status.checks if not check.ok]
        return f"not well ({', '.join(wrong)})"
    return "well" if status.HasField("started_at") else "stopped"


def _organisation(status: "Status") -> str:
    from understudy.v1.manifest_service_pb2 import Plan

    plan = Plan.Name(status.organisation.plan).removeprefix("PLAN_").lower() if status.organisation.plan else ""
    return ", ".join(part for part in (status.organisation.name, f"plan {plan}" if plan else "") if part)


def _holdings(status: "Status") -> str:
    from understudy_server.cli.output import count

    counts = status.counts
    mocks = count(counts.mocks, "mock")
    if details := [f"{number} {word}" for number, word in _details(status) if number]:
        mocks += f" ({', '.join(details)})"
    rest = ((counts.scenarios, "scenario"), (counts.sessions, "session"), (counts.keys, "key"))
    projects, environments = count(counts.projects, "project"), count(counts.environments, "environment")
    return ", ".join((projects, environments, mocks, *(count(number, noun) for number, noun in rest)))


def _details(status: "Status") -> tuple[tuple[int, str], ...]:
    drafts, active = status.counts.drafts, status.counts.active_mocks
    return (drafts, "draft" if drafts == 1 else "drafts"), (active, "on for all")


def _store(status: "Status") -> str:
    store = status.store
    return f"{store.kind}, {_size(store.size_bytes)}, version {store.version}, durability {store.durability}"


def _journal(status: "Status") -> str:
    from understudy_server.cli.output import count

    journal = status.journal
    # Of an unclean stop nobody knows how many it was.
    lost = ", ".join([f"{each.count or 'some'} ({each.reason})" for each in journal.losses])
    recorded = count(journal.recorded, "exchange")
    told = f"{journal.kind}, {_size(journal.size_bytes)}, {recorded} since the start"
    return f"{told}; not on record any more: {lost}" if lost else told


def _size(size_bytes: int) -> str:
    """A size as people read it: ``512 B``, ``64.0 KiB``."""
    number = float(size_bytes)
    for unit in _UNITS:
        if number < _UNIT_BYTES or unit == _UNITS[-1]:
            break
        number /= _UNIT_BYTES
    return f"{size_bytes} B" if unit == "B" else f"{number:.1f} {unit}"
