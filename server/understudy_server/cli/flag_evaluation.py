"""``understudy flag evaluate`` and ``explain``: what flags are for somebody, and why."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy_server.cli import completing
from understudy_server.cli.command import Desk, command
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.feature_flags import FlagKey
from understudy_server.cli.flag_names import naming
from understudy_server.cli.json_words import object_of

if TYPE_CHECKING:
    from understudy.v1.evaluation_service_pb2 import ExplainFlagResponse
    from understudy.v1.flags_pb2 import Evaluation

_FLAGS = {"flag_key": "KEY", "flag_keys": "KEY", "session_key": "--session", "session_token": "--token"}
_FLAGS |= {"context": "--context"}


@dataclass(frozen=True, slots=True)
class ForWhom:
    """For whom flags are evaluated, and in which session."""

    user: Annotated[str, typer.Option("--user", metavar="ID", help="The user, whom rollouts go by.")] = ""
    attribute: Annotated[
        list[str] | None,
        typer.Option("--attribute", metavar="KEY=VALUE", help="An attribute, JSON or text; repeat it for more."),
    ] = None
    context: Annotated[str, typer.Option("--context", metavar="JSON", help="All attributes, in place of these.")] = ""
    session: Annotated[
        str, typer.Option("--session", metavar="KEY", help="In this session.", autocompletion=completing.sessions)
    ] = ""
    token: Annotated[str, typer.Option("--token", help="In the session of the project that has this token.")] = ""

    def put_into(self, request: Any) -> None:
        """Say so in a request. Raises CommandFailed (usage)."""
        if self.context and (self.user or self.attribute):
            raise CommandFailed(ExitCode.USAGE, "--context says all: leave --user and --attribute out")
        # A user is text, also where it looks like a number.
        user = [f"userId={_text(self.user)}"] if self.user else []
        words = [*user, *(self.attribute or ())]
        request.context = self.context or (object_of("--attribute", words) if words else "")
        request.session_key, request.session_token = self.session, self.token


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "evaluate")(_evaluate)
    command(app, "explain")(_explain)


async def _evaluate(
    desk: Desk,
    keys: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY]...", help="Keys of flags; none: all.", autocompletion=completing.flags),
    ] = None,
    for_whom: ForWhom = ForWhom(),
) -> None:
    """Tell what flags are for somebody: all of them, or some.

    understudy flag evaluate new-checkout --user user-123 --attribute plan=beta --session ci-42
    """
    from understudy.v1.evaluation_service_pb2 import EvaluateBatchRequest, EvaluateBatchResponse

    from understudy_server.cli.output import print_json, print_table

    request = EvaluateBatchRequest(flag_keys=keys or [], all=not keys)
    for_whom.put_into(request)
    with naming(_FLAGS):
        answer = await desk.call(request, EvaluateBatchResponse)
    if desk.as_json:
        print_json(answer)
        return
    rows = (
        (each.flag_key, _on(each), each.value, each.variant, _reason(each), each.rule_id) for each in answer.evaluations
    )
    columns = ("KEY", "IS", "VALUE", "VARIANT", "REASON", "RULE")
    print_table(columns, rows, empty="No flags. `understudy flag create KEY` makes one.")


async def _explain(desk: Desk, flag_key: FlagKey, for_whom: ForWhom) -> None:
    """Tell why a flag is what it is: which rule decided, and why the others did not.

    understudy flag explain new-checkout --user user-123
    """
    from understudy.v1.evaluation_service_pb2 import ExplainFlagRequest, ExplainFlagResponse

    from understudy_server.cli.output import print_json

    request = ExplainFlagRequest(flag_key=flag_key)
    for_whom.put_into(request)
    with naming(_FLAGS):
        answer = await desk.call(request, ExplainFlagResponse)
    if desk.as_json:
        print_json(answer)
    else:
        _tell(answer)


def _tell(found: "ExplainFlagResponse") -> None:
    from understudy_server.cli.output import visible

    evaluation = found.evaluation
    value = f", {evaluation.value}" if evaluation.HasField("value") else ""
    lines = [f"{_on(evaluation)}{value} ({_reason(evaluation)})", found.summary]
    if found.frozen:
        lines.append(f"Its flags are frozen in session {found.session_key}: this is how it was then.")
    for rule in found.rules:
        lines.append(f"  {rule.summary}")
        lines += [f"    {each.summary}" for each in rule.conditions]
    if found.HasField("rollout"):
        lines.append(f"  {found.rollout.summary}")
    typer.echo("\n".join(visible(line) for line in lines))


def _text(word: str) -> str:
    import json

    return json.dumps(word, ensure_ascii=False)


def _on(evaluation: "Evaluation") -> str:
    return "on" if evaluation.enabled else "off"


def _reason(evaluation: "Evaluation") -> str:
    from understudy.v1.flags_pb2 import EvaluationReason

    return EvaluationReason.Name(evaluation.reason).removeprefix("EVALUATION_REASON_").lower()
