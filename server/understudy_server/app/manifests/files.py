"""The files that declared mocks answer with: a manifest holds none, so they must be there already."""

from collections.abc import Iterator

from understudy.v1.mock_service_pb2 import Mock

from understudy_server.app.manifests.checking import mock_path
from understudy_server.app.manifests.plan import ContentsPlan, Plan
from understudy_server.app.mocks import check_definition, profile_of
from understudy_server.app.ports import Transaction
from understudy_server.core.errors import InvalidInput
from understudy_server.core.giving_way import giving_way
from understudy_server.definitions.actions import file_names_of


async def missing_files(tx: Transaction, plan: Plan) -> list[InvalidInput]:
    """What is refused of a plan that is good otherwise: mocks that are put and name a file that is not there.

    Those that stay as they are have theirs: a file that a mock answers with cannot be removed.
    """
    refusals: list[InvalidInput] = []
    for contents in plan.contents:
        users = list(_users(contents))
        if not users:
            continue
        names, profile = await tx.file_names(contents.environment_id), await profile_of(tx, contents.environment_id)
        for mock in users:
            try:
                check_definition(mock, mock_path(contents.path, mock.id, mock.scenario), names, profile)
            except InvalidInput as refusal:
                refusals.append(refusal)
    return refusals


def _users(contents: ContentsPlan) -> Iterator[Mock]:
    for mocks in (contents.library, contents.local):
        for mock in giving_way(mocks):
            if file_names_of(mock.action):
                yield mock
