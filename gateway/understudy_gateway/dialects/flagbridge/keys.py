"""API keys: made, listed, given another text, revoked."""

from typing import Any, Final

from understudy.v1 import key_service_pb2 as pb

from understudy_gateway.answers import Answer
from understudy_gateway.dialects.flagbridge import members
from understudy_gateway.dialects.flagbridge.asking import Asked, answer, done, environment_slug, project_slug
from understudy_gateway.dialects.flagbridge.refusals import invalid
from understudy_gateway.dialects.flagbridge.texts import moment

SCOPES: Final = ("eval", "test", "mgmt", "full")
_PROJECT: Final = ("projectSlug", "projectId", "project_id", "project")
_ENVIRONMENT: Final = ("environment", "environmentId", "environment_id")


async def create(asked: Asked) -> Answer:
    """Make a key: of the project that the path or the body names and its environment, else of the caller's own."""
    sent = asked.members()
    scope = members.text(sent, "scope") or "eval"
    if scope not in SCOPES:
        raise invalid(f"scope must be one of {', '.join(SCOPES)}.")
    named = asked.path[0] if asked.path else _name(sent, *_PROJECT)
    project = project_slug(named) or asked.caller.project
    request = pb.CreateKeyRequest(
        name=members.required_text(sent, "name"),
        kind=pb.KEY_KIND_FLAGBRIDGE,
        scope=f"KEY_SCOPE_{scope.upper()}",
        project=project,
        environment=environment_slug(project, _name(sent, *_ENVIRONMENT)) or asked.caller.environment,
    )
    made = await asked.server.call("KeyService.CreateKey", request, pb.CreateKeyResponse)
    return answer(_with_text(made.key, made.text), 201)


async def list_all(asked: Asked) -> Answer:
    """Tell the keys that work, newest first, without their text; of one project, where the path names it."""
    only = project_slug(asked.path[0]) if asked.path else ""
    request = pb.ListKeysRequest(page_size=1000, active=True, kind=pb.KEY_KIND_FLAGBRIDGE, in_project=only)
    found: list[dict[str, Any]] = []
    while True:
        page = await asked.server.call("KeyService.ListKeys", request, pb.ListKeysResponse)
        found += map(_shown, page.keys)
        if not page.next_page_token:
            return answer({"apiKeys": found})
        request.page_token = page.next_page_token


async def rotate(asked: Asked) -> Answer:
    """Give a key another text; the old one is dead at once."""
    request = pb.RotateKeyRequest(key_id=asked.path[0], kind=pb.KEY_KIND_FLAGBRIDGE)
    found = await asked.server.call("KeyService.RotateKey", request, pb.RotateKeyResponse)
    return answer(_with_text(found.key, found.text))


async def remove(asked: Asked) -> Answer:
    """Revoke a key."""
    request = pb.RevokeKeyRequest(key_id=asked.path[0], kind=pb.KEY_KIND_FLAGBRIDGE)
    await asked.server.call("KeyService.RevokeKey", request, pb.RevokeKeyResponse)
    return done()


def _name(sent: members.Members, *names: str) -> str:
    """What a place is called; empty when it is absent or null. An empty name is not taken for "all of them"."""
    found = members.text(sent, *names)
    if not found and members.first(sent, *names) is not None:
        raise invalid(f"{names[0]} must not be empty.")
    return found


def _with_text(key: pb.Key, text: str) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "key": text,
        "scope": _scope(key),
        "environment": key.environment or None,
    }


def _shown(key: pb.Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "keyPrefix": key.hint,
        "scope": _scope(key),
        "projectSlug": key.project or None,
        "environment": key.environment or None,
        "createdAt": moment(key.created_at),
    }


def _scope(key: pb.Key) -> str:
    return pb.KeyScope.Name(key.scope).removeprefix("KEY_SCOPE_").lower()
