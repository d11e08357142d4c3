"""Every setting of ``understudy serve``, with its unit, and where its value comes from.

A flag outweighs the environment (``UNDERSTUDY_API_RATE``), the environment outweighs the file
(``server: {api_rate: 120/60}``), the file outweighs the default. A setting has one reader, wherever its value stands.
"""

import re
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

from understudy_gateway.app import BODY_BYTES_MAX
from understudy_gateway.backend import Backend
from understudy_gateway.dialects.flagbridge.settings import Edition, FlagBridgeSettings, Login, RequestsAMinute

from understudy_server.cli.addresses import LOOPBACK, Address, read_address
from understudy_server.cli.bound import BoundListener, read_bound
from understudy_server.cli.flagbridge import read_edition, read_login, read_requests
from understudy_server.cli.http_limits import HttpLimits
from understudy_server.cli.target import DATA_DEFAULT
from understudy_server.cli.tls import Identity, read_identity, read_trust
from understudy_server.core.allow_list import AllowList
from understudy_server.core.plans import Plan
from understudy_server.core.rates import Rate
from understudy_server.core.record import Quota
from understudy_server.journal.memory import MemoryLimits
from understudy_server.journal.rules import DISK_QUOTA, MEMORY_QUOTA, DiskLimits
from understudy_server.proxy.settings import ProxySettings
from understudy_server.telemetry.logs import LogFormat, LogLevel

if TYPE_CHECKING:
    # What reads YAML, which takes long to import: most servers have no file.
    from understudy_server.cli.config_file import Setting

Durability = Literal["normal", "full"]
JournalKind = Literal["disk", "memory"]

_ENVIRONMENT_PREFIX = "UNDERSTUDY_"
_DAY_SECONDS = 86_400
_CALLS_A_REQUEST = 8
"""A request over FlagBridge's door, which counts requests, takes up to so many calls."""


class BadSettings(Exception):
    """A setting that cannot be used. The message names it, where it stands, and what is allowed."""


def _rate(text: str) -> Rate:
    found = re.fullmatch(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,5})s?", text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a rate: give calls/seconds, such as 120/60")
    return Rate(int(found[1]), int(found[2]))


def _plan(text: str) -> Plan:
    names = [plan.name.lower() for plan in Plan]
    if text not in names:
        raise ValueError(f"{text!r} is not a plan: give {', '.join(names)}")
    return Plan[text.upper()]


def _durability(text: str) -> Durability:
    match text:
        case "normal" | "full":
            return text
        case _:
            raise ValueError(f"{text!r} is not a durability: give normal or full")


def _journal(text: str) -> JournalKind:
    match text:
        case "disk" | "memory":
            return text
        case _:
            raise ValueError(f"{text!r} is not a journal: give disk or memory")


def read_log_format(text: str) -> LogFormat:
    """Read how log lines are written. Raises ValueError."""
    match text:
        case "text" | "json":
            return text
        case _:
            raise ValueError(f"{text!r} is not a form of log lines: give text or json")


def read_log_level(text: str) -> LogLevel:
    """Read from which level on they are. Raises ValueError."""
    match text:
        case "debug" | "info" | "warning" | "error":
            return text
        case _:
            raise ValueError(f"{text!r} is not a level: give debug, info, warning or error")


def _whole(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,15}", text) or int(text) < least:
            raise ValueError(f"{text!r} is not a whole number from {least}")
        return int(text)

    return read


# A type with what reads its text (and raises ValueError that says what is allowed).
At = Annotated[Address, read_address]
Place = Annotated[Path, Path]
Count = Annotated[int, _whole(0)]
Positive = Annotated[int, _whole(1)]
Tls = Annotated[Identity | None, read_identity]

_GRPC, _REST, _PROXY = (Address(LOOPBACK, port) for port in (50_051, 8_000, 8_080))
_DATA = Path(DATA_DEFAULT)
_API_RATE = Rate(calls=6_000, seconds=60)
_LIMITS = ProxySettings()
_HTTP = HttpLimits()
_REQUESTS = RequestsAMinute()
_MEMORY = MemoryLimits()
_DISK = DiskLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a server runs. Names end in their unit."""

    data: Place = _DATA
    """Where everything is kept."""

    grpc: At = _GRPC
    rest: At = _REST
    proxy: At = _PROXY
    """Where each door listens: ``HOST:PORT``, ``:PORT`` or ``PORT`` (on loopback); port 0 is any free one."""

    proxy_bound: Annotated[tuple[BoundListener, ...], read_bound] = ()
    """More listeners of the proxy, each for one environment: ``checkout/staging=:8081,checkout/qa=:8082``."""

    assertive: Annotated[Address | None, read_address] = None
    """Where clients of the Assertive mock API are answered, without a key; not given: nowhere. Not over TLS, as they
    expect. What they make is in the environment `assertive/default`, which is empty at each start."""

    init_stubs: Annotated[Path | None, Path] = None
    """A JSON file with stubs that are there for them from the start. `INIT_STUBS_FILE` names it, too."""

    flagbridge_edition: Annotated[Edition, read_edition] = Edition.PRO
    """Which edition's answers clients of FlagBridge get at `/v1`: ``pro``, or ``ce`` with its limits."""

    flagbridge_login: Annotated[Login | None, read_login] = None
    """The one user who may log in at `/v1/auth/login`, and then manage everything there: ``EMAIL:PASSWORD``. Better in
    the environment than where others can read it. Not given: nobody."""

    flagbridge_requests: Annotated[RequestsAMinute, read_requests] = _REQUESTS
    """How many requests keys of the kind flagbridge may make in a minute, by scope:
    ``eval=10000,test=1000,mgmt=500,full=500``. What is left out stays as it is here. Over the other doors they may
    make eight times as many calls."""

    metrics: Annotated[Address | None, read_address] = None
    """Where ``/metrics`` is, for Prometheus and without a key; not given: nowhere, and nothing is counted."""

    grpc_tls: Tls = None
    rest_tls: Tls = None
    proxy_tls: Tls = None
    """PEM files for TLS on these listeners: certificate with chain and key in one, or ``CERT.pem,KEY.pem``."""

    api_rate: Annotated[Rate, _rate] = _API_RATE
    """Calls to the API in so many seconds, for each key."""

    plan: Annotated[Plan | None, _plan] = None
    """The organisation's plan; not given: it stays as it is (business, in a new store)."""

    durability: Annotated[Durability, _durability] = "normal"
    """``normal`` survives the death of the process, ``full`` the loss of power too."""

    journal: Annotated[JournalKind, _journal] = "disk"
    """Where exchanges are kept: ``disk`` in the data directory, ``memory`` the newest ones until the server stops."""

    journal_memory_exchanges_max: Positive = _MEMORY.exchanges_max
    journal_memory_bytes_max: Positive = _MEMORY.bytes_max
    """How much ``memory`` keeps: targets, headers and captured bodies, and what holding them takes, 1024 bytes for each
    exchange and 150 for each header line. What goes over either limit goes, oldest first."""

    journal_session_entries_max: Count = 0
    journal_session_bytes_max: Count = 0
    """How much is kept of each session, and of the requests of an environment that belong to none together. With more,
    the oldest of the same session make room. 0: 100000 and 256 MiB on disk, 10000 and 64 MiB in memory."""

    journal_environment_entries_max: Count = 0
    journal_environment_bytes_max: Count = 0
    """How much is kept of each environment. With more, what is kept of sessions that have ended goes, that of the one
    that was quiet for longest first, then the oldest of those that record. 0: 1000000 and 4 GiB on disk, 20000
    and 256 MiB in memory. Environments may have less (`limits`)."""

    journal_entries_max: Positive = _DISK.exchanges_max
    journal_bytes_max: Positive = _DISK.bytes_max
    """How much `disk` keeps of all environments together, with 512 bytes for each beside targets, headers and captured
    bodies. The file has free pages in it, which are filled again: it does not shrink, and stays about as large."""

    journal_retention_seconds: Positive = 7 * _DAY_SECONDS
    """How long exchanges are kept at most. Those that are older go within a minute."""

    ready_file: Annotated[Path | None, Path] = None
    """Gets the addresses as JSON once all accept, and goes when the server stops."""

    log_format: Annotated[LogFormat, read_log_format] = "text"
    """How lines of the log are written: ``text`` for people, ``json`` with an object on each line."""

    log_level: Annotated[LogLevel, read_log_level] = "warning"
    """From which level on lines are written; with ``info``, each call of the API has one."""

    session_idle_seconds: Count = 30 * _DAY_SECONDS
    """A session neither changed nor seen for so long is removed; 0: never."""

    sweep_interval_seconds: Positive = 60
    """How often ended sessions are looked for. Proxy and API never see one that has ended, swept or not."""

    stop_grace_seconds: Count = 5
    """How long a stop waits for what is under way at each listener."""

    drain_seconds: Count = 0
    """After the signal to stop, how long all listeners still accept while ``/health/ready`` says 503 already."""

    rest_body_bytes_max: Positive = BODY_BYTES_MAX
    """A longer body of a request to the API is refused; that of ApplyManifest may always have 16 MiB."""

    rest_head_bytes_max: Positive = _HTTP.head_bytes_max
    """The longest head of a request to the API."""

    rest_header_lines_max: Positive = _HTTP.header_lines_max
    """Most header lines of a request to the API."""

    rest_request_seconds: Positive = int(_HTTP.request_seconds)
    """How long a client may take to send a request to the API."""

    proxy_target_bytes_max: Positive = _LIMITS.target_bytes_max
    """The longest path and query of a proxied request; a longer one gets 414."""

    proxy_head_bytes_max: Positive = _LIMITS.head_bytes_max
    """The longest head of a proxied request (a longer one gets 431), and of an upstream's answer."""

    proxy_headers_max: Positive = _LIMITS.headers_max
    """Most headers of a proxied request (more get 431), and of an upstream's answer."""

    proxy_request_body_bytes_max: Count = _LIMITS.request_body_bytes_max
    """The longest body of a proxied request; a longer one gets 413."""

    proxy_match_body_bytes_max: Count = _LIMITS.match_body_bytes_max
    """The longest body of a proxied request that mocks look at: for a longer one no criterion on it holds."""

    proxy_held_bodies_bytes_max: Positive = _LIMITS.held_bodies_bytes_max
    """How much is held of bodies while they come, of all proxied requests together: over it, one whose body a mock has
    to look at gets 503, and of others less is on record."""

    proxy_captured_bytes_max: Count = _LIMITS.captured_bytes_max
    """How much of each body the journal keeps."""

    proxy_connections_max: Positive = _LIMITS.connections_max
    """Connections of clients at a time, over all listeners of the proxy."""

    proxy_idle_seconds: Positive = int(_LIMITS.idle_seconds)
    """How long a client may rest between requests."""

    proxy_head_seconds: Positive = int(_LIMITS.head_seconds)
    """How long a client may take to send a head."""

    proxy_body_seconds: Positive = int(_LIMITS.body_seconds)
    """How long a client may send nothing of a body that is not whole yet."""

    proxy_write_seconds: Positive = int(_LIMITS.write_seconds)
    """How long a client may take nothing of an answer."""

    proxy_stream_seconds: Positive = int(_LIMITS.stream_seconds)
    """How long a mock's stream of events may go on that has no end of its own."""

    proxy_connect_seconds: Positive = int(_LIMITS.connect_seconds)
    """How long an upstream may take to be connected to."""

    proxy_first_byte_seconds: Positive = int(_LIMITS.first_byte_seconds)
    """How long an upstream may take to begin its answer; later it is 504."""

    proxy_upstream_idle_seconds: Positive = int(_LIMITS.upstream_idle_seconds)
    """How long an upstream may be silent within its answer."""

    proxy_upstream_connections_max: Positive = _LIMITS.upstream_connections_max
    """Connections to one upstream at a time."""

    proxy_upstream_idle_connections_max: Count = _LIMITS.upstream_idle_connections_max
    """Connections to one upstream that are kept for later."""

    proxy_upstream_keep_seconds: Positive = int(_LIMITS.upstream_keep_seconds)
    """How long a connection to an upstream is kept unused."""

    proxy_upstream_allow: Annotated[AllowList, AllowList.parse] = _LIMITS.upstream_allow
    """Where the proxy may connect to: addresses, ranges, host names, ``*.example.com``. Empty: everywhere but where
    clouds keep the credentials of a machine, and the like."""

    proxy_upstream_ca: Annotated[ssl.SSLContext | None, read_trust] = None
    """PEM file with authorities that may vouch for upstreams, beside those the system trusts."""

    def listeners(self) -> Sequence[tuple[str, Address]]:
        """Where to listen, each with the flag that says so."""
        bound = [("proxy-bound", each.address) for each in self.proxy_bound]
        others = [("assertive", self.assertive), ("metrics", self.metrics)]
        asked_for = [(flag, address) for flag, address in others if address]
        return [("grpc", self.grpc), ("rest", self.rest), ("proxy", self.proxy), *bound, *asked_for]

    def for_journal(self) -> MemoryLimits | None:
        """The journal's part: the limits of one in memory, ``None`` for one on disk."""
        if self.journal == "disk":
            return None
        return MemoryLimits(self.journal_memory_exchanges_max, self.journal_memory_bytes_max)

    def for_disk(self) -> DiskLimits:
        """What a journal on disk keeps in all."""
        return DiskLimits(self.journal_entries_max, self.journal_bytes_max)

    def quota(self) -> Quota:
        """What the journal keeps of an environment that has no limits of its own."""
        default = DISK_QUOTA if self.journal == "disk" else MEMORY_QUOTA
        return Quota(
            self.journal_session_entries_max or default.session_entries,
            self.journal_session_bytes_max or default.session_bytes,
            self.journal_environment_entries_max or default.entries,
            self.journal_environment_bytes_max or default.bytes,
            self.journal_retention_seconds * 1_000,
        )

    def for_rest(self) -> HttpLimits:
        """The REST door's part."""
        return HttpLimits(self.rest_head_bytes_max, self.rest_header_lines_max, self.rest_request_seconds)

    def for_flagbridge(self, trusted: Backend) -> FlagBridgeSettings:
        """The part of the door for FlagBridge's clients, which makes calls of its own to ``trusted``."""
        login, requests = self.flagbridge_login, self.flagbridge_requests
        return FlagBridgeSettings(self.flagbridge_edition, login, trusted, requests)

    def scope_rates(self) -> Mapping[str, Rate]:
        """How often keys of the kind flagbridge may call, by scope."""
        return {
            each.name: Rate(getattr(self.flagbridge_requests, each.name) * _CALLS_A_REQUEST, 60)
            for each in fields(RequestsAMinute)
        }

    def for_proxy(self) -> ProxySettings:
        """The proxy's part: every setting of its own that is ``proxy_`` and its name here."""
        own = {name: getattr(self, f"proxy_{name}") for name in _PROXY_NAMES}
        return ProxySettings(**own, upstream_tls=self.proxy_upstream_ca, stop_grace_seconds=self.stop_grace_seconds)


_READERS: Mapping[str, Callable[[str], Any]] = {
    name: hint.__metadata__[0] for name, hint in get_type_hints(Settings, include_extras=True).items()
}
NAMES: Sequence[str] = tuple(sorted(_READERS))
_NAMING_FILES = frozenset(("grpc_tls", "rest_tls", "proxy_tls", "proxy_upstream_ca", "init_stubs"))
_VARIABLES = {"init_stubs": "INIT_STUBS_FILE"}
"""Names that settings have in the environment beside their own: those that users of another product know."""
_PROXY_NAMES = tuple(each.name for each in fields(ProxySettings) if f"proxy_{each.name}" in _READERS)


def load_settings(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Settings:
    """Put the settings together. ``flags`` are texts by setting, ``config`` among them. Raises BadSettings."""
    config = config_path(flags, environ)
    in_file = _read_file(config) if config else {}
    if _look_up("assertive", flags, environ, in_file)[0] is None:
        # What that product reads may be set for whatever else runs here: it says nothing to a server without its door.
        environ = {name: text for name, text in environ.items() if name not in _VARIABLES.values()}
    chosen: dict[str, Any] = {}
    for name, read in _READERS.items():
        text, place = _look_up(name, flags, environ, in_file)
        if text is None:
            continue
        try:
            chosen[name] = read(text)
        except ValueError as error:
            raise BadSettings(f"{place}: {error}") from error
    settings = Settings(**chosen)
    _check_addresses(settings)
    if settings.init_stubs and not settings.assertive:
        raise BadSettings(f"the stubs of {settings.init_stubs} are for --assertive; give that, too")
    return settings


def config_path(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Path | None:
    """The file that the command line or the environment names."""
    config = flags.get("config") or environ.get(f"{_ENVIRONMENT_PREFIX}CONFIG")
    return Path(config) if config else None


def _look_up(
    name: str, flags: Mapping[str, str | None], environ: Mapping[str, str], in_file: "Mapping[str, Setting]"
) -> tuple[str | None, str]:
    """The text of a setting from the place that counts most, and what to call that place."""
    variable = f"{_ENVIRONMENT_PREFIX}{name.upper()}"
    if (text := flags.get(name)) is not None:
        return text, f"--{name.replace('_', '-')}"
    for each in (variable, _VARIABLES.get(name, variable)):
        # An empty variable is as good as none: that is how one is unset in most pipelines.
        if text := environ.get(each):
            return text, each
    if (setting := in_file.get(name)) is not None:
        # It has read the file: here, what reads YAML comes only where there is one.
        from understudy_server.cli.config_file import SECTION

        return setting.text, f"{setting.place}: {SECTION}.{name}"
    return None, ""


def _read_file(path: Path) -> "Mapping[str, Setting]":
    """The settings in a file; what else it holds is declared, and not looked at here. Raises BadSettings."""
    from understudy_server.cli.config_file import SECTION, BadConfig, read_config
    from understudy_server.cli.writers import WRITER_SECONDS_MAX, being_written, wait_for_writers
    from understudy_server.manifest.being_written import is_being_written

    wait_for_writers([path], time.monotonic() + WRITER_SECONDS_MAX)
    if is_being_written(path):
        raise BadSettings(being_written(path))
    try:
        given = read_config(path).server
    except BadConfig as error:
        raise BadSettings(str(error)) from error
    for name, setting in given.items():
        if name not in NAMES:
            allowed = ", ".join(NAMES)
            raise BadSettings(f"{setting.place}: {SECTION} has an unknown key {name!r}; allowed are: {allowed}")
    return given


def read_texts(texts: Mapping[str, str]) -> tuple[Mapping[str, str], str]:
    """What is wrong with each of these settings, and what is wrong with all of them together when each can be read.

    Settings that name files are left out: those are on the machine of the server.
    """
    wrong: dict[str, str] = {}
    chosen: dict[str, Any] = {}
    for name, text in texts.items():
        if name in _NAMING_FILES:
            continue
        try:
            chosen[name] = _READERS[name](text)
        except ValueError as error:
            wrong[name] = str(error)
    try:
        _check_addresses(Settings(**chosen))
    except BadSettings as error:
        return wrong, str(error)
    return wrong, ""


def _check_addresses(settings: Settings) -> None:
    """Refuse two listeners on one address, before either is bound."""
    flags: dict[Address, str] = {}
    for flag, address in settings.listeners():
        if address.port and address in flags:
            raise BadSettings(f"--{flags[address]} and --{flag} are both {address}; give each a port of its own")
        flags[address] = flag
