"""Forwarding, compiled."""

from collections.abc import Collection
from urllib.parse import urlsplit

from understudy.v1.actions_pb2 import Forward, PathRewrite, PatternRewrite

from understudy_server.core import patterns
from understudy_server.core.patterns import BadPattern
from understudy_server.core.responding.forwarding import Forwarding, Rewrite, Stripped, Substituted, kept, replaced
from understudy_server.definitions.unusable import Unusable

GROUPS_MAX = 20
"""A replacement names groups at most so often: each may be the whole path."""


def compile_forward(message: Forward, path: str, parameters: Collection[str]) -> Forwarding:
    """Compile forwarding. ``path`` is that of the message, ``parameters`` the names in the mock's. Raises Unusable."""
    return Forwarding(
        base=_base(message.target, f"{path}.target"),
        rewrite=_rewrite(message.path, f"{path}.path", parameters) if message.HasField("path") else kept,
        set_headers=tuple([(header.name.encode(), header.value.encode()) for header in message.set_headers]),
        removed=frozenset([name.lower().encode() for name in message.remove_headers]),
        keep_host=message.keep_host,
        first_byte_ms=message.first_byte_ms,
        query=message.query,
    )


def _base(target: str, path: str) -> str:
    try:
        parts = urlsplit(target)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        # A port that is none, or brackets around what is no address.
        whole = False
    if not whole:
        raise Unusable(path, "url", f"{path} is not a URL such as https://shop.example.com/api", target)
    return target.rstrip("/")


def _rewrite(message: PathRewrite, path: str, parameters: Collection[str]) -> Rewrite:
    match message.WhichOneof("rewrite"):
        case "replace":
            try:
                return replaced(message.replace, parameters)
            except KeyError as error:
                name = error.args[0]
                raise Unusable(
                    f"{path}.replace",
                    "parameter",
                    f"{path}.replace names {name!r}, which the mock's path has not",
                    name,
                ) from error
        case "strip_prefix":
            return Stripped(message.strip_prefix)
        case "substitute":
            return _substituted(message.substitute, f"{path}.substitute")
        case _:
            raise Unusable(path, "required", f"{path} does not say how the path is rewritten")


def _substituted(message: PatternRewrite, path: str) -> Substituted:
    try:
        pattern = patterns.compile(message.pattern)
    except BadPattern as error:
        raise Unusable(
            f"{path}.pattern", "pattern", f"{path}.pattern is no pattern: {error}", message.pattern
        ) from error
    try:
        pattern.check_replacement(message.replacement)
    except BadPattern as error:
        raise Unusable(
            f"{path}.replacement", "replacement", f"{path}.replacement cannot be used: {error}", message.replacement
        ) from error
    if message.replacement.count("\\") > GROUPS_MAX:
        raise Unusable(f"{path}.replacement", "replacement", f"{path}.replacement names more than {GROUPS_MAX} groups")
    return Substituted(pattern, message.replacement)
