"""An answer tells as many changes as were asked for, and counts them all."""

from understudy.v1.manifest_service_pb2 import (
    CHANGE_KIND_CREATE,
    CHANGE_KIND_DELETE,
    CHANGE_KIND_UPDATE,
    RESOURCE_KIND_MOCK,
    ApplyManifestResponse,
    ChangeKind,
    FieldChange,
    ManifestChange,
)
from understudy_server.app.manifests.plan import Change
from understudy_server.app.manifests.telling import tell


def _changes() -> list[Change]:
    changes = [Change(CHANGE_KIND_CREATE, RESOURCE_KIND_MOCK, id=f"ovr_{number}") for number in range(4)]
    changes.append(Change(CHANGE_KIND_DELETE, RESOURCE_KIND_MOCK, id="ovr_used", sessions=2))
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


def test_a_change_is_told_with_all_that_is_known_of_it() -> None:
    fields = [FieldChange(path="name", before='"a"', after='"b"')]
    change = Change(CHANGE_KIND_UPDATE, RESOURCE_KIND_MOCK, "shop", "qa", "ovr_a", lambda: fields, "ovr_b", 2, 3)
    answer = ApplyManifestResponse()
    tell(answer, [change], 1)
    assert list(answer.changes) == [
        ManifestChange(
            kind=CHANGE_KIND_UPDATE,
            resource=RESOURCE_KIND_MOCK,
            project="shop",
            environment="qa",
            id="ovr_a",
            fields=fields,
            renamed_to="ovr_b",
            sessions=2,
            keys=3,
        )
    ]


def test_what_differs_is_found_only_of_changes_that_are_told() -> None:
    asked = list[str]()

    def changed(name: str) -> Change:
        def fields() -> list[FieldChange]:
            asked.append(name)
            return []

        return Change(CHANGE_KIND_UPDATE, RESOURCE_KIND_MOCK, id=name, fields=fields)

    tell(ApplyManifestResponse(), [changed(name) for name in "abcd"], 2)
    assert asked == ["a", "b"]
