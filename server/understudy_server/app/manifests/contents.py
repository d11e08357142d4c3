"""Deciding what becomes of the mocks and scenarios of one environment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from understudy.v1.manifest_service_pb2 import (
    CHANGE_KIND_CREATE,
    CHANGE_KIND_DELETE,
    CHANGE_KIND_UPDATE,
    RESOURCE_KIND_MOCK,
    RESOURCE_KIND_SCENARIO,
    ChangeKind,
    ManifestEnvironment,
    ManifestMock,
    ResourceKind,
)
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT, MOCK_STATE_PUBLISHED, Mock
from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.app.lifetimes import set_expiry
from understudy_server.app.manifests import declaring
from understudy_server.app.manifests.checking import declared_mocks, mock_path, undeclared_mocks
from understudy_server.app.manifests.plan import Change, ContentsPlan, Differences, Loss, Plan
from understudy_server.app.manifests.renames import renamed_mocks, renamed_scenarios
from understudy_server.app.manifests.terms import Terms
from understudy_server.app.manifests.url_ids import give_url_ids
from understudy_server.app.ports import Contents
from understudy_server.app.revisions import copied
from understudy_server.app.times import stamp
from understudy_server.core.errors import Conflict, Fault, InvalidInput, NotFound
from understudy_server.core.giving_way import give_way, giving_way


@dataclass(frozen=True, slots=True)
class Spot:
    """An environment: its slugs, its id, and its path in the manifest."""

    project: str
    environment: str
    environment_id: str
    path: str


def plan_contents(plan: Plan, terms: Terms, spot: Spot, declared: ManifestEnvironment, kept: Contents) -> None:
    """Decide about one environment, and add what is decided to the plan."""
    _Contents(plan, terms, spot, declared, kept).decide()


def plan_removed_contents(plan: Plan, spot: Spot, kept: Contents) -> None:
    """Tell what goes with an environment that goes."""
    for mock in kept.mocks:
        _lost(plan, spot, RESOURCE_KIND_MOCK, mock.id)
    for scenario in kept.scenarios:
        _lost(plan, spot, RESOURCE_KIND_SCENARIO, scenario.id)


class _Contents:
    def __init__(self, plan: Plan, terms: Terms, spot: Spot, declared: ManifestEnvironment, kept: Contents) -> None:
        self._plan, self._terms, self._spot = plan, terms, spot
        self._declared = declared
        self._kept = kept
        self._mocks = {mock.id: mock for mock in giving_way(kept.mocks)}
        self._scenarios = {scenario.id: scenario for scenario in kept.scenarios}
        self._declared_locals = {each for scenario in declared.scenarios.values() for each in scenario.local_mocks}
        self._todo = ContentsPlan(spot.environment_id, spot.path)
        self._told_before = len(plan.changes)
        # Made and removed for good: what may be one thing under two ids.
        self._made_mocks: list[Mock] = []
        self._made_scenarios: list[Scenario] = []

    def decide(self) -> None:
        self._remove()
        for mock_id, home, mock in giving_way(declared_mocks(self._declared)):
            self._decide_mock(mock_id, home, mock)
        self._decide_scenarios()
        self._check_references()
        self._check_other_sources()
        self._tell_renames()
        self._plan.contents.append(self._todo)
        # One by one, for the same reason that lists are let go of so.
        while self._mocks:
            self._mocks.popitem()
            give_way()

    def _is_declared(self, mock_id: str) -> bool:
        return mock_id in self._declared.mocks or mock_id in self._declared_locals

    def _remove(self) -> None:
        """What the source declared before and declares no more."""
        for mock in giving_way(self._kept.mocks):
            if mock.managed_by == self._terms.source and not self._is_declared(mock.id):
                self._todo.removed_mocks.append(mock.id)
                self._lose(RESOURCE_KIND_MOCK, mock.id)
        for scenario in self._kept.scenarios:
            if scenario.managed_by == self._terms.source and scenario.id not in self._declared.scenarios:
                self._todo.removed_scenarios.append(scenario.id)
                self._lose(RESOURCE_KIND_SCENARIO, scenario.id)
                self._remove_strangers(scenario)

    def _remove_strangers(self, scenario: Scenario) -> None:
        """The mocks of a scenario that goes which were made elsewhere: they go with it, if at all.

        One that is declared at another place moves there, or is refused there.
        """
        strangers = [
            each
            for each in scenario.local_mocks
            if not self._is_declared(each) and self._mocks[each].managed_by != self._terms.source
        ]
        if strangers and not self._terms.force:
            message = (
                f"scenario {scenario.id!r} is not declared any more and holds {len(strangers)} mocks that were made "
                f"elsewhere ({strangers[0]!r}): remove them first, or force it"
            )
            self._plan.refusals.append(Conflict("not_empty", message, Fault(f"{self._spot.path}.scenarios")))
        for mock_id in strangers:
            self._lose(RESOURCE_KIND_MOCK, mock_id)

    def _decide_mock(self, mock_id: str, home: str, declared: ManifestMock) -> None:
        kept = self._mocks.get(mock_id)
        if kept is None:
            self._make_mock(_new_mock(mock_id, home, declared))
            return
        kind = CHANGE_KIND_UPDATE
        if kept.managed_by != self._terms.source:
            path = mock_path(self._spot.path, mock_id, home)
            try:
                kind = self._terms.claim(kept.managed_by, path, f"mock {mock_id!r}")
            except Conflict as refusal:
                self._plan.refusals.append(refusal)
                return
        elif _is_same(kept, home, declared):
            # So it is for most of a large manifest.
            return
        if kept.scenario != home:
            self._todo.removed_mocks.append(mock_id)
            self._lose(RESOURCE_KIND_MOCK, mock_id)
            self._make_mock(_new_mock(mock_id, home, declared))
        else:
            self._change_mock(kept, declaring.mock(copied(kept), declared), kind)

    def _make_mock(self, mock: Mock) -> None:
        now = stamp(self._terms.now_ms)
        mock.revision, mock.created_by, mock.managed_by = 1, self._terms.key_id, self._terms.source
        mock.created_at.CopyFrom(now)
        mock.updated_at.CopyFrom(now)
        set_expiry(mock, self._terms.now_ms)
        self._put_mock(mock)
        self._made_mocks.append(mock)
        self._tell(CHANGE_KIND_CREATE, RESOURCE_KIND_MOCK, mock.id)

    def _change_mock(self, kept: Mock, desired: Mock, kind: ChangeKind) -> None:
        changed = self._terms.changed(kept, desired, declaring.MOCK_FIELDS, kind)
        if changed is None:
            return
        mock, fields = changed
        if mock.lifetime.ttl_ms != kept.lifetime.ttl_ms:
            set_expiry(mock, self._terms.now_ms)
        change = self._tell(kind, RESOURCE_KIND_MOCK, mock.id, fields)
        if kept.state == MOCK_STATE_PUBLISHED and mock.state == MOCK_STATE_DRAFT:
            # As when it is unpublished.
            mock.created_by = self._terms.key_id
            self._todo.switched_off.append(mock.id)
            self._plan.losses.append(Loss(change, self._spot.environment_id))
        self._put_mock(mock)

    def _put_mock(self, mock: Mock) -> None:
        (self._todo.local if mock.scenario else self._todo.library).append(mock)

    def _decide_scenarios(self) -> None:
        staying = [
            each
            for each in self._kept.scenarios
            if each.id not in self._declared.scenarios and each.managed_by != self._terms.source
        ]
        url_ids, refusals = give_url_ids(self._declared.scenarios, self._scenarios, staying, self._spot.path)
        self._plan.refusals += refusals
        for scenario_id in sorted(self._declared.scenarios):
            kept = self._scenarios.get(scenario_id)
            base = copied(kept) if kept else Scenario(id=scenario_id)
            declared, url_id = self._declared.scenarios[scenario_id], url_ids.get(scenario_id, "")
            desired = declaring.scenario(base, declared, url_id)
            if kept is None:
                self._make_scenario(desired)
            else:
                self._change_scenario(kept, desired)

    def _make_scenario(self, scenario: Scenario) -> None:
        now = stamp(self._terms.now_ms)
        scenario.revision, scenario.managed_by = 1, self._terms.source
        scenario.created_at.CopyFrom(now)
        scenario.updated_at.CopyFrom(now)
        self._todo.scenarios.append(scenario)
        self._made_scenarios.append(scenario)
        self._tell(CHANGE_KIND_CREATE, RESOURCE_KIND_SCENARIO, scenario.id)

    def _change_scenario(self, kept: Scenario, desired: Scenario) -> None:
        path = f"{self._spot.path}.scenarios[{kept.id!r}]"
        try:
            kind = self._terms.claim(kept.managed_by, path, f"scenario {kept.id!r}")
        except Conflict as refusal:
            self._plan.refusals.append(refusal)
            return
        changed = self._terms.changed(kept, desired, declaring.SCENARIO_FIELDS, kind)
        if changed:
            scenario, fields = changed
            self._todo.scenarios.append(scenario)
            self._tell(kind, RESOURCE_KIND_SCENARIO, scenario.id, fields)

    def _check_references(self) -> None:
        """The mocks that scenarios name and the manifest does not declare were made elsewhere, or are not there."""
        for reference in undeclared_mocks(self._declared, self._spot.path):
            mock, given = self._mocks.get(reference.mock_id), reference.mock_id[:100]
            fault = Fault(reference.path, "reference", given=given)
            if mock is None or mock.managed_by == self._terms.source:
                message = f"{reference.path} names mock {given!r}, which is not declared here and does not exist"
                self._plan.refusals.append(NotFound(message, fault))
            elif mock.scenario:
                message = f"{reference.path} names mock {given!r}, which belongs to scenario {mock.scenario!r} alone"
                self._plan.refusals.append(InvalidInput(message, fault))
            elif mock.state != MOCK_STATE_PUBLISHED:
                message = f"{reference.path} names mock {given!r}, which is a draft"
                self._plan.refusals.append(InvalidInput(message, fault))

    def _check_other_sources(self) -> None:
        """What another source declares is changed by that one alone: none of its scenarios loses a mock."""
        gone = {*self._todo.removed_mocks, *self._todo.switched_off}
        if self._terms.force or not gone:
            return
        for scenario in self._kept.scenarios:
            lost = next((each for each in scenario.mocks if each in gone), "")
            elsewhere = scenario.managed_by not in ("", self._terms.source)
            if lost and elsewhere and scenario.id not in self._declared.scenarios:
                message = (
                    f"mock {lost!r} is in scenario {scenario.id!r}, which {scenario.managed_by!r} declares: "
                    "take it out there first, or force it"
                )
                fault = Fault(self._spot.path, "managed_by", given=scenario.managed_by)
                self._plan.refusals.append(Conflict("managed_by_file", message, fault))

    def _tell_renames(self) -> None:
        removed_mocks = [self._mocks[each] for each in self._todo.removed_mocks]
        removed_scenarios = [self._scenarios[each] for each in self._todo.removed_scenarios]
        mocks = renamed_mocks(removed_mocks, self._made_mocks) if removed_mocks else {}
        scenarios: Mapping[str, str] = {}
        if removed_scenarios:
            made = declared_locals(self._declared, self._made_scenarios)
            kept = [(each, [self._mocks[local] for local in each.local_mocks]) for each in removed_scenarios]
            scenarios = renamed_scenarios(kept, made, mocks)
        if not (mocks or scenarios):
            return
        renamed = {RESOURCE_KIND_MOCK: mocks, RESOURCE_KIND_SCENARIO: scenarios}
        for change in self._plan.changes[self._told_before :]:
            if change.kind == CHANGE_KIND_DELETE:
                change.renamed_to = renamed[change.resource].get(change.id, "")

    def _tell(self, kind: ChangeKind, resource: ResourceKind, name: str, fields: Differences = tuple) -> Change:
        change = _change(self._spot, kind, resource, name, fields)
        self._plan.changes.append(change)
        return change

    def _lose(self, resource: ResourceKind, name: str) -> None:
        _lost(self._plan, self._spot, resource, name)


def declared_locals(
    declared: ManifestEnvironment, scenarios: Iterable[Scenario]
) -> Sequence[tuple[Scenario, Sequence[Mock]]]:
    """Scenarios, each with the mocks that belong to it alone."""
    return [
        (
            scenario,
            [
                _new_mock(mock_id, scenario.id, mock)
                for mock_id, mock in declared.scenarios[scenario.id].local_mocks.items()
            ],
        )
        for scenario in scenarios
    ]


def _new_mock(mock_id: str, home: str, declared: ManifestMock) -> Mock:
    return declaring.mock(Mock(id=mock_id, scenario=home), declared)


def _is_same(kept: Mock, home: str, declared: ManifestMock) -> bool:
    """Tell quickly that nothing differs; False may still mean the same."""
    return (
        kept.scenario == home
        and kept.name == (declared.name or kept.id)
        and kept.state == (declared.state or MOCK_STATE_PUBLISHED)
        and kept.matcher == declared.matcher
        and kept.action == declared.action
        and kept.priority == declared.priority
        and kept.tags == declared.tags
        and kept.lifetime == declared.lifetime
        and kept.machine == declared.machine
        and kept.chain == declared.chain
    )


def _lost(plan: Plan, spot: Spot, resource: ResourceKind, name: str) -> None:
    """Tell that something goes, and with it what sessions had of it."""
    change = _change(spot, CHANGE_KIND_DELETE, resource, name)
    plan.changes.append(change)
    plan.losses.append(Loss(change, spot.environment_id))


def _change(spot: Spot, kind: ChangeKind, resource: ResourceKind, name: str, fields: Differences = tuple) -> Change:
    return Change(kind, resource, spot.project, spot.environment, name, fields)
