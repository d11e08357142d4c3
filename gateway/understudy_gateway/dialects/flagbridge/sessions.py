"""Test sessions: made, read, ended, and what flags are in them."""

from typing import Any, Final

from understudy.v1 import project_session_service_pb2 as pb
from understudy.v1.project_service_pb2 import GetProjectRequest, GetProjectResponse

from understudy_gateway.answers import Answer
from understudy_gateway.dialects.flagbridge import members
from understudy_gateway.dialects.flagbridge.asking import Asked, answer, done, project_slug
from understudy_gateway.dialects.flagbridge.refusals import NOT_FOUND, Refusal, forbidden, invalid, pro_required
from understudy_gateway.dialects.flagbridge.server import Server
from understudy_gateway.dialects.flagbridge.texts import kept, moment, raw

TTL_SECONDS: Final = 3600
TTL_MAX_SECONDS: Final = 86_400
LABEL_MAX_CHARACTERS: Final = 255
VALUE_MAX_BYTES: Final = 8 * 1024
PAGE_MAX: Final = 1000


async def create(asked: Asked) -> Answer:
    """Make a session."""
    sent = asked.members()
    name = members.required_text(sent, "projectId", "project_id")
    request = pb.CreateProjectSessionRequest(
        project=project_slug(name),
        ttl_seconds=_ttl(sent) if asked.settings.is_pro else TTL_SECONDS,
        without_secret=not asked.settings.is_pro,
        project_as_given=name if name != project_slug(name) else None,
    )
    label = members.text(sent, "label")
    if len(label) > LABEL_MAX_CHARACTERS:
        raise invalid(f"label must have at most {LABEL_MAX_CHARACTERS} characters.")
    if sent.get("label") is not None:
        request.label = label
    await _check_project(asked, name)
    made = await asked.server.call(
        "ProjectSessionService.CreateProjectSession", request, pb.CreateProjectSessionResponse
    )
    return answer(shown(made.session), 201)


async def read(asked: Asked) -> Answer:
    """Tell what a session is, with all its overrides."""
    request = pb.GetProjectSessionRequest(session_id=asked.path[0])
    found = await asked.server.call("ProjectSessionService.GetProjectSession", request, pb.GetProjectSessionResponse)
    return answer(shown(found.session))


async def list_all(asked: Asked) -> Answer:
    """List sessions of a project that live, newest first: a page, and where there are more, how to ask for the next."""
    if not asked.settings.is_pro:
        raise pro_required("To list sessions")
    query = asked.query()
    request = pb.ListProjectSessionsRequest(
        project=project_slug(members.required_text(query, "project_id", "projectId")),
        page_size=PAGE_MAX,
        page_token=query.get("pageToken", ""),
    )
    page = await asked.server.call("ProjectSessionService.ListProjectSessions", request, pb.ListProjectSessionsResponse)
    told: dict[str, Any] = {"sessions": [shown(each) for each in page.sessions]}
    if page.next_page_token:
        told["nextPageToken"] = page.next_page_token
    return answer(told)


async def end(asked: Asked) -> Answer:
    """End a session."""
    request = pb.DeleteProjectSessionRequest(session_id=asked.path[0])
    await asked.server.call("ProjectSessionService.DeleteProjectSession", request, pb.DeleteProjectSessionResponse)
    return done()


async def put_override(asked: Asked) -> Answer:
    """Set what one flag is."""
    sent = asked.members()
    _check_value("value", sent.get("value"))
    return await _set(asked, {asked.path[1]: sent["value"]})


async def put_overrides(asked: Asked) -> Answer:
    """Set what several flags are, all or none."""
    if not asked.settings.is_pro:
        raise pro_required("To set several overrides at once")
    overrides = asked.members().get("overrides")
    if type(overrides) is not dict:
        raise invalid("overrides must be an object.")
    for key, value in overrides.items():
        if not key:
            raise invalid("A flag key must not be empty.")
        _check_value(f"overrides[{key[:100]}]", value)
    return await _set(asked, overrides)


async def remove_override(asked: Asked) -> Answer:
    """Let a flag be in the session what it is for everybody."""
    request = pb.RemoveProjectSessionFlagRequest(session_id=asked.path[0], flag_key=asked.path[1])
    await asked.server.call(
        "ProjectSessionService.RemoveProjectSessionFlag", request, pb.RemoveProjectSessionFlagResponse
    )
    return done()


def shown(session: pb.ProjectSession) -> dict[str, Any]:
    """A session as FlagBridge tells it; the project by the name that it was made with."""
    return {
        "id": session.id,
        "token": session.token,
        "projectId": session.project_as_given or session.project,
        "label": session.label if session.HasField("label") else None,
        "overrides": kept(session.flags or "{}"),
        "createdAt": moment(session.created_at),
        "expiresAt": moment(session.expires_at),
    }


async def _set(asked: Asked, overrides: dict[str, Any]) -> Answer:
    request = pb.SetProjectSessionFlagsRequest(session_id=asked.path[0], flags=raw(overrides))
    found = await asked.server.call(
        "ProjectSessionService.SetProjectSessionFlags", request, pb.SetProjectSessionFlagsResponse
    )
    return answer({"id": found.session.id, "overrides": kept(found.session.flags or "{}")})


def _ttl(sent: members.Members) -> int:
    if "ttl" not in sent:
        return TTL_SECONDS
    seconds = members.whole(sent, 1, TTL_MAX_SECONDS, "ttl")
    if seconds is None:
        raise invalid(f"ttl must be a whole number from 1 to {TTL_MAX_SECONDS}.")
    return seconds


def _check_value(name: str, value: object) -> None:
    if type(value) is bool:
        return
    if type(value) is not str:
        raise invalid(f"{name} must be true, false or a string.")
    if len(value.encode()) > VALUE_MAX_BYTES:
        raise invalid(f"{name} must have at most {VALUE_MAX_BYTES} bytes.")


async def _check_project(asked: Asked, name: str) -> None:
    """Tell a project that does not exist from one that the key is not for, where that can be known."""
    own, trusted = asked.caller.project, asked.settings.trusted
    slug = project_slug(name)
    if not own or own == slug:
        return
    if trusted is not None:
        try:
            await Server(trusted, {}).call(
                "ProjectService.GetProject", GetProjectRequest(project=slug), GetProjectResponse
            )
        except Refusal as error:
            if error.code == NOT_FOUND:
                raise
    raise forbidden("The key is for another project.")
