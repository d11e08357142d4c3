"""State in the memory of a process that is alone with it. Every change is noted for whoever writes it to a file.

Steps of several threads do not mix: one lock is held for the length of a step, which is a microsecond.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from threading import Lock
from typing import Any

from understudy_server.core.state import (
    ABSENT,
    MACHINE_START,
    MACHINES_MAX,
    VALUES_BYTES_MAX,
    VALUES_MAX,
    Claim,
    Owner,
    Refusal,
    StateFull,
)
from understudy_server.state.changes import Changes, Content, Table
from understudy_server.state.json_values import Kept, add, bytes_of, write

_AT_ONCE = 1_000
"""So many owners are looked at in one step, where all of an environment are."""


class _OfOwner:
    """What one owner has. ``size``: of its values, with their keys, in bytes."""

    __slots__ = ("machines", "size", "uses", "values")

    def __init__(self) -> None:
        self.values: dict[str, Kept] = {}
        self.size = 0
        self.machines: dict[str, str] = {}
        self.uses: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self.uses or self.values or self.machines)


_NOTHING = _OfOwner()
"""What whoever has nothing has. Never changed."""


class MemoryState:
    """Fills ``core.state.State``."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        """``changed`` is called in the thread that changed something, with each change; it is quick and never fails."""
        self._owners: dict[str, dict[Owner, _OfOwner]] = {}
        self._changes = Changes()
        self._changed = changed
        self._lock = Lock()

    def load(self, owner: Owner, table: Table, name: str, content: Content) -> None:
        """Take in what a file has. Before anything else is asked."""
        kept = self._to_change(owner)
        if table is Table.VALUES:
            value = Kept(str(content))
            kept.values[name] = value
            kept.size += bytes_of(name) + value.size
        elif table is Table.MACHINES:
            kept.machines[name] = str(content)
        else:
            kept.uses[name] = int(content)

    @property
    def has_changes(self) -> bool:
        """Whether anything has changed since changes were taken."""
        return bool(self._changes)

    def take_changes(self) -> Changes:
        """All that has changed since this was asked last."""
        with self._lock:
            changes, self._changes = self._changes, Changes()
        return changes

    # Uses and machines

    def claim(self, claim: Claim) -> int | None:
        mock, counted, uses_max, machine, stepped, required, following = claim
        with self._lock:
            uses = self._of(counted).uses.get(mock, 0)
            if 0 < uses_max <= uses:
                return None
            if stepped is not None:
                present = self._of(stepped).machines.get(machine, MACHINE_START)
                if required and present != required:
                    return None
                if following and following != present:
                    self._set_machine(stepped, machine, following)
            uses += 1
            self._to_change(counted).uses[mock] = uses
            self._changes.put(counted, Table.USES, mock, uses)
        self._changed()
        return uses

    def refusal(self, claim: Claim) -> Refusal | None:
        with self._lock:
            if 0 < claim.uses_max <= self._of(claim.counted).uses.get(claim.mock, 0):
                return Refusal.SPENT
            if claim.stepped is None or not claim.required:
                return None
            present = self._of(claim.stepped).machines.get(claim.machine, MACHINE_START)
            return None if present == claim.required else Refusal.MACHINE_STATE

    def uses_of(self, owner: Owner, mock: str) -> int:
        return self._of(owner).uses.get(mock, 0)

    def uses(self, owner: Owner) -> Sequence[tuple[str, int]]:
        with self._lock:
            return sorted(self._of(owner).uses.items())

    def forget_uses(self, environment_id: str, mocks: Iterable[str]) -> None:
        names = frozenset(mocks)
        # One step would hold up all requests for as long as it takes to look at a hundred thousand sessions.
        with self._lock:
            owners = list(self._owners.get(environment_id, ()))
        for begin in range(0, len(owners), _AT_ONCE):
            with self._lock:
                for owner in owners[begin : begin + _AT_ONCE]:
                    self._forget_uses(owner, names)
        self._changed()

    def machine(self, owner: Owner, machine: str) -> str:
        return self._of(owner).machines.get(machine, MACHINE_START)

    def set_machine(self, owner: Owner, machine: str, state: str) -> None:
        with self._lock:
            machines = self._of(owner).machines
            if machine not in machines and state != MACHINE_START and len(machines) >= MACHINES_MAX:
                raise StateFull
            self._set_machine(owner, machine, state)
        self._changed()

    def machines(self, owner: Owner) -> Sequence[tuple[str, str]]:
        with self._lock:
            return sorted(self._of(owner).machines.items())

    # Values

    def value(self, owner: Owner, key: str) -> Any:
        kept = self._of(owner).values.get(key)
        return ABSENT if kept is None else kept.value

    def text(self, owner: Owner, key: str) -> str | None:
        kept = self._of(owner).values.get(key)
        return None if kept is None else kept.text

    def set_value(self, owner: Owner, key: str, value: Any) -> None:
        self._set(owner, key, Kept(write(value), value))

    def set_text(self, owner: Owner, key: str, text: str) -> None:
        self._set(owner, key, Kept(text))

    def increment(self, owner: Owner, key: str, by: int) -> int | float:
        with self._lock:
            total = add(self._of(owner).values.get(key), by)
            self._put_value(owner, key, total)
        self._changed()
        number: int | float = total.value
        return number

    def delete_value(self, owner: Owner, key: str) -> None:
        with self._lock:
            of_owner = self._of(owner)
            kept = of_owner.values.pop(key, None)
            if kept is None:
                return
            of_owner.size -= bytes_of(key) + kept.size
            self._changes.put(owner, Table.VALUES, key, None)
            self._drop_if_empty(owner)
        self._changed()

    def texts(self, owner: Owner, *, prefix: str = "", after: str = "", limit: int) -> Sequence[tuple[str, str]]:
        with self._lock:
            values = self._of(owner).values
            keys = sorted(key for key in values if key > after and key.startswith(prefix))
            return [(key, values[key].text) for key in keys[:limit]]

    # Owners

    def owners(self) -> Collection[Owner]:
        with self._lock:
            return [owner for owners in self._owners.values() for owner in owners]

    def reset(self, owner: Owner) -> None:
        with self._lock:
            owners = self._owners.get(owner.environment_id, {})
            if owners.pop(owner, None) is None:
                return
            if not owners:
                del self._owners[owner.environment_id]
            self._changes.clear(owner)
        self._changed()

    def reset_environment(self, environment_id: str) -> None:
        with self._lock:
            if self._owners.pop(environment_id, None) is None:
                return
            self._changes.clear_environment(environment_id)
        self._changed()

    # Parts of a step, inside the lock

    def _of(self, owner: Owner) -> _OfOwner:
        """What an owner has, to be read."""
        owners = self._owners.get(owner.environment_id)
        return _NOTHING if owners is None else owners.get(owner, _NOTHING)

    def _to_change(self, owner: Owner) -> _OfOwner:
        """What an owner has, to be added to."""
        owners = self._owners.get(owner.environment_id)
        if owners is None:
            owners = self._owners[owner.environment_id] = {}
        found = owners.get(owner)
        if found is None:
            found = owners[owner] = _OfOwner()
        return found

    def _drop_if_empty(self, owner: Owner) -> None:
        owners = self._owners[owner.environment_id]
        if not owners[owner]:
            del owners[owner]
            if not owners:
                del self._owners[owner.environment_id]

    def _set_machine(self, owner: Owner, machine: str, state: str) -> None:
        if state != MACHINE_START:
            self._to_change(owner).machines[machine] = state
            self._changes.put(owner, Table.MACHINES, machine, state)
        elif self._of(owner).machines.pop(machine, None) is not None:
            self._changes.put(owner, Table.MACHINES, machine, None)
            self._drop_if_empty(owner)

    def _set(self, owner: Owner, key: str, value: Kept) -> None:
        with self._lock:
            self._put_value(owner, key, value)
        self._changed()

    def _put_value(self, owner: Owner, key: str, value: Kept) -> None:
        of_owner = self._of(owner)
        before = of_owner.values.get(key)
        if before is None:
            growth = bytes_of(key) + value.size
            if len(of_owner.values) >= VALUES_MAX:
                raise StateFull
        else:
            growth = value.size - before.size
        if growth > 0 and of_owner.size + growth > VALUES_BYTES_MAX:
            raise StateFull
        if of_owner is _NOTHING:
            of_owner = self._to_change(owner)
        of_owner.values[key] = value
        of_owner.size += growth
        self._changes.put(owner, Table.VALUES, key, value.text)

    def _forget_uses(self, owner: Owner, mocks: frozenset[str]) -> None:
        uses = self._of(owner).uses
        fewer, others = (mocks, uses) if len(mocks) < len(uses) else (uses, mocks)
        for mock in [each for each in fewer if each in others]:
            del uses[mock]
            self._changes.put(owner, Table.USES, mock, None)
        if owner in self._owners.get(owner.environment_id, ()):
            self._drop_if_empty(owner)
