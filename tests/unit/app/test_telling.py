"""An answer tells as many changes as were asked for, and counts them all."""

from understudy.v1.manifest_service_pb2 import (
    CHANGE_KIND_CREATE,
    CHANGE_KIND_DELETE,
    ApplyManifestResponse,
    ChangeKind,
    ManifestChange,
)
from understudy_server.app.manifests.telling import tell


def _changes() -> list[ManifestChange]:
    changes = [ManifestChange(kind=CHANGE_KIND_CREATE, id=f"ovr_{number}") for number in range(4)]
    changes.append(ManifestChange(kind=CHANGE_KIND_DELETE, id="ovr_used", sessions=2))
    return changes


def _told(most: int) -> tuple[list[str], dict[ChangeKind, int]]:
    answer = ApplyManifestResponse()
    tell(answer, _changes(), most)
    return [change.id for change in answer.changes], {each.kind: each.count for each in answer.counts}


_COUNTS = {CHANGE_KIND_CREATE: 4, CHANGE_KIND_DELETE: 1}


def test_all_changes_are_told_unless_fewer_were_asked_for() -> None:
    assert _told(0) == (["ovr_0", "ovr_1", "ovr_2", "ovr_3", "ovr_used"], _COUNTS)
    assert _told(5) == _told(0)


def test_of_more_changes_those_that_cost_somebody_something_are_told_first() -> None:
    assert _told(3) == (["ovr_0", "ovr_1", "ovr_used"], _COUNTS)
    assert _told(1) == (["ovr_used"], _COUNTS)


def test_nothing_changed_is_nothing_told() -> None:
    answer = ApplyManifestResponse()
    tell(answer, [], 3)
    assert answer == ApplyManifestResponse()
