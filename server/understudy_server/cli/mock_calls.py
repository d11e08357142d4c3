"""What commands ask of a server about mocks. Every call raises CommandFailed."""

from typing import TYPE_CHECKING

from understudy_server.app.mock_fields import BESIDE_NAME, SETTABLE
from understudy_server.cli.command import Desk
from understudy_server.cli.mock_form import requests_of

if TYPE_CHECKING:
    # Messages take long to import, and help needs none of them.
    from understudy.v1.manifest_service_pb2 import ManifestMock
    from understudy.v1.mock_service_pb2 import Mock


async def get_mock(desk: Desk, mock_id: str) -> "Mock":
    """Read a mock."""
    from understudy.v1.mock_service_pb2 import GetMockRequest, GetMockResponse

    return (await desk.call(GetMockRequest(mock_id=mock_id), GetMockResponse)).mock


async def make_mock(desk: Desk, form: "ManifestMock", mock_id: str, scenario: str) -> "Mock":
    """Make a draft of a form. Without a name it is called by its id, or by the requests it is for."""
    from understudy.v1.mock_service_pb2 import CreateMockRequest, CreateMockResponse

    mock = _values(form, mock_id or requests_of(form.matcher))
    mock.id, mock.scenario = mock_id, scenario
    return (await desk.call(CreateMockRequest(mock=mock), CreateMockResponse)).mock


async def change_mock(desk: Desk, mock: "Mock", form: "ManifestMock") -> "Mock":
    """Make a mock what a form says, unless it was changed meanwhile. A form without a state leaves that as it is."""
    from understudy.v1.mock_service_pb2 import (
        MOCK_STATE_DRAFT,
        MOCK_STATE_PUBLISHED,
        UpdateMockRequest,
        UpdateMockResponse,
    )

    values = _values(form, mock.id)
    request = UpdateMockRequest(mock_id=mock.id, mock=values, expected_revision=mock.revision)
    # A time to live would begin anew when it is set.
    same = ("lifetime",) if values.lifetime == mock.lifetime else ()
    request.update_mask.paths.extend(name for name in SETTABLE if name not in same)
    changed = (await desk.call(request, UpdateMockResponse)).mock
    if form.state == mock.state:
        return changed
    if form.state == MOCK_STATE_PUBLISHED:
        return await publish_mock(desk, mock.id)
    if form.state == MOCK_STATE_DRAFT:
        return await unpublish_mock(desk, mock.id)
    return changed


async def publish_mock(desk: Desk, mock_id: str) -> "Mock":
    """Let a mock be switched on."""
    from understudy.v1.mock_service_pb2 import PublishMockRequest, PublishMockResponse

    return (await desk.call(PublishMockRequest(mock_id=mock_id), PublishMockResponse)).mock


async def unpublish_mock(desk: Desk, mock_id: str) -> "Mock":
    """Make a mock a draft again."""
    from understudy.v1.mock_service_pb2 import UnpublishMockRequest, UnpublishMockResponse

    return (await desk.call(UnpublishMockRequest(mock_id=mock_id), UnpublishMockResponse)).mock


async def activate_mock(desk: Desk, mock_id: str) -> "Mock":
    """Switch a mock on for the whole environment."""
    from understudy.v1.mock_service_pb2 import ActivateMockRequest, ActivateMockResponse

    return (await desk.call(ActivateMockRequest(mock_id=mock_id), ActivateMockResponse)).mock


async def deactivate_mock(desk: Desk, mock_id: str) -> "Mock":
    """Switch a mock off for the environment as a whole."""
    from understudy.v1.mock_service_pb2 import DeactivateMockRequest, DeactivateMockResponse

    return (await desk.call(DeactivateMockRequest(mock_id=mock_id), DeactivateMockResponse)).mock


def form_of(mock: "Mock") -> "ManifestMock":
    """A mock in the form of the manifest."""
    from understudy.v1.manifest_service_pb2 import ManifestMock

    from understudy_server.app.masks import set_fields

    form = ManifestMock(name=mock.name, state=mock.state)
    set_fields(form, mock, BESIDE_NAME)
    # What says nothing is as good as none, and reads better.
    for name in ("matcher", "action", "lifetime", "machine"):
        if not getattr(form, name).ListFields():
            form.ClearField(name)
    return form


def _values(form: "ManifestMock", name: str) -> "Mock":
    """What can be set of a mock, by its form; ``name`` is what it is called when the form does not say."""
    from understudy.v1.mock_service_pb2 import Mock

    from understudy_server.app.masks import set_fields

    mock = Mock(name=form.name or name)
    set_fields(mock, form, BESIDE_NAME)
    return mock
