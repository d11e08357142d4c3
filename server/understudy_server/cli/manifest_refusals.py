"""What a server refuses of a manifest in files: every problem of it, with its place there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy_server.cli.failures import CommandFailed, failed_call

if TYPE_CHECKING:
    # Messages take long to import, and help needs none of them.
    from understudy import status
    from understudy.v1.manifest_service_pb2 import Manifest

    from understudy_server.manifest.problems import Problem
    from understudy_server.manifest.reading import Read

PREFIX = "manifest."
"""What stands before the fields of a manifest in the request that applies it."""

_ADVICE = {
    "already_exists": "Add --adopt to take over what is there already, or choose other names.",
    "not_empty": "Add --force to remove it with all that is in it.",
    "scope_mismatch": "Use an organisation-wide admin key: `understudy key create --role admin` without --project.",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """One problem that a server has with a manifest: its code, its place in the files, and what to do."""

    code: str
    problem: "Problem"

    def __str__(self) -> str:
        problem = self.problem
        return ": ".join(filter(None, (str(problem.mark), problem.field, self.code, problem.message)))


class ManifestRefused(CommandFailed):
    """A manifest that a server refused. ``refused`` are the problems in order of place, and never none.

    ``untold`` is how many more there are.
    """

    def __init__(self, name: str, failure: CommandFailed, refused: tuple[Refused, ...], untold: int) -> None:
        first, *others = map(str, refused)
        count = len(refused) + untold
        lines = [first, *others] if count > 1 else []
        if untold:
            lines.append(f"and {untold} more")
        advice = dict.fromkeys(each.problem.advice for each in refused if each.problem.advice)
        told = f"{name} was refused for {count} problems" if lines else first
        super().__init__(failure.exit_code, told, "\n".join((*lines, *advice)), problem=failure.problem)
        self.refused = refused
        self.untold = untold


def refused_manifest(failure: CommandFailed, name: str, read: "Read[Manifest]") -> CommandFailed:
    """What a call that applies a manifest failed with, in terms of its files; ``name`` is what messages call them."""
    told = failure.problem
    if told is None or not told.field.startswith(PREFIX):
        advice = _ADVICE.get(failure.reason, failure.advice)
        return CommandFailed(failure.exit_code, failure.message, advice, problem=told)
    return ManifestRefused(name, failure, _in_order(read, tuple(_refused(read, failure))), told.untold)


def _refused(read: "Read[Manifest]", failure: CommandFailed) -> Iterator[Refused]:
    from understudy_server.manifest.problems import Problem

    assert failure.problem  # noqa: S101 - whoever asks has looked
    for each in (failure.problem, *failure.problem.others):
        path, message = in_manifest(each)
        advice = _ADVICE.get(each.reason) or failed_call(0, each).advice
        yield Refused(each.reason, Problem(read.marks.find(path), read.marks.name(path), message, advice))


def _in_order(read: "Read[Manifest]", refused: tuple[Refused, ...]) -> tuple[Refused, ...]:
    """In order of place; the first file of all comes first."""
    first = read.marks.find("").file

    def place(each: Refused) -> tuple[bool, str, int, int]:
        mark = each.problem.mark
        return mark.file != first, mark.file, mark.line, mark.column

    return tuple(sorted(refused, key=place))


def in_manifest(problem: "status.Problem") -> tuple[str, str]:
    """The path of the field in the manifest that a problem is about (empty: none), and its message without that path.

    A message begins with the path of the field, which is told with its place already.
    """
    path = problem.field.removeprefix(PREFIX) if problem.field.startswith(PREFIX) else ""
    return path, problem.message.removeprefix(problem.field).removeprefix(path).strip()
