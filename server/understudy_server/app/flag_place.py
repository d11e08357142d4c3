"""What is compiled of the flags of one place, and what is still to be: a little at once, more in parts.

A part is read on the event loop and compiled beside it. In between flags may change, in the place and in the part; who
asked asks again, whole, and sees one version of everything.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Final
from weakref import WeakSet

from understudy_server.app.beside import beside
from understudy_server.app.flag_origins import Origin
from understudy_server.app.flag_ports import FlagRecord
from understudy_server.app.not_yet import NotYet
from understudy_server.app.ports import Transaction
from understudy_server.core.flags.compiled import CompiledFlag
from understudy_server.core.giving_way import giving_way
from understudy_server.definitions.flags import compile_environment_flag

# A flag with five rules has some 500 bytes and is compiled in a third of a millisecond.
_AT_ONCE_FLAGS, _AT_ONCE_BYTES = 20, 4_096
_PART_FLAGS, _PART_BYTES = 100, 65_536

ABSENT_MAX: Final = 100
"""A client may ask for any key: so many of those that do not exist are known as such."""


class _Part(NotYet):
    """Flags that were read and are to be compiled; ``changed``: keys of those that have changed since."""

    def __init__(self, place: "FlagPlace", read: Sequence[FlagRecord], up_to: str) -> None:
        """``up_to``: the key up to which no other flag will be missing then."""
        super().__init__()
        self._place = place
        self._read = read
        self._up_to = up_to
        self.changed: set[str] = set()

    async def work(self) -> None:
        compiled = await beside(partial(_compile, self._read))
        self._place.take(compiled, self.changed, self._up_to)


class FlagPlace:
    """The flags of one place. Used on the event loop alone.

    ``version`` is that of the flags that are compiled, ``flags`` those of them that were asked for so far; no flag has
    a key of ``absent`` (the one that was met first goes first).
    """

    def __init__(self, origin: Origin, version: int) -> None:
        self.version = version
        self.flags: dict[str, CompiledFlag] = {}
        self._origin = origin
        self.absent: dict[str, None] = {}
        # Up to this key all flags are compiled, but for some that changed; ``None`` when that are all there are.
        self._reached: str | None = ""
        self._stale: set[str] = set()
        self._is_shown = False
        self._parts: WeakSet[_Part] = WeakSet()

    def renew(self, version: int, changed: Collection[str]) -> None:
        """Forget the flags that are others from a version on."""
        self.version = version
        if not changed:
            return
        if self._is_shown:
            # Whoever was given all flags may still be at it.
            self.flags, self._is_shown = dict(self.flags), False
        for key in changed:
            self.flags.pop(key, None)
            self.absent.pop(key, None)
            if self._reached is None or key <= self._reached:
                self._stale.add(key)
        for part in self._parts:
            part.changed.update(changed)

    async def look_up(self, tx: Transaction, keys: Iterable[str]) -> bool:
        """See to it that those of some flags that exist are compiled; True if some were not. Raises NotYet."""
        read, read_bytes = list[FlagRecord](), 0
        for key in keys:
            if self._is_known(key):
                continue
            flag = await self._origin.one(tx, key)
            if flag is None:
                self._note_absent(key)
                continue
            read.append(flag)
            read_bytes += flag.size_bytes
            if read_bytes > _PART_BYTES:
                break
        self._compile_or_raise(read)
        return bool(read)

    async def all(self, tx: Transaction) -> Mapping[str, CompiledFlag]:
        """All flags, in the order of their keys; what is given never changes. Raises NotYet."""
        if not self._is_shown:
            await self._read_on(tx)
            self.flags = {key: self.flags[key] for key in sorted(self.flags)}
            self._is_shown = True
        return self.flags

    def take(self, compiled: Iterable[CompiledFlag], changed: Collection[str] = (), up_to: str = "") -> None:
        """Keep flags that were compiled, but for those that changed meanwhile."""
        for flag in compiled:
            key = flag.flag.key
            if key not in changed and key not in self.flags:
                self.flags[key] = flag
                self._stale.discard(key)
        if up_to and self._reached is not None:
            self._reached = max(self._reached, up_to)
            self._stale.update(changed)

    def given_up(self) -> Collection[CompiledFlag]:
        """What is compiled, of which the place has nothing any more: it is not asked again."""
        flags, self.flags = self.flags, {}
        return flags.values()

    async def _read_on(self, tx: Transaction) -> None:
        """See to it that all flags are compiled. Raises NotYet."""
        while self._reached is not None:
            page = await self._origin.page(tx, self._reached, _PART_FLAGS)
            if page:
                self._compile_or_raise([each for each in page if each.key not in self.flags], page[-1].key)
            else:
                self._reached = None
        if self._stale:
            await self.look_up(tx, sorted(self._stale)[:_PART_FLAGS])
        if self._stale:
            raise self._part(())

    def _compile_or_raise(self, read: Sequence[FlagRecord], up_to: str = "") -> None:
        if len(read) > _AT_ONCE_FLAGS or sum([each.size_bytes for each in read]) > _AT_ONCE_BYTES:
            raise self._part(read, up_to)
        self.take(_compile(read), up_to=up_to)

    def _part(self, read: Sequence[FlagRecord], up_to: str = "") -> NotYet:
        part = _Part(self, read, up_to)
        self._parts.add(part)
        return part

    def _is_known(self, key: str) -> bool:
        return key in self.flags or key in self.absent or (self._reached is None and key not in self._stale)

    def _note_absent(self, key: str) -> None:
        self._stale.discard(key)
        if len(self.absent) >= ABSENT_MAX:
            del self.absent[next(iter(self.absent))]
        self.absent[key] = None


def _compile(read: Sequence[FlagRecord]) -> list[CompiledFlag]:
    return [compile_environment_flag(each.read()) for each in giving_way(read)]
