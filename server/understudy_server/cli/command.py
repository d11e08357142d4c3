"""Commands that speak to a server: they share their last options, their way to the server and the way they fail.

A command is a coroutine whose first parameter is the ``Desk``; what else it takes becomes its own options. A parameter
whose type is a dataclass stands for the fields of that class, which several commands can share. Heavy modules (gRPC,
messages, tables, asyncio) are imported when a command runs, so that help is quick.
"""

import inspect
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, NoReturn, ParamSpec, TypeVar

import typer
from typer.core import TyperCommand

from understudy_server.cli.completing import environments, projects
from understudy_server.cli.failures import CommandFailed, say
from understudy_server.cli.flag_names import OF_LISTS, naming
from understudy_server.cli.line import Line
from understudy_server.cli.target import Target, choose_target

if TYPE_CHECKING:
    from google.protobuf.message import Message

Given = ParamSpec("Given")
Answer = TypeVar("Answer", bound="Message")
_PANEL = "Which server, and where in it"


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command works with. ``project`` and ``environment`` are slugs, empty when not given."""

    line: Line
    project: str
    environment: str
    as_json: bool

    async def call(self, request: "Message", answer: "type[Answer]", timeout_seconds: float | None = None) -> "Answer":
        """Call the RPC that the request belongs to, in the place that the command line names. Raises CommandFailed.

        A place that the request itself names counts more.
        """
        self._place(request)
        with naming(OF_LISTS):
            return await self.line.call(request, answer, timeout_seconds)

    def stream(
        self, request: "Message", answer: "type[Answer]", timeout_seconds: float | None = None
    ) -> "AsyncGenerator[Answer]":
        """The answers of a streaming RPC, in the place that the command line names. Raises CommandFailed, even late."""
        self._place(request)
        return self.line.stream(request, answer, timeout_seconds)

    def _place(self, request: "Message") -> None:
        for name, slug in (("project", self.project), ("environment", self.environment)):
            field = request.DESCRIPTOR.fields_by_name.get(name)
            # In some requests the field of that name holds the project or environment to make.
            if slug and field is not None and field.message_type is None and not getattr(request, name):
                setattr(request, name, slug)

    def at(self, *, project: str = "", environment: str = "") -> "Desk":
        """The same desk in another place; an empty name leaves it as it is."""
        return replace(self, project=project or self.project, environment=environment or self.environment)


@dataclass(frozen=True, slots=True)
class _Shared:
    """The options that every such command has; see ``_SHARED`` for their names."""

    project: str | None = None
    environment: str | None = None
    as_json: bool = False
    server: str | None = None
    key: str | None = None
    data: str | None = None
    ca: str | None = None

    def target(self) -> Target:
        return choose_target(self.server, self.key, self.data, os.environ, ca=self.ca)


def _shared_option(name: str, annotation: Any, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


_SHARED = (
    _shared_option(
        "project",
        Annotated[
            str | None,
            typer.Option(
                "--project",
                envvar="UNDERSTUDY_PROJECT",
                help="Slug.",
                rich_help_panel=_PANEL,
                autocompletion=projects,
            ),
        ],
        None,
    ),
    _shared_option(
        "environment",
        Annotated[
            str | None,
            typer.Option(
                "--environment",
                envvar="UNDERSTUDY_ENVIRONMENT",
                help="Slug.",
                rich_help_panel=_PANEL,
                autocompletion=environments,
            ),
        ],
        None,
    ),
    _shared_option(
        "server",
        Annotated[
            str | None,
            typer.Option(
                "--server",
                metavar="HOST:PORT",
                help="gRPC address of a server; grpcs://HOST:PORT for TLS. \\[env var: UNDERSTUDY_SERVER]",
                rich_help_panel=_PANEL,
            ),
        ],
        None,
    ),
    _shared_option(
        "key",
        Annotated[
            str | None,
            typer.Option("--key", help="API key for --server. \\[env var: UNDERSTUDY_KEY]", rich_help_panel=_PANEL),
        ],
        None,
    ),
    _shared_option(
        "ca",
        Annotated[
            str | None,
            typer.Option(
                "--ca",
                metavar="FILE",
                help="PEM file with the authorities trusted for a grpcs:// server."
                " \\[env var: UNDERSTUDY_CA; default: the public ones]",
                rich_help_panel=_PANEL,
            ),
        ],
        None,
    ),
    _shared_option(
        "data",
        Annotated[
            str | None,
            typer.Option(
                "--data",
                metavar="DIR",
                help="Data directory of a server on this machine; no key needed."
                " \\[env var: UNDERSTUDY_DATA; default: ./understudy-data]",
                rich_help_panel=_PANEL,
            ),
        ],
        None,
    ),
    _shared_option("as_json", Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")], default=False),
)


def command(
    app: typer.Typer, name: str, cls: type[TyperCommand] | None = None
) -> Callable[[Callable[Concatenate[Desk, Given], Coroutine[Any, Any, None]]], Callable[..., None]]:
    """Make a coroutine a command: its docstring is the help, its parameters and the shared ones are the options.

    ``cls`` is what takes the line apart, where that is not done as ever.
    """

    def register(work: Callable[Concatenate[Desk, Given], Coroutine[Any, Any, None]]) -> Callable[..., None]:
        own = list(inspect.signature(work, eval_str=True).parameters.values())[1:]

        def run(**given: Any) -> None:
            import asyncio

            shared = _Shared(**{option.name: given.pop(option.name) for option in _SHARED})
            own_given = _gather(own, given)
            finish(lambda: asyncio.run(_at_desk(shared, lambda desk: work(desk, **own_given))))  # type: ignore[call-arg]

        spread = [option for each in own for option in _spread(each)]
        parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in spread] + list(_SHARED)
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        run.__doc__ = work.__doc__
        app.command(name, cls=cls)(run)
        return run

    return register


def _spread(parameter: inspect.Parameter) -> list[inspect.Parameter]:
    """The options that a parameter stands for: the fields of its dataclass, or itself."""
    kind = parameter.annotation
    if not is_dataclass(kind):
        return [parameter]
    options = []
    for field in fields(kind):
        default = inspect.Parameter.empty if field.default is MISSING else field.default
        options.append(parameter.replace(name=field.name, annotation=field.type, default=default))
    return options


def _gather(parameters: list[inspect.Parameter], given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a command, from the values of its options: the reverse of ``_spread``."""
    arguments = {}
    for each in parameters:
        kind = each.annotation
        if isinstance(kind, type) and is_dataclass(kind):
            arguments[each.name] = kind(**{field.name: given[field.name] for field in fields(kind)})
        else:
            arguments[each.name] = given[each.name]
    return arguments


async def _at_desk(shared: _Shared, work: Callable[[Desk], Awaitable[None]]) -> None:
    async with Line(shared.target()) as line:
        await work(Desk(line, shared.project or "", shared.environment or "", shared.as_json))


def finish(work: Callable[[], None]) -> None:
    """Run the work of a command; one that fails says why and what to do next, and ends with its exit code."""
    try:
        work()
    except CommandFailed as failure:
        fail(failure)


def fail(failure: CommandFailed) -> NoReturn:
    """Print a failure to the error stream and exit."""
    say(failure)
    raise typer.Exit(failure.exit_code)
