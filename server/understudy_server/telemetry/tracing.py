"""Whether requests are traced: only where the standard variables of OpenTelemetry ask for it.

What traces is in `spans.py`, which takes the extra ``otel`` and is imported by nobody else.
"""

import importlib.util
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from understudy_server.telemetry.spans import Tracing

INSTALL: Final = "pip install 'understudy-server[otel]'"

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_EXPORTERS: Final = {
    "http/protobuf": ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "OTLPSpanExporter"),
    "grpc": ("opentelemetry.exporter.otlp.proto.grpc.trace_exporter", "OTLPSpanExporter"),
    "console": ("opentelemetry.sdk.trace.export", "ConsoleSpanExporter"),
}


class CannotTrace(Exception):
    """What the variables ask for cannot be had. The message says what to do."""


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Whether the standard variables ask for traces: they name an exporter, or where to send them."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = _exporter_name(environ)
    return exporter != "none" and (exporter != "" or any(environ.get(name) for name in _ENDPOINTS))


def start(environ: Mapping[str, str], version: str) -> "Tracing | None":
    """Begin to trace as the variables say; ``None`` when they do not ask for it. Raises CannotTrace."""
    if not is_wanted(environ):
        return None
    kind = _kind(environ)
    if not is_installed():
        raise CannotTrace(f"traces are asked for by variables OTEL_..., and they take an extra: {INSTALL}")
    about = {"service.version": version}
    if not environ.get("OTEL_SERVICE_NAME") and "service.name=" not in environ.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        about["service.name"] = "understudy"
    module, name = _EXPORTERS[kind]
    exporter: Any = getattr(import_module(module), name)()
    tracing: Tracing = import_module("understudy_server.telemetry.spans").provide(exporter, about)
    return tracing


def is_installed() -> bool:
    """Whether the extra is."""
    try:
        return all(importlib.util.find_spec(name) for name in ("opentelemetry.sdk", "opentelemetry.exporter.otlp"))
    except ModuleNotFoundError:
        return False


def _kind(environ: Mapping[str, str]) -> str:
    exporter = _exporter_name(environ) or "otlp"
    if exporter == "console":
        return exporter
    if exporter != "otlp":
        raise CannotTrace(f"OTEL_TRACES_EXPORTER: {exporter!r} is not an exporter: give otlp, console or none")
    protocol = next((environ[name].strip() for name in _PROTOCOLS if environ.get(name)), "http/protobuf")
    if protocol not in ("http/protobuf", "grpc"):
        raise CannotTrace(f"{_PROTOCOLS[1]}: {protocol!r} is not a protocol: give http/protobuf or grpc")
    return protocol


def _exporter_name(environ: Mapping[str, str]) -> str:
    return environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
