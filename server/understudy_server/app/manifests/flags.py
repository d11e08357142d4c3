"""Deciding what becomes of the flags of one project. A flag and its states are one thing to a manifest."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from understudy.v1.flags_pb2 import FLAG_KIND_BOOLEAN, Flag, FlagKind, FlagState
from understudy.v1.manifest_service_pb2 import (
    CHANGE_KIND_ADOPT,
    CHANGE_KIND_CREATE,
    CHANGE_KIND_DELETE,
    RESOURCE_KIND_FLAG,
    ChangeKind,
    ManifestFlag,
)

from understudy_server.app.manifests import declaring
from understudy_server.app.manifests.differing import differ, field_changes
from understudy_server.app.manifests.places import flag_path
from understudy_server.app.manifests.plan import Change, Differences, FlagPlan, Plan
from understudy_server.app.manifests.terms import Terms
from understudy_server.app.revisions import copied, touched
from understudy_server.app.times import stamp
from understudy_server.core.errors import Conflict, Fault, InvalidInput, NotFound
from understudy_server.core.giving_way import giving_way

_SAID = tuple(field.name for field in ManifestFlag.DESCRIPTOR.fields)


@dataclass(frozen=True, slots=True)
class Ground:
    """A project: its id and slug, its environments as they will be (ids by slug), and its flags as they are kept."""

    project_id: str
    slug: str
    environments: Mapping[str, str]
    flags: Mapping[str, Flag]


def plan_flags(plan: Plan, terms: Terms, ground: Ground, declared: Mapping[str, ManifestFlag]) -> None:
    """Decide about the flags of one project, and add what is decided to the plan."""
    _Flags(plan, terms, ground).decide(declared)


class _Flags:
    def __init__(self, plan: Plan, terms: Terms, ground: Ground) -> None:
        self._plan, self._terms, self._ground = plan, terms, ground

    def decide(self, declared: Mapping[str, ManifestFlag]) -> None:
        for key, flag in giving_way(self._ground.flags.items()):
            if flag.managed_by == self._terms.source and key not in declared:
                self._plan.removed_flags.append((self._ground.project_id, key))
                self._tell(CHANGE_KIND_DELETE, key)
        for key in giving_way(sorted(declared)):
            if self._has_places(key, declared[key]):
                self._decide_flag(key, declared[key], self._ground.flags.get(key))

    def _has_places(self, key: str, declared: ManifestFlag) -> bool:
        unknown = [each for each in sorted(declared.states) if each not in self._ground.environments]
        for each in unknown:
            path = f"{flag_path(self._ground.slug, key)}.states[{each!r}]"
            message = f"there is no environment {each!r} in project {self._ground.slug!r}"
            self._plan.refusals.append(NotFound(message, Fault(path, "reference", given=each)))
        return not unknown

    def _decide_flag(self, key: str, declared: ManifestFlag, kept: Flag | None) -> None:
        kind = declared.kind or FLAG_KIND_BOOLEAN
        if kept is None:
            self._make(key, declared, kind)
            return
        path = flag_path(self._ground.slug, key)
        if kind != kept.kind:
            fixed, given = _kind_name(kept.kind), _kind_name(kind)
            message = f"flag {key!r} was made with the kind {fixed}, which never changes"
            self._plan.refusals.append(InvalidInput(message, Fault(f"{path}.kind", "fixed", fixed, given)))
            return
        try:
            change = self._terms.claim(kept.managed_by, path, f"flag {key!r}")
        except Conflict as refusal:
            self._plan.refusals.append(refusal)
            return
        self._change(kept, declared, change)

    def _make(self, key: str, declared: ManifestFlag, kind: FlagKind) -> None:
        now = stamp(self._terms.now_ms)
        flag = declaring.flag(Flag(id=self._terms.new_id("flag_"), key=key, kind=kind), declared)
        flag.revision, flag.managed_by = 1, self._terms.source
        flag.created_at.CopyFrom(now)
        flag.updated_at.CopyFrom(now)
        self._plan.flags.append(FlagPlan(self._ground.project_id, key, flag, self._states(flag, declared)))
        self._tell(CHANGE_KIND_CREATE, key)

    def _change(self, kept: Flag, declared: ManifestFlag, kind: ChangeKind) -> None:
        desired = declaring.flag(copied(kept), declared)
        changed = differ(declaring.manifest_flag(kept), declaring.manifest_flag(desired), _SAID)
        if changed:
            touched(desired, self._terms.now_ms)
        desired.managed_by = self._terms.source
        states = self._states(kept, declared)
        before, after = declaring.manifest_flag(kept), declaring.manifest_flag(self._as_declared(desired, declared))
        if not (changed or states or kind == CHANGE_KIND_ADOPT):
            return
        flag = desired if changed or kind == CHANGE_KIND_ADOPT else None
        self._plan.flags.append(FlagPlan(self._ground.project_id, kept.key, flag, states))
        self._tell(kind, kept.key, partial(field_changes, before, after, _SAID))

    def _states(self, kept: Flag, declared: ManifestFlag) -> dict[str, FlagState]:
        """The states that change, by the environment's id: those that are declared, and those that are off by now."""
        present = {each.environment: each for each in kept.states}
        changed = {}
        for slug, environment_id in self._ground.environments.items():
            before = present.get(slug, FlagState(enabled=False))
            after = declaring.flag_state(copied(before), declared.states[slug]) if slug in declared.states else None
            if after is None:
                if slug not in present:
                    continue
                after = _off(before)
            if after != before:
                touched(after, self._terms.now_ms)
                after.environment = ""
                changed[environment_id] = after
        return changed

    def _as_declared(self, flag: Flag, declared: ManifestFlag) -> Flag:
        made = copied(flag)
        del made.states[:]
        for slug in sorted(declared.states):
            made.states.append(declaring.flag_state(FlagState(environment=slug), declared.states[slug]))
        return made

    def _tell(self, kind: ChangeKind, key: str, fields: Differences = tuple) -> None:
        self._plan.changes.append(Change(kind, RESOURCE_KIND_FLAG, self._ground.slug, id=key, fields=fields))


def _off(state: FlagState) -> FlagState:
    """A state that says nothing, as a change of this one."""
    made = FlagState(environment=state.environment, enabled=False, revision=state.revision)
    made.updated_at.CopyFrom(state.updated_at)
    return made


def _kind_name(kind: FlagKind) -> str:
    return FlagKind.Name(kind).removeprefix("FLAG_KIND_").lower()
