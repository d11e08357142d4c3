"""Random steps: all that keep state agree with a plain model, and what is written behind is what is in memory."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from support.state_suite import everything
from understudy_server.core.state import ABSENT, MACHINE_START, Claim, NotANumber, Owner, Scope, State
from understudy_server.state.memory import MemoryState
from understudy_server.state.shared import SharedState
from understudy_server.store.sqlite import migrations
from understudy_server.store.sqlite.connections import connect
from understudy_server.store.sqlite.files import prepare

OWNERS = [
    Owner(environment, scope, name)
    for environment in ("env_1", "env_2")
    for scope, name in ((Scope.SESSION, ""), (Scope.SESSION, "a"), (Scope.CHAIN, "a"), (Scope.ENVIRONMENT, ""))
]
owners = st.sampled_from(OWNERS)
keys = st.sampled_from(["k", "kk", "ä", "\0"])
mocks = st.sampled_from(["ovr_a", "ovr_b"])
states = st.sampled_from([MACHINE_START, "paid", "sent"])
values = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.integers(), max_size=2))


class Plain:
    """The rules, written down once more, without any care for speed."""

    def __init__(self) -> None:
        self.values: dict[tuple[Owner, str], Any] = {}
        self.machines: dict[tuple[Owner, str], str] = {}
        self.uses: dict[tuple[Owner, str], int] = {}

    def claim(self, claim: Claim) -> int | None:
        used = self.uses.get((claim.counted, claim.mock), 0)
        if claim.uses_max and used >= claim.uses_max:
            return None
        if claim.stepped:
            present = self.machines.get((claim.stepped, claim.machine), MACHINE_START)
            if claim.required not in ("", present):
                return None
            self.machines[claim.stepped, claim.machine] = claim.next or present
        self.uses[claim.counted, claim.mock] = used + 1
        return used + 1

    def everything(self, owner: Owner) -> tuple[list[Any], list[Any], list[Any]]:
        def of(kept: dict[tuple[Owner, str], Any]) -> list[Any]:
            return sorted((name, value) for (whose, name), value in kept.items() if whose == owner)

        moved = [(name, state) for name, state in of(self.machines) if state != MACHINE_START]
        return [key for key, _ in of(dict.fromkeys(self.values, 0))], moved, of(self.uses)

    def drop(self, *, environment: str = "", owner: Owner | None = None) -> None:
        for kept in (self.values, self.machines, self.uses):
            for each in list(kept):
                if each[0] == owner or each[0].environment_id == environment:
                    del kept[each]


class Steps(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.closing = ExitStack()
        folder = Path(self.closing.enter_context(tempfile.TemporaryDirectory()))
        self.plain = Plain()
        self.memory = MemoryState()
        self.shared = self.closing.enter_context(_shared(folder / "shared.db"))
        self.file = _made(folder / "behind.db")
        self.both: tuple[State, State] = (self.memory, self.shared)

    def teardown(self) -> None:
        self.closing.close()

    @rule(
        counted=owners, mock=mocks, uses_max=st.integers(0, 3), stepped=st.none() | owners,
        required=st.just("") | states, following=st.just("") | states,
    )  # fmt: skip
    def claim(
        self, counted: Owner, mock: str, uses_max: int, stepped: Owner | None, required: str, following: str
    ) -> None:
        claim = Claim(mock, counted, uses_max)
        if stepped:
            claim = Claim(mock, counted, uses_max, "order", stepped, required, following)
        refusals = {each.refusal(claim) for each in self.both}
        taken = self.plain.claim(claim)
        assert [each.claim(claim) for each in self.both] == [taken] * 2
        assert len(refusals) == 1
        assert (refusals == {None}) is (taken is not None)

    @rule(owner=owners, key=keys, value=values)
    def set_value(self, owner: Owner, key: str, value: Any) -> None:
        self.plain.values[owner, key] = value
        for each in self.both:
            each.set_value(owner, key, value)

    @rule(owner=owners, key=keys, by=st.integers(-9, 9))
    def increment(self, owner: Owner, key: str, by: int) -> None:
        before = self.plain.values.get((owner, key), 0)
        fits = isinstance(before, int) and not isinstance(before, bool)
        for each in self.both:
            try:
                assert each.increment(owner, key, by) == before + by
            except NotANumber:
                assert not fits
        if fits:
            self.plain.values[owner, key] = before + by

    @rule(owner=owners, key=keys)
    def delete_value(self, owner: Owner, key: str) -> None:
        self.plain.values.pop((owner, key), None)
        for each in self.both:
            each.delete_value(owner, key)

    @rule(owner=owners, state=states)
    def set_machine(self, owner: Owner, state: str) -> None:
        self.plain.machines[owner, "order"] = state
        for each in self.both:
            each.set_machine(owner, "order", state)

    @rule(environment=st.sampled_from(["env_1", "env_2"]), mock=mocks)
    def forget_uses(self, environment: str, mock: str) -> None:
        for each in [one for one in self.plain.uses if one[0].environment_id == environment and one[1] == mock]:
            del self.plain.uses[each]
        for state in self.both:
            state.forget_uses(environment, [mock])

    @rule(owner=owners)
    def reset(self, owner: Owner) -> None:
        self.plain.drop(owner=owner)
        for each in self.both:
            each.reset(owner)

    @rule(environment=st.sampled_from(["env_1", "env_2"]))
    def reset_environment(self, environment: str) -> None:
        self.plain.drop(environment=environment)
        for each in self.both:
            each.reset_environment(environment)

    @rule()
    def write_behind(self) -> None:
        """What has changed is written, and the file then has what is in memory: no more and no less."""
        connection = connect(self.file, "normal")
        connection.execute("BEGIN IMMEDIATE")
        self.memory.take_changes().write(connection)
        connection.execute("COMMIT")
        connection.close()
        written = SharedState(self.file)
        for owner in OWNERS:
            assert everything(written, owner) == everything(self.memory, owner)
        assert sorted(written.owners()) == sorted(self.memory.owners())
        written.close()

    @invariant()
    def all_agree(self) -> None:
        for owner in OWNERS:
            expected = self.plain.everything(owner)
            for each in self.both:
                texts, machines, uses = everything(each, owner)
                assert ([key for key, _ in texts], list(machines), list(uses)) == expected
        for each in self.both:
            for owner, key in self.plain.values:
                assert each.value(owner, key) == self.plain.values[owner, key]
            assert each.value(OWNERS[0], "never") is ABSENT
            assert sorted(each.owners()) == [one for one in sorted(OWNERS) if any(self.plain.everything(one))]


def _made(path: Path) -> Path:
    asyncio.run(prepare(path, "normal", migrations.state, lambda _: None))
    return path


@contextmanager
def _shared(path: Path) -> Iterator[SharedState]:
    state = SharedState(_made(path))
    yield state
    state.close()


TestSteps = Steps.TestCase
TestSteps.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
