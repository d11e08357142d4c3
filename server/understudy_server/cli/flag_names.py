"""What the server refuses is told by the flag that said it: a person has typed ``--upstream``, not a field."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from understudy_server.cli.failures import CommandFailed

OF_LISTS: Mapping[str, str] = {
    name: f"--{name.replace('_', '-')}" for name in ("search", "page_size", "page_token", "limit", "before", "since")
}
"""The flags of every list, by the fields of its request."""


@contextmanager
def naming(flags: Mapping[str, str]) -> Iterator[None]:
    """Give the refusals of a block the flag that they are about; ``flags`` has them by their fields in the request."""
    try:
        yield
    except CommandFailed as failure:
        told = by_flag(failure, flags)
        if told is failure:
            raise
        raise told from failure


def by_flag(failure: CommandFailed, flags: Mapping[str, str]) -> CommandFailed:
    """A refusal in the words of the command line, when the field at fault came from a flag."""
    problem = failure.problem
    if problem is None or not (flag := _flag(problem.field, flags)):
        return failure
    field = problem.field
    # Of a flag that is repeated, the value tells which one it is.
    name = f"{flag} {problem.given!r}" if field.endswith("]") and problem.given else flag
    message = failure.message
    before = f"{problem.reason}: {field}"
    if message.startswith(before):
        message = f"{problem.reason}: {name}{message.removeprefix(before)}"
    # From here on it is no field of a text that has places.
    return CommandFailed(failure.exit_code, message, failure.advice, problem=replace(problem, field=flag))


def _flag(field: str, flags: Mapping[str, str]) -> str:
    """The flag that a field, or what it stands in, came from; empty for none."""
    while field:
        if field in flags:
            return flags[field]
        field = field[: max(field.rfind("."), field.rfind("["), 0)]
    return ""
