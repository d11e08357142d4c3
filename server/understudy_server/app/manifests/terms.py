"""On what terms a manifest is applied, and what they mean for a single thing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import Message
from understudy.v1.manifest_service_pb2 import CHANGE_KIND_ADOPT, CHANGE_KIND_UPDATE, ChangeKind, FieldChange
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.project_service_pb2 import Environment, Project
from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.app.manifests.differing import field_changes, handed_over
from understudy_server.app.masks import set_fields
from understudy_server.app.revisions import touched
from understudy_server.core.errors import Conflict, Fault

R = TypeVar("R", Project, Environment, Mock, Scenario)


@dataclass(frozen=True, slots=True)
class Terms:
    """Who applies, when, and how far it may go. ``new_id`` makes an id with a prefix."""

    source: str
    key_id: str
    now_ms: int
    new_id: Callable[[str], str]
    adopt: bool = False
    force: bool = False

    def claim(self, managed_by: str, path: str, what: str, way_out: str = "leave it out here") -> ChangeKind:
        """How a thing that is kept becomes the source's own. Raises Conflict (already_exists).

        ``what`` names it in words, ``way_out`` says what else can be done about it.
        """
        if managed_by == self.source:
            return CHANGE_KIND_UPDATE
        if self.adopt:
            return CHANGE_KIND_ADOPT
        owner = f"is declared by {managed_by!r}" if managed_by else "was made through the API"
        fault = Fault(path, "unique", given=managed_by)
        raise Conflict("already_exists", f"{what} {owner}: adopt it, or {way_out}", fault)

    def changed(
        self, kept: R, desired: R, names: Iterable[str], kind: ChangeKind
    ) -> tuple[R, list[FieldChange]] | None:
        """A thing as it is to be in some of its fields, and what differs; ``None`` when it stays as it is.

        Whose it is is no part of what it says: that alone is no new revision.
        """
        names = tuple(names)
        fields = field_changes(kept, desired, names)
        if not fields and kind == CHANGE_KIND_UPDATE:
            return None
        made = _copy(kept)
        made.managed_by = self.source
        if fields:
            set_fields(made, desired, names)
            touched(made, self.now_ms)
        return made, fields

    def let_go(self, kept: R) -> tuple[R, list[FieldChange]]:
        """A thing that the source declares no more and leaves as it is."""
        made = _copy(kept)
        made.managed_by = ""
        return made, [handed_over(self.source)]


def _copy(message: R) -> R:
    made: Message = type(message)()
    made.CopyFrom(message)
    return made  # type: ignore[return-value]  # it is of the type of the message
