"""``understudy flag``: feature flags of a project, and what they are set to in environments."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from understudy_server.cli import completing
from understudy_server.cli.command import Desk, command
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.flag_names import naming
from understudy_server.cli.forms import BatchFile, pointing, read_form
from understudy_server.cli.json_words import json_of, members_of

if TYPE_CHECKING:
    from understudy.v1.flags_pb2 import Flag, FlagState

app = typer.Typer()

FlagKey = Annotated[
    str,
    typer.Argument(
        metavar="KEY",
        help="Key of the flag, such as new-checkout.",
        show_default=False,
        autocompletion=completing.flags,
    ),
]
_PERCENT_MAX = 100


@dataclass(frozen=True, slots=True)
class Saying:
    """What is said of a flag in all environments; ``None`` for nothing."""

    name: Annotated[str | None, typer.Option("--name", help="Name for people.")] = None
    description: Annotated[str | None, typer.Option("--description", help="What it is for.")] = None
    default: Annotated[
        str | None,
        typer.Option("--default", metavar="VALUE", help="Its value where it is off, JSON or text; '' is none."),
    ] = None
    variant: Annotated[
        list[str] | None,
        typer.Option(
            "--variant", metavar="KEY[=VALUE]", help="What it can be; repeat it for the exact list; '' is none."
        ),
    ] = None
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="WORD", help="A word to find it by; repeat it for the exact list; '' is none."),
    ] = None

    def put_into(self, flag: Any) -> list[str]:
        """Say it in a message; returns the names of its fields."""
        if self.name is not None:
            flag.name = self.name
        if self.description is not None:
            flag.description = self.description
        if self.default:
            flag.default_value = json_of(self.default)
        for key, value in members_of("--variant", self.variant, value_needed=False):
            flag.variants.add(key=key, value=value)
        flag.tags.extend(word for word in self.tag or () if word)
        fields = {"default_value": self.default, "variants": self.variant, "tags": self.tag}
        fields |= {"name": self.name, "description": self.description}
        return [field for field, said in fields.items() if said is not None]


def _named(prefix: str) -> dict[str, str]:
    flags = {"name": "--name", "description": "--description", "default_value": "--default", "kind": "--kind"}
    flags |= {"variants": "--variant", "tags": "--tag", "key": "KEY"}
    return {f"{prefix}.{field}": flag for field, flag in flags.items()} | {"flag_key": "KEY"}


@command(app, "list")
async def list_flags(
    desk: Desk,
    *,
    search: Annotated[str, typer.Option(help="Only keys and names that contain this text.")] = "",
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="WORD", help="Only those with this tag.")] = None,
    page_size: Annotated[int, typer.Option(min=1, max=1000, help="Most flags to show.")] = 100,
    page_token: Annotated[str, typer.Option(help="Where the page before ended.")] = "",
) -> None:
    """List the flags of a project in the order of their keys, with what they are set to."""
    from understudy.v1.flag_service_pb2 import ListFlagsRequest, ListFlagsResponse

    from understudy_server.cli.output import print_json, print_next, print_table

    request = ListFlagsRequest(
        search=search, tags=tag or [], page_size=page_size, page_token=page_token, in_environment=desk.environment
    )
    with naming({"in_environment": "--environment"}):
        answer = await desk.call(request, ListFlagsResponse)
    if desk.as_json:
        print_json(answer)
        return
    rows = ((each.key, _kind(each), _states(each), each.name, " ".join(each.tags)) for each in answer.flags)
    empty = "No such flags." if search or tag else "No flags. `understudy flag create KEY` makes one."
    print_table(("KEY", "KIND", "STATES", "NAME", "TAGS"), rows, empty=empty)
    print_next("--page-token", answer.next_page_token)


@command(app, "get")
async def get(desk: Desk, flag_key: FlagKey) -> None:
    """Show a flag, and what it is set to in each environment."""
    from understudy.v1.flag_service_pb2 import GetFlagRequest, GetFlagResponse

    _show(desk, (await desk.call(GetFlagRequest(flag_key=flag_key), GetFlagResponse)).flag)


@command(app, "create")
async def create(
    desk: Desk,
    flag_key: FlagKey,
    saying: Saying,
    *,
    kind: Annotated[str, typer.Option("--kind", help="boolean, string, number or json.")] = "boolean",
    enabled: Annotated[bool, typer.Option("--enabled", help="On in every environment; otherwise off.")] = False,
) -> None:
    """Make a flag.

    understudy flag create button-colour --kind string --variant red --variant green --enabled
    """
    from understudy.v1.flag_service_pb2 import BatchFlagsRequest, BatchFlagsResponse
    from understudy.v1.flags_pb2 import FlagKind

    kinds = [name.removeprefix("FLAG_KIND_").lower() for name, number in FlagKind.items() if number]
    if kind not in kinds:
        raise CommandFailed(ExitCode.USAGE, f"--kind is one of {', '.join(kinds)}")
    request = BatchFlagsRequest()
    flag = request.operations.add().create.flag
    flag.key, flag.kind = flag_key, cast("FlagKind", FlagKind.Value(f"FLAG_KIND_{kind.upper()}"))
    saying.put_into(flag)
    if enabled:
        state = request.operations.add().put_state
        state.flag_key, state.state.enabled = flag_key, True
    with naming(_named("operations[0].create.flag")):
        answer = await desk.call(request, BatchFlagsResponse)
    _show(desk, answer.flags[-1])


@command(app, "edit")
async def edit(desk: Desk, flag_key: FlagKey, saying: Saying) -> None:
    """Change a flag in all environments. What is not named stays as it is; `flag set` switches it."""
    from understudy.v1.flag_service_pb2 import UpdateFlagRequest, UpdateFlagResponse

    request = UpdateFlagRequest(flag_key=flag_key)
    request.changes.SetInParent()
    request.update_mask.paths.extend(saying.put_into(request.changes))
    if not request.update_mask.paths:
        advice = "Name --name, --description, --default, --variant or --tag; `understudy flag set` switches it on."
        raise CommandFailed(ExitCode.USAGE, "there is nothing to change", advice)
    with naming(_named("changes")):
        _show(desk, (await desk.call(request, UpdateFlagResponse)).flag)


@command(app, "set")
async def set_state(
    desk: Desk,
    flag_key: FlagKey,
    *,
    on: Annotated[bool, typer.Option("--on", help="Switch it on.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Switch it off.")] = False,
    value: Annotated[str | None, typer.Option("--value", metavar="VALUE", help="Its value here, JSON or text.")] = None,
    no_value: Annotated[bool, typer.Option("--no-value", help="Its default.")] = False,
    rollout: Annotated[
        int | None, typer.Option("--rollout", min=0, max=_PERCENT_MAX, help="Per cent of the users that have it.")
    ] = None,
    no_rollout: Annotated[bool, typer.Option("--no-rollout", help="For all users.")] = False,
    rules: Annotated[
        str | None,
        typer.Option("--rules", metavar="FILE", help="YAML or JSON with `rules`, for the exact list; - is the input."),
    ] = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="In every environment of the project.")] = False,
) -> None:
    """Set what a flag is in an environment, from the very next evaluation on. What is not named stays as it is.

    understudy flag set new-checkout --on --rollout 25 --environment staging
    """
    from understudy.v1 import flag_service_pb2 as pb
    from understudy.v1.flags_pb2 import FlagState

    given = {"enabled": (on, off), "value": (value is not None, no_value), "rules": (rules is not None, False)}
    given["rollout_percentage"] = (rollout is not None, no_rollout)
    _check_given(given)
    read = read_form(rules, FlagState) if rules is not None else None
    request = pb.PutFlagStateRequest(flag_key=flag_key)
    request.state.SetInParent()
    if read:
        request.state.rules.extend(read.message.rules)
    if on or off:
        request.state.enabled = on
    if value is not None:
        request.state.value = json_of(value)
    if rollout is not None:
        request.state.rollout_percentage = rollout
    request.update_mask.paths.extend(field for field, ways in given.items() if any(ways))
    with pointing(read, "state."), naming({"state.value": "--value", "flag_key": "KEY"}):
        if everywhere:
            request.environment = ""
            batch = pb.BatchFlagsRequest(operations=[pb.FlagOperation(put_state=request)])
            _show(desk, (await desk.call(batch, pb.BatchFlagsResponse)).flags[0])
        else:
            _show_state(desk, flag_key, (await desk.call(request, pb.PutFlagStateResponse)).state)


@command(app, "delete")
async def delete(desk: Desk, flag_key: FlagKey) -> None:
    """Remove a flag from all environments. What sessions set for it stays, and counts."""
    from understudy.v1.flag_service_pb2 import DeleteFlagRequest, DeleteFlagResponse

    from understudy_server.cli.output import print_json

    answer = await desk.call(DeleteFlagRequest(flag_key=flag_key), DeleteFlagResponse)
    if desk.as_json:
        print_json(answer)
    else:
        typer.echo(f"flag {flag_key} is removed")


@command(app, "batch")
async def batch(desk: Desk, source: BatchFile) -> None:
    """Do several things to flags, whole or not at all.

    The file has a list of operations, each a request: create, update, delete or putState.
    """
    from understudy.v1.flag_service_pb2 import BatchFlagsRequest, BatchFlagsResponse

    from understudy_server.cli.output import count, print_json

    read = read_form(source, BatchFlagsRequest)
    with pointing(read, ""):
        answer = await desk.call(read.message, BatchFlagsResponse)
    if desk.as_json:
        print_json(answer)
    else:
        keys = " ".join(each.key for each in answer.flags)
        typer.echo(f"{count(len(answer.flags), 'operation')} done: {keys}")


def _check_given(given: dict[str, tuple[bool, bool]]) -> None:
    flags = {"enabled": "--on", "value": "--value", "rollout_percentage": "--rollout"}
    for field, (said, cleared) in given.items():
        if said and cleared:
            message = f"{flags[field]} is both given and cleared"
            raise CommandFailed(ExitCode.USAGE, message, "Name one of the two options.")
    if not any(any(ways) for ways in given.values()):
        raise CommandFailed(
            ExitCode.USAGE, "there is nothing to set", "Name --on, --off, --value, --rollout or --rules."
        )


def _kind(flag: "Flag") -> str:
    from understudy.v1.flags_pb2 import FlagKind

    return FlagKind.Name(flag.kind).removeprefix("FLAG_KIND_").lower()


def _states(flag: "Flag") -> str:
    return ", ".join(f"{each.environment} {'on' if each.enabled else 'off'}" for each in flag.states)


def _of_state(state: "FlagState") -> str:
    """What a flag is set to, in words."""
    from understudy_server.cli.output import count

    parts = ["on" if state.enabled else "off"]
    if state.HasField("value"):
        parts.append(f"value {state.value}")
    if state.HasField("rollout_percentage"):
        parts.append(f"{state.rollout_percentage} % of the users")
    if state.rules:
        parts.append(count(len(state.rules), "rule"))
    return ", ".join(parts)


def _show_state(desk: Desk, key: str, state: "FlagState") -> None:
    from understudy_server.cli.output import print_facts, print_json

    if desk.as_json:
        print_json(state)
    else:
        print_facts((("flag", key), ("in", state.environment), ("is", _of_state(state))))


def _show(desk: Desk, flag: "Flag") -> None:
    from understudy_server.cli.output import moment, print_facts, print_json

    if desk.as_json:
        print_json(flag)
        return
    print_facts(
        (
            ("flag", flag.key),
            ("name", flag.name),
            ("description", flag.description),
            ("kind", _kind(flag)),
            ("default", flag.default_value),
            ("variants", " ".join(each.key for each in flag.variants)),
            ("tags", " ".join(flag.tags)),
            ("managed by", flag.managed_by),
            ("changed", f"{moment(flag.updated_at, known=True)}, revision {flag.revision}"),
            *((f"in {each.environment}", _of_state(each)) for each in flag.states),
        )
    )
