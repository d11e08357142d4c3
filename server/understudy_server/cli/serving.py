"""``understudy serve`` and ``understudy gateway``: the commands that stay."""

import os
from pathlib import Path
from typing import Annotated

import typer

from understudy_server.cli.command import finish
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.optional_values import ASSERTIVE
from understudy_server.cli.target import choose_ca

_ADDRESS = "HOST:PORT, :PORT or PORT; 0 = any free one."
_ADDRESS_METAVAR = "ADDR"
_TLS = "PEM file with certificate chain and key, or CERT.pem,KEY.pem."


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("serve")(_serve)
    app.command("gateway")(_gateway)


def _serve(
    *,
    data: Annotated[
        str | None, typer.Option(metavar="DIR", help="Where everything is kept.  \\[default: ./understudy-data]")
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="understudy.yaml: what there is to be, and settings in a section `server:`."),
    ] = None,
    grpc: Annotated[
        str | None, typer.Option(metavar=_ADDRESS_METAVAR, help=f"{_ADDRESS}  \\[default: 127.0.0.1:50051]")
    ] = None,
    rest: Annotated[
        str | None, typer.Option(metavar=_ADDRESS_METAVAR, help=f"{_ADDRESS}  \\[default: 127.0.0.1:8000]")
    ] = None,
    proxy: Annotated[
        str | None, typer.Option(metavar=_ADDRESS_METAVAR, help=f"{_ADDRESS}  \\[default: 127.0.0.1:8080]")
    ] = None,
    proxy_bound: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="More proxy listeners, for one environment each: checkout/qa=:8081,..."),
    ] = None,
    assertive: Annotated[
        str | None,
        typer.Option(
            metavar=_ADDRESS_METAVAR,
            help=f"Where clients of the Assertive mock API are answered, without a key; alone: {ASSERTIVE}."
            "  \\[default: nowhere]",
        ),
    ] = None,
    init_stubs: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="JSON file with stubs that are there at --assertive from the start.  \\[env var: INIT_STUBS_FILE]",
        ),
    ] = None,
    grpc_tls: Annotated[str | None, typer.Option(metavar="FILE", help=f"TLS for gRPC. {_TLS}")] = None,
    rest_tls: Annotated[str | None, typer.Option(metavar="FILE", help="TLS for REST, likewise.")] = None,
    proxy_tls: Annotated[str | None, typer.Option(metavar="FILE", help="TLS for all of the proxy, likewise.")] = None,
    proxy_upstream_allow: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Where the proxy may connect to: 10.0.0.0/8,*.example.com,...  \\[default: all but link-local ones]",
        ),
    ] = None,
    proxy_upstream_ca: Annotated[
        str | None, typer.Option(metavar="FILE", help="PEM file with more authorities trusted for upstreams.")
    ] = None,
    api_rate: Annotated[
        str | None, typer.Option(metavar="N/S", help="Calls in so many seconds, for each key.  \\[default: 6000/60]")
    ] = None,
    plan: Annotated[
        str | None, typer.Option(metavar="PLAN", help="free, dev, team or business.  \\[default: as it was]")
    ] = None,
    durability: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="normal: survives the process; full: power too.  \\[default: normal]"),
    ] = None,
    journal: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="disk, or memory: the newest exchanges, until the stop.  \\[default: disk]"),
    ] = None,
    ready_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Gets the addresses as JSON once all accept.")
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar=_ADDRESS_METAVAR, help="Where /metrics is, for Prometheus, without a key.  \\[default: nowhere]"
        ),
    ] = None,
    log_format: Annotated[
        str | None, typer.Option(metavar="FORM", help="Log lines as text or json.  \\[default: text]")
    ] = None,
    log_level: Annotated[
        str | None,
        typer.Option(metavar="LEVEL", help="debug, info (each API call), warning or error.  \\[default: warning]"),
    ] = None,
) -> None:
    """Run a server: gRPC, REST and proxy in one process.

    Every option can stand in the environment (UNDERSTUDY_API_RATE) or in the file too. Flags count most, then the
    environment.
    """
    flags = {
        "data": data,
        "config": config,
        "grpc": grpc,
        "rest": rest,
        "proxy": proxy,
        "proxy_bound": proxy_bound,
        "assertive": assertive,
        "init_stubs": init_stubs,
        "grpc_tls": grpc_tls,
        "rest_tls": rest_tls,
        "proxy_tls": proxy_tls,
        "proxy_upstream_allow": proxy_upstream_allow,
        "proxy_upstream_ca": proxy_upstream_ca,
        "api_rate": api_rate,
        "plan": plan,
        "durability": durability,
        "journal": journal,
        "ready_file": ready_file,
        "metrics": metrics,
        "log_format": log_format,
        "log_level": log_level,
    }
    from understudy_server.cli.run_server import run_server

    finish(lambda: run_server(flags))


def _gateway(
    *,
    server: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT",
            help="gRPC address of the server behind; grpcs://HOST:PORT for TLS.",
            show_default=False,
        ),
    ],
    ca: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="PEM file with the authorities trusted for a grpcs:// server."
            "  \\[env var: UNDERSTUDY_CA; default: the public ones]",
        ),
    ] = None,
    rest: Annotated[str, typer.Option(metavar=_ADDRESS_METAVAR, help=_ADDRESS)] = "127.0.0.1:8000",
    rest_tls: Annotated[str | None, typer.Option(metavar="FILE", help=f"TLS for REST. {_TLS}")] = None,
    ready_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Gets the address as JSON once it accepts.")
    ] = None,
    flagbridge_edition: Annotated[
        str,
        typer.Option(
            metavar="EDITION", help="Of FlagBridge at /v1: pro or ce.", envvar="UNDERSTUDY_FLAGBRIDGE_EDITION"
        ),
    ] = "pro",
    flagbridge_requests: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="What its keys may ask of this gateway in a minute, by scope: eval=10000,test=1000,...",
            envvar="UNDERSTUDY_FLAGBRIDGE_REQUESTS",
        ),
    ] = "",
    log_format: Annotated[
        str,
        typer.Option(metavar="FORM", help="Log lines as text or json.", envvar="UNDERSTUDY_LOG_FORMAT"),
    ] = "text",
    log_level: Annotated[
        str,
        typer.Option(metavar="LEVEL", help="debug, info, warning or error.", envvar="UNDERSTUDY_LOG_LEVEL"),
    ] = "warning",
) -> None:
    """Run the REST door alone, for a server elsewhere."""
    bridge = {"edition": flagbridge_edition, "requests": flagbridge_requests}
    logs = {"log_format": log_format, "log_level": log_level}
    finish(lambda: _run_gateway(server, ca, rest, rest_tls, ready_file, bridge, logs))


def _run_gateway(
    server: str,
    ca: str | None,
    rest: str,
    rest_tls: str | None,
    ready_file: Path | None,
    bridge: dict[str, str],
    logs: dict[str, str],
) -> None:
    from understudy_gateway.dialects.flagbridge.settings import FlagBridgeSettings, RequestsAMinute

    from understudy_server.cli.addresses import read_address
    from understudy_server.cli.flagbridge import read_edition, read_requests
    from understudy_server.cli.lifetime import gateway_until, run_until_signal
    from understudy_server.cli.peer import read_peer
    from understudy_server.cli.settings import read_log_format, read_log_level
    from understudy_server.cli.tls import read_identity

    try:
        behind = read_peer(server, choose_ca(server, ca, os.environ))
        address, tls = read_address(rest), read_identity(rest_tls) if rest_tls else None
        edition = read_edition(bridge["edition"])
        requests = read_requests(bridge["requests"]) if bridge["requests"] else RequestsAMinute()
        form, level = read_log_format(logs["log_format"]), read_log_level(logs["log_level"])
    except ValueError as error:
        raise CommandFailed(ExitCode.USAGE, str(error)) from error
    flagbridge = FlagBridgeSettings(edition, requests_a_minute=requests)
    run_until_signal(lambda stop: gateway_until(stop, behind, address, tls, flagbridge, ready_file), form, level)
