"""On what terms a manifest is applied, and what they mean for a single thing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from understudy.v1.manifest_service_pb2 import CHANGE_KIND_ADOPT, CHANGE_KIND_UPDATE, ChangeKind
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.project_service_pb2 import Environment, Project
from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.app.manifests.differing import differ, field_changes, handed_over
from understudy_server.app.manifests.plan import Differences
from understudy_server.app.revisions import copied, touched
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

    def changed(self, kept: R, desired: R, names: Sequence[str], kind: ChangeKind) -> tuple[R, Differences] | None:
        """A thing as it is to be, and what differs; ``None`` when it stays as it is.

        ``desired`` is a copy of it that says in some of its fields what it is to say, and is changed further. Whose it
        is is no part of what it says: that alone is no new revision.
        """
        if differ(kept, desired, names):
            touched(desired, self.now_ms)
            desired.managed_by = self.source
            return desired, partial(field_changes, kept, desired, names)
        if kind == CHANGE_KIND_UPDATE:
            return None
        made = copied(kept)
        made.managed_by = self.source
        return made, tuple

    def let_go(self, kept: R) -> tuple[R, Differences]:
        """A thing that the source declares no more and leaves as it is."""
        made = copied(kept)
        made.managed_by = ""
        return made, partial(handed_over, self.source)
