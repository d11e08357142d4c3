"""Environments on the command line: flags for the common settings, and how settings become a form and back."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy_server.cli.failures import CommandFailed, ExitCode

if TYPE_CHECKING:
    # Messages take long to import, and help needs none of them.
    from google.protobuf.message import Message
    from understudy.v1.manifest_service_pb2 import ManifestEnvironment
    from understudy.v1.project_service_pb2 import Carrier, Environment

FLAGS = "--upstream, --host, --carrier, --strict and so on: see --help"

_WITHIN = ("mocks", "scenarios", "existing")
_LIMITS = (
    "request_body_bytes_max",
    "captured_bytes_max",
    "first_byte_ms",
    "session_log_entries_max",
    "session_log_bytes_max",
    "log_entries_max",
    "log_bytes_max",
    "log_retention_seconds",
)
_FIELDS = {
    "host": "hosts",
    "carrier": "carriers",
    "redact_header": "redaction.headers",
    "redact_query": "redaction.query",
    "redact_json": "redaction.json_paths",
    "keep_credentials": "redaction.keep_credentials",
    "forward_preflights": "cors.forward_preflights",
    "leave_answers": "cors.leave_answers",
    **{name: f"limits.{name}" for name in _LIMITS},
}
"""The fields of the flags that are called otherwise."""
_CARRIERS = {"header": "header", "cookie": "cookie", "query": "query", "jwt": "jwt_claim", "baggage": "baggage"}


@dataclass(frozen=True, slots=True)
class EnvironmentFlags:
    """What can be said of an environment by flags. ``None``: not said. Empty text, or a list of it, clears."""

    name: Annotated[str | None, typer.Option("--name", help="Name for people; '' is the slug.")] = None
    upstream: Annotated[
        str | None,
        typer.Option("--upstream", metavar="URL", help="The real service; '' is none: what no mock answers gets 502."),
    ] = None
    host: Annotated[
        list[str] | None,
        typer.Option(
            "--host",
            metavar="NAME",
            help="Host name at which the proxy serves it without a prefix; repeat it for the exact set; '' is none.",
        ),
    ] = None
    carrier: Annotated[
        list[str] | None,
        typer.Option(
            "--carrier",
            metavar="KIND=NAME",
            help="Where else a request keeps its key: header=, cookie=, query=, jwt= or baggage=;"
            " repeat it for the exact order; '' is none.",
        ),
    ] = None
    strict: Annotated[
        bool | None, typer.Option("--strict/--lenient", help="Refuse requests without a session key, or not.")
    ] = None
    tunnel_upgrades: Annotated[
        bool | None, typer.Option("--tunnel-upgrades/--no-tunnel-upgrades", help="Let WebSockets through, or not.")
    ] = None
    strip_session_header: Annotated[
        bool | None,
        typer.Option("--strip-session-header/--pass-session-header", help="Whether the service gets that header."),
    ] = None
    redact_header: Annotated[
        list[str] | None,
        typer.Option(
            "--redact-header", metavar="NAME", help="Header to mask in the record; repeat for all; '' is none."
        ),
    ] = None
    redact_query: Annotated[
        list[str] | None,
        typer.Option("--redact-query", metavar="NAME", help="Query parameter to mask, likewise."),
    ] = None
    redact_json: Annotated[
        list[str] | None,
        typer.Option("--redact-json", metavar="PATH", help="JSON path to mask in bodies ($.card.number), likewise."),
    ] = None
    keep_credentials: Annotated[
        bool | None,
        typer.Option(
            "--keep-credentials/--mask-credentials",
            help="Keep the credentials of requests in the record, where they are made up, or mask them.",
        ),
    ] = None
    request_body_bytes_max: Annotated[
        str | None,
        typer.Option(
            "--request-body-bytes-max", metavar="BYTES", help="Longest request body; '' is the server's own limit."
        ),
    ] = None
    captured_bytes_max: Annotated[
        str | None,
        typer.Option(
            "--captured-bytes-max",
            metavar="BYTES",
            help="How much of each body is recorded; 0: only its length; '' is as much as the server keeps.",
        ),
    ] = None
    first_byte_ms: Annotated[
        str | None,
        typer.Option(
            "--first-byte-ms",
            metavar="MS",
            help="How long the service may take to begin its answer; '' is the server's own limit.",
        ),
    ] = None
    session_log_entries_max: Annotated[
        str | None,
        typer.Option(
            "--session-log-entries-max",
            metavar="COUNT",
            help="How many exchanges are kept of each session; '' is the server's own limit.",
        ),
    ] = None
    session_log_bytes_max: Annotated[
        str | None,
        typer.Option(
            "--session-log-bytes-max", metavar="BYTES", help="How much is kept of each session, in bytes; '' likewise."
        ),
    ] = None
    log_entries_max: Annotated[
        str | None,
        typer.Option(
            "--log-entries-max", metavar="COUNT", help="How many exchanges are kept of all sessions; '' likewise."
        ),
    ] = None
    log_bytes_max: Annotated[
        str | None,
        typer.Option(
            "--log-bytes-max", metavar="BYTES", help="How much is kept of all sessions, in bytes; '' likewise."
        ),
    ] = None
    log_retention_seconds: Annotated[
        str | None,
        typer.Option("--log-retention-seconds", metavar="S", help="How long exchanges are kept; '' likewise."),
    ] = None
    forward_preflights: Annotated[
        bool | None,
        typer.Option(
            "--forward-preflights/--no-forward-preflights",
            help="Let mocks and the service answer the preflights of browsers, or the proxy.",
        ),
    ] = None
    leave_answers: Annotated[
        bool | None,
        typer.Option(
            "--leave-answers/--no-leave-answers",
            help="Leave mocked answers as they are, or add headers that let any page read them.",
        ),
    ] = None

    def given(self) -> bool:
        """True when anything was said."""
        return any(getattr(self, field.name) is not None for field in fields(self))

    def named(self, prefix: str) -> dict[str, str]:
        """The flags that were given, by their fields in a request that has the form behind ``prefix``."""
        return {
            f"{prefix}{_FIELDS.get(field.name, field.name)}": f"--{field.name.replace('_', '-')}"
            for field in fields(self)
            if getattr(self, field.name) is not None
        }

    def put_into(self, form: "ManifestEnvironment") -> None:
        """Change a form to what was said. Raises CommandFailed (usage)."""
        for name in ("name", "upstream", "strict", "tunnel_upgrades", "strip_session_header"):
            value = getattr(self, name)
            if value is not None:
                setattr(form, name, value)
        _put_list(form.hosts, self.host)
        if self.carrier is not None:
            del form.carriers[:]
            form.carriers.extend(_carrier(text) for text in self.carrier if text)
        for name, texts in (
            ("headers", self.redact_header),
            ("query", self.redact_query),
            ("json_paths", self.redact_json),
        ):
            if texts is not None:
                _put_list(getattr(form.redaction, name), texts)
        if self.keep_credentials is not None:
            form.redaction.keep_credentials = self.keep_credentials
        self._put_limits(form)
        if self.forward_preflights is not None:
            form.cors.forward_preflights = self.forward_preflights
        if self.leave_answers is not None:
            form.cors.leave_answers = self.leave_answers

    def _put_limits(self, form: "ManifestEnvironment") -> None:
        for name in _LIMITS:
            text = getattr(self, name)
            if text:
                _put_number(form.limits, name, text)
            elif text is not None:
                form.limits.ClearField(name)


def form_of(environment: "Environment") -> "ManifestEnvironment":
    """The settings of an environment in the form of the manifest."""
    from understudy.v1.manifest_service_pb2 import ManifestEnvironment

    form = ManifestEnvironment()
    _copy(environment, form)
    return form


def put_settings(form: "ManifestEnvironment", target: "Message") -> None:
    """Give an environment, or the changes to one, the settings of a form. Raises CommandFailed when it has more."""
    if any(getattr(form, name) for name in _WITHIN):
        advice = "Put all of it in a file of its own: `understudy apply FILE`."
        raise CommandFailed(ExitCode.USAGE, "an environment is given here without what is in it", advice)
    _copy(form, target)


def setting_names() -> list[str]:
    """The names of all settings, as the mask of an update has them."""
    from understudy.v1.project_service_pb2 import EnvironmentChanges

    return [field.name for field in EnvironmentChanges.DESCRIPTOR.fields]


def carrier_of(carrier: "Carrier") -> str:
    """A carrier as its flag takes it."""
    source = carrier.WhichOneof("source") or ""
    names = {field: kind for kind, field in _CARRIERS.items()}
    return f"{names.get(source, source)}={getattr(carrier, source)}" if source else ""


def _copy(source: "Message", target: "Message") -> None:
    for name in setting_names():
        field = source.DESCRIPTOR.fields_by_name[name]
        value: Any = getattr(source, name)
        if field.is_repeated:
            getattr(target, name).extend(value)
        elif field.message_type is None:
            setattr(target, name, value)
        elif source.HasField(name):
            getattr(target, name).CopyFrom(value)


def _put_list(target: Any, texts: list[str] | None) -> None:
    if texts is not None:
        del target[:]
        target.extend(text for text in texts if text)


def _put_number(limits: "Message", name: str, text: str) -> None:
    flag = f"--{name.replace('_', '-')}"
    advice = f"Give a whole number from 0, or {flag} ''."
    if not (text.isascii() and text.isdigit()):
        raise CommandFailed(ExitCode.USAGE, f"{flag} {text!r} is no number", advice)
    try:
        setattr(limits, name, int(text))
    except ValueError as error:
        # More than the field can hold.
        raise CommandFailed(ExitCode.USAGE, f"{flag} {text} is too large", advice) from error


def _carrier(text: str) -> "Carrier":
    from understudy.v1.project_service_pb2 import Carrier

    kind, _, name = text.partition("=")
    if kind not in _CARRIERS or not name:
        kinds = ", ".join(f"{each}=NAME" for each in _CARRIERS)
        raise CommandFailed(ExitCode.USAGE, f"--carrier {text!r} is none", f"It can be {kinds}.")
    carrier = Carrier()
    setattr(carrier, _CARRIERS[kind], name)
    return carrier
