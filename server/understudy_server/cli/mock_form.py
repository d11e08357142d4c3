"""Mocks on the command line: flags for the common things, and how a mock is shown in a line."""

import mimetypes
from collections.abc import Iterable
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy_server.cli.failures import CommandFailed, ExitCode

if TYPE_CHECKING:
    # Messages take long to import, and help needs none of them.
    from understudy.v1.actions_pb2 import Action, Respond
    from understudy.v1.manifest_service_pb2 import ManifestMock
    from understudy.v1.matching_pb2 import RequestMatcher

FLAGS = "--path, --status, --body-json and so on: see --help"

_REQUEST = "Which requests"
_ANSWER = "What they get"
_JSON = ".json"
_FIELDS = {
    "name": ("name",),
    "priority": ("priority",),
    "tag": ("tags",),
    "method": ("matcher.method",),
    "path": ("matcher.path",),
    "query": ("matcher.query",),
    "status": ("action.respond.status",),
    "header": ("action.respond.headers",),
    "body_json": ("action.respond.json",),
    "body_text": ("action.respond.text",),
    "body_file": ("action.respond.json", "action.respond.text", "action.respond.binary"),
    "delay_ms": ("action.delay",),
}
"""The fields that the flags set."""
_OTHER_PARTS = ("host", "all_query", "headers", "all_headers", "cookies", "body", "state")


@dataclass(frozen=True, slots=True)
class MockFlags:
    """What can be said of a mock by flags. ``None`` and false: not said. Empty text, or an empty list, clears."""

    name: Annotated[
        str | None, typer.Option("--name", help="Name for people.  \\[default: the id, or method and path]")
    ] = None
    priority: Annotated[
        int | None, typer.Option("--priority", help="Goes before others of its layer that have less.  \\[default: 0]")
    ] = None
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="WORD", help="A word to find it by; repeat it for the exact list; '' is none."),
    ] = None
    method: Annotated[
        str | None, typer.Option("--method", help="HTTP method; '' is any.", rich_help_panel=_REQUEST)
    ] = None
    path: Annotated[
        str | None,
        typer.Option("--path", help="Path, such as /api/users/:id; '' is any.", rich_help_panel=_REQUEST),
    ] = None
    query: Annotated[
        list[str] | None,
        typer.Option(
            "--query",
            metavar="NAME=VALUE",
            help="A query parameter to insist on; repeat it for the exact set; '' is none.",
            rich_help_panel=_REQUEST,
        ),
    ] = None
    status: Annotated[
        int | None,
        typer.Option("--status", min=200, max=599, help="Status of the answer.", rich_help_panel=_ANSWER),
    ] = None
    header: Annotated[
        list[str] | None,
        typer.Option(
            "--header",
            metavar="'NAME: VALUE'",
            help="A header of the answer; repeat it for the exact list; '' is none.",
            rich_help_panel=_ANSWER,
        ),
    ] = None
    body_json: Annotated[
        str | None, typer.Option("--body-json", metavar="JSON", help="JSON to answer.", rich_help_panel=_ANSWER)
    ] = None
    body_text: Annotated[
        str | None, typer.Option("--body-text", metavar="TEXT", help="Text to answer.", rich_help_panel=_ANSWER)
    ] = None
    body_file: Annotated[
        str | None,
        typer.Option(
            "--body-file",
            metavar="FILE",
            help="File to answer with: JSON, text or anything else, by its name and content.",
            rich_help_panel=_ANSWER,
        ),
    ] = None
    no_body: Annotated[bool, typer.Option("--no-body", help="Answer without a body.", rich_help_panel=_ANSWER)] = False
    delay_ms: Annotated[
        int | None,
        typer.Option("--delay-ms", min=0, max=120_000, help="Wait so many milliseconds.", rich_help_panel=_ANSWER),
    ] = None

    def given(self) -> bool:
        """True when anything was said."""
        return any(map(self._is_given, fields(self)))

    def _is_given(self, field: Field[Any]) -> bool:
        value = getattr(self, field.name)
        # 0 equals False, and is a number that somebody gave.
        return value is not None and value is not False

    def named(self, prefix: str) -> dict[str, str]:
        """The flags that were given, by the fields that they set in a request that has the form behind ``prefix``."""
        return {
            f"{prefix}{path}": f"--{field.name.replace('_', '-')}"
            for field in fields(self)
            if self._is_given(field)
            for path in _FIELDS.get(field.name, ())
        }

    def put_into(self, form: "ManifestMock") -> None:
        """Change a form to what was said. Raises CommandFailed (usage)."""
        if self.name is not None:
            form.name = self.name
        if self.priority is not None:
            form.priority = self.priority
        if self.tag is not None:
            form.tags[:] = [word for word in self.tag if word]
        self._put_matcher(form.matcher)
        self._put_action(form.action)

    def _put_matcher(self, matcher: "RequestMatcher") -> None:
        if self.method is not None:
            matcher.method = self.method.upper()
        if self.path is not None:
            matcher.path = self.path
        if self.query is not None:
            matcher.query.clear()
            for name, value in _pairs(self.query, "=", "--query", "NAME=VALUE"):
                if name in matcher.query:
                    raise CommandFailed(ExitCode.USAGE, f"--query names {name!r} twice", "One value can be asked for.")
                matcher.query[name].equals = value

    def _put_action(self, action: "Action") -> None:
        respond = action.respond
        if self.status is not None:
            respond.status = self.status
        if self.header is not None:
            del respond.headers[:]
            for name, value in _pairs(self.header, ":", "--header", "'NAME: VALUE'"):
                respond.headers.add(name=name.strip(), value=value.strip())
        self._put_body(respond)
        if self.delay_ms is not None:
            action.delay.fixed_ms = self.delay_ms

    def _put_body(self, respond: "Respond") -> None:
        ways = {
            "--body-json": self.body_json is not None,
            "--body-text": self.body_text is not None,
            "--body-file": self.body_file is not None,
            "--no-body": self.no_body,
        }
        given = [way for way, is_given in ways.items() if is_given]
        if len(given) > 1:
            raise CommandFailed(ExitCode.USAGE, f"{' and '.join(given)} exclude each other", "Name one of them.")
        if self.no_body:
            respond.ClearField("body")
        elif self.body_json is not None:
            respond.json = _checked_json(self.body_json, "--body-json")
        elif self.body_text is not None:
            respond.text = self.body_text
        elif self.body_file is not None:
            _put_file(respond, Path(self.body_file))


def requests_of(matcher: "RequestMatcher") -> str:
    """Which requests a mock is for, in a line: ``POST /api/pay?currency=EUR, by body``."""
    parameters = "&".join(
        f"{name}={criterion.equals}" if criterion.WhichOneof("test") == "equals" else name
        for name, criterion in sorted(matcher.query.items())
    )
    path = matcher.path or ("some paths" if matcher.HasField("path_criterion") else "any path")
    method = matcher.method or ("some methods" if matcher.HasField("method_criterion") else "")
    is_any = path == "any path" and not method
    line = ("any request" if is_any else f"{method} {path}".strip()) + (f"?{parameters}" if parameters else "")
    others = [name for name in _OTHER_PARTS if _is_given(matcher, name)]
    return f"{line}, by {' and '.join(others).replace('_', ' ')}" if others else line


def _is_given(matcher: "RequestMatcher", name: str) -> bool:
    repeated = ("headers", "cookies", "state")
    return bool(getattr(matcher, name)) if name in repeated else matcher.HasField(name)


def answer_of(action: "Action") -> str:
    """What a mock answers, in a line: ``402 json, after 250 ms``."""
    line = _answer(action)
    if action.delay.fixed_ms:
        line += f", after {action.delay.fixed_ms} ms"
    elif action.HasField("delay") and action.delay.WhichOneof("length"):
        line += ", after some time"
    return f"{line}, or a fault" if action.HasField("fault") else line


def _answer(action: "Action") -> str:
    match action.WhichOneof("kind"):
        case "sequence":
            return f"{len(action.sequence.steps)} in turn"
        case "events":
            return f"{len(action.events.events)} events"
        case "forward":
            return f"from {action.forward.target}"
        case _:
            body = action.respond.WhichOneof("body")
            return f"{action.respond.status or 200} {body or ''}".rstrip()


def _pairs(lines: Iterable[str], between: str, flag: str, form: str) -> Iterable[tuple[str, str]]:
    for line in lines:
        if not line:
            continue
        name, found, value = line.partition(between)
        if not found or not name:
            raise CommandFailed(ExitCode.USAGE, f"{flag} {line!r} has not the form {form}")
        yield name, value


def _checked_json(text: str, where: str) -> str:
    from understudy_server.core.strict_json import MalformedJson, parse

    try:
        parse(text)
    except MalformedJson as error:
        raise CommandFailed(ExitCode.USAGE, f"{where} is not JSON: {error}") from error
    return text


def _put_file(respond: "Respond", path: Path) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CommandFailed(ExitCode.USAGE, f"cannot read --body-file {path}: {error.strerror}") from error
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        respond.binary = content
    else:
        if path.suffix == _JSON:
            respond.json = _checked_json(text, str(path))
            return
        respond.text = text
    kind, _ = mimetypes.guess_type(path.name)
    if kind and not any(header.name.lower() == "content-type" for header in respond.headers):
        charset = "; charset=utf-8" if respond.HasField("text") else ""
        respond.headers.add(name="content-type", value=kind + charset)
