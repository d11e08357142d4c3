"""How a command ends: exit codes that mean something, and what to say when it did not go well."""

import re
import sys
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Messages take long to import, and help needs none of them.
    from understudy.status import Problem


class ExitCode(IntEnum):
    """The exit codes of every command."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_AUTHORISED = 4
    UNREACHABLE = 5
    INCONCLUSIVE = 6


class CommandFailed(Exception):
    """A command that ends early. ``advice`` says what to do next, empty when the message says it.

    ``problem`` is what the server said, when it was the server that refused.
    """

    def __init__(
        self, exit_code: ExitCode, message: str, advice: str = "", *, problem: "Problem | None" = None
    ) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.message = message
        self.advice = advice
        self.problem = problem

    @property
    def reason(self) -> str:
        """The stable code of the server's refusal; empty when it was not the server."""
        return self.problem.reason if self.problem else ""


def say(failure: CommandFailed) -> None:
    """Print a failure to the error stream: what went wrong, and what to do next."""
    print(f"understudy: {failure.message}", file=sys.stderr)  # noqa: T201 - this is what the user reads
    if failure.advice:
        print(failure.advice, file=sys.stderr)  # noqa: T201


# Numbers of google.rpc.Code, which are those of gRPC.
_EXIT_CODES = {
    4: ExitCode.UNREACHABLE,  # DEADLINE_EXCEEDED
    5: ExitCode.NOT_FOUND,
    7: ExitCode.NOT_AUTHORISED,  # PERMISSION_DENIED
    14: ExitCode.UNREACHABLE,  # UNAVAILABLE
    16: ExitCode.NOT_AUTHORISED,  # UNAUTHENTICATED
}

_ADVICE = {
    "unauthorized": "Give a key that works with --key or UNDERSTUDY_KEY; on the server's machine,"
    " `understudy key create --data DIR` makes one.",
    "plan_required": "Start the server with --plan team or --plan business.",
    "project_required": "Add --project SLUG, or set UNDERSTUDY_PROJECT.",
    "environment_required": "Add --environment SLUG, or set UNDERSTUDY_ENVIRONMENT.",
    "invalid_override": "Name a published mock (ovr_...) that does not belong to a scenario.",
    "key_limit": "Revoke a key that is not needed any more: `understudy key list`, `understudy key revoke ID`.",
    "already_exists": "Choose another name, or change the one that is there: `edit` in place of `create`.",
    "revision_mismatch": "Somebody changed it meanwhile, and nothing of yours was set. Look at it again, then repeat.",
    "not_empty": "Add --force to remove all that is in it, too.",
    "managed_by_file": "Change it in the file of that source and apply that, or hand all of a source over to the API"
    " with `understudy release SOURCE`.",
    "source_followed": "Start the server without that file (leave out --config FILE, or keep `server:` alone in it),"
    " then release the source.",
    "other_projects": "Is it another file of the same name? Give it a source of its own (`source:` in the file, or"
    " --source NAME). If it is to take the place of the other, add --force.",
    "body_not_kept": "The journal keeps the beginning of large bodies only: put the body in a file and use"
    " `understudy mock create --body-file FILE`.",
    "state_full": "Remove values that are not needed any more (`understudy state delete KEY`), or begin anew:"
    " `understudy state reset`.",
    "not_a_number": "`understudy state set KEY 0` makes it one.",
    "storage_unavailable": "Nothing was changed. Make room on the disk or make it writable, and try again.",
}

# By what a message says that there is none of.
_NONE_OF = re.compile(
    r"there is no (\w+) |(no manifest) of the source |(neither a session) nor a log |has (no environment)$"
)
_ADVICE_FOR_NONE = {
    "project": "`understudy project list` names those that there are.",
    "environment": "`understudy environment list --project SLUG` names those of a project.",
    "mock": "`understudy mock list` names those of the environment.",
    "scenario": "`understudy scenario list` names those of the environment.",
    "session": "`understudy session list` names those of the environment.",
    "key": "`understudy key list` names those that there are.",
    "value": "`understudy state list` names those that there are, of the same --session or --chain.",
    "log": "`understudy logs KEY` lists the rows of a session.",
    "no manifest": "`understudy status` names the sources that there are.",
    "neither a session": "`understudy session list` names the sessions; any other is known from its first request on.",
    "no environment": "`understudy environment create SLUG` makes one.",
}


def failed_call(grpc_code: int, problem: "Problem") -> CommandFailed:
    """What a refused call becomes: its code and message, and what to do next."""
    exit_code = _EXIT_CODES.get(grpc_code, ExitCode.REFUSED)
    text = f"{problem.reason}: {problem.summary}" if problem.reason else problem.summary
    advice = _advice(problem)
    if problem.retry_after_seconds:
        advice = f"Try again in {problem.retry_after_seconds} s."
    elif problem.request_id:
        advice = f"The server's log has more under request {problem.request_id}."
    return CommandFailed(exit_code, text, advice, problem=problem)


def _advice(problem: "Problem") -> str:
    match problem.reason:
        case "role_required":
            return _advice_for_role(problem.limit or "editor")
        case "scope_mismatch" if problem.field in ("project", "environment"):
            return "Use a key for that project and environment, or name the key's own."
        case "scope_mismatch":
            # Nothing was named that another name would put right: the call itself reaches further than the key.
            return (
                "Use a key that reaches further; on the server's machine,"
                " `understudy key create --role ROLE --data DIR` makes one for everything,"
                " with --project SLUG one for all of a project."
            )
        case "not_found" if found := _NONE_OF.search(problem.message):
            return _ADVICE_FOR_NONE.get(next(filter(None, found.groups())), "")
    return _ADVICE.get(problem.reason, "")


def _advice_for_role(role: str) -> str:
    which = f"the role {role}" if role == "admin" else f"the role {role} or a higher one"
    return (
        f"Use a key with {which}; on the server's machine, `understudy key create --role {role} --data DIR` makes one."
    )
