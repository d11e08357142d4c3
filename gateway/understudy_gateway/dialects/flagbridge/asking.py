"""One request as the handlers of this dialect see it, and how they answer."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import msgspec
import orjson

from understudy_gateway.answers import Answer
from understudy_gateway.dialects.flagbridge.callers import Caller
from understudy_gateway.dialects.flagbridge.server import Server
from understudy_gateway.dialects.flagbridge.settings import FlagBridgeSettings
from understudy_gateway.dialects.flagbridge.texts import object_of
from understudy_gateway.dialects.session_headers import SessionHeaders
from understudy_gateway.transcoding.responses import JSON_TYPE

PROJECT_PREFIX: Final = "proj_"
ENVIRONMENT_PREFIX: Final = "env_"
_JSON: Final = (b"content-type", JSON_TYPE)


# One is made for each request, in a third of the time of a named tuple; nothing in it leads back to it.
class Asked(msgspec.Struct, frozen=True, gc=False):
    """``path`` are the variables of the route, decoded once; ``headers`` may name a session."""

    server: Server
    settings: FlagBridgeSettings
    caller: Caller
    path: tuple[str, ...]
    query_string: bytes
    headers: SessionHeaders
    body: bytes

    def members(self) -> dict[str, Any]:
        """The members of the body. Raises Refusal."""
        return object_of(self.body)

    def query(self) -> Mapping[str, str]:
        """The parameters; the last counts when there are several of a name."""
        return dict(parse_qsl(self.query_string.decode("latin-1"), keep_blank_values=True))


Handler = Callable[[Asked], Awaitable[Answer]]


class Route(NamedTuple):
    """What answers, and keys of which scopes may ask. ``None``: whoever, without a key. ``streams``: see `events`."""

    handler: Handler | None
    scopes: frozenset[str] | None
    streams: bool = False


def answer(value: Any, http_status: int = 200) -> Answer:
    """An answer in JSON."""
    return Answer(http_status, [_JSON], orjson.dumps(value))


def done() -> Answer:
    """The answer that says nothing but that it is done."""
    return Answer(204, [])


def project_slug(name: str) -> str:
    """The slug of a project that is named by its slug or by its id; what is neither is handed on, and no project's."""
    return name.removeprefix(PROJECT_PREFIX) or name


def project_id(slug: str) -> str:
    """The id of a project over this door: no slug looks like it, since none has an underscore."""
    return PROJECT_PREFIX + slug


def environment_slug(project: str, name: str) -> str:
    """The slug of an environment that is named by its slug, or by its id in the project with this slug.

    Whatever is neither, as the id of another project's, is handed on: nothing has it, since no slug has an underscore.
    An empty name stays empty, which to the server is "all of them" or "the only one": hand none on that may not be it.
    """
    return (name.removeprefix(environment_id(project, "")) or name) if project else name


def environment_id(project: str, slug: str) -> str:
    """The id of an environment over this door."""
    return f"{ENVIRONMENT_PREFIX}{project}_{slug}"
