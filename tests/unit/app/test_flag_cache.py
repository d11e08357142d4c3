"""What is compiled of flags: no more than is asked for, anew only what changed, and little at a time."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from support import records
from support.dispatching import World
from understudy.v1.flags_pb2 import Flag, FlagState
from understudy_server.app import flag_cache, flag_place
from understudy_server.app.flag_cache import CHANGED_MAX, PLACES_MAX, FlagCache
from understudy_server.app.flag_place import ABSENT_MAX
from understudy_server.app.not_yet import NotYet
from understudy_server.app.ports import Transaction, Work
from understudy_server.core.flags.compiled import CompiledFlag
from understudy_server.definitions.flags import compile_environment_flag

Found = Mapping[str, CompiledFlag]


class Shelf:
    """A cache over the flags of a project that has an environment. ``parts`` counts what was done beside the loop."""

    def __init__(self, here: World, project_id: str, environment_id: str) -> None:
        self.cache = FlagCache()
        self.parts = 0
        self._here = here
        self._project_id, self.environment_id = project_id, environment_id

    async def put(self, *keys: str, enabled: bool = True, value: str = "") -> None:
        async def work(tx: Transaction) -> None:
            for key in keys:
                await tx.put_flag(self._project_id, Flag(key=key))
                state = FlagState(enabled=enabled, value=value or None)
                await tx.put_flag_state(self._project_id, self.environment_id, key, state)

        await self._here.store.write(work)

    async def remove(self, key: str) -> None:
        await self._here.store.write(lambda tx: tx.remove_flag(self._project_id, key))

    async def some(self, *keys: str) -> Found:
        return await self._asked(lambda tx: self.cache.some(tx, self._project_id, self.environment_id, keys))

    async def all(self) -> Found:
        return await self._asked(lambda tx: self.cache.all(tx, self._project_id, self.environment_id))

    async def pinned(self, snapshot_id: int, *keys: str) -> Found:
        return await self._asked(lambda tx: self.cache.pinned(tx, snapshot_id, keys or None))

    async def first_part(self) -> NotYet:
        """What comes first when all flags are asked for."""
        with pytest.raises(NotYet) as first:
            await self._here.store.read(lambda tx: self.cache.all(tx, self._project_id, self.environment_id))
        return first.value

    async def snapshot(self) -> int:
        """What a session pins now."""
        record = records.session("ses_1", "ci-42", of=self.environment_id)
        await self._here.store.write(lambda tx: tx.put_session(record))
        await self._here.store.write(lambda tx: tx.freeze_session(self._project_id, record))
        found = await self._here.store.read(lambda tx: tx.snapshot_of(record.id))
        assert found is not None
        return found

    async def _asked(self, ask: Work[Found]) -> Found:
        while True:
            try:
                return await self._here.store.read(ask)
            except NotYet as first:
                self.parts += 1
                await first.work()


@pytest.fixture
async def shelf(here: World) -> Shelf:
    project = await here.store.read(lambda tx: tx.project("checkout"))
    assert project is not None
    environment = await here.store.read(lambda tx: tx.environment(project.id, "staging"))
    assert environment is not None
    return Shelf(here, project.id, environment.id)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of what is compiled, in that order."""
    keys: list[str] = []
    original = compile_environment_flag

    def noted(flag: Flag) -> CompiledFlag:
        keys.append(flag.key)
        return original(flag)

    monkeypatch.setattr(flag_place, "compile_environment_flag", noted)
    return keys


def names(count: int, start: str = "f") -> Sequence[str]:
    return [f"{start}{number:05}" for number in range(count)]


async def test_only_what_is_asked_for_is_compiled_and_once(shelf: Shelf, compiled: list[str]) -> None:
    await shelf.put("a", "b", "c")

    for _ in range(2):
        found = await shelf.some("b", "none")

    assert (list(found), compiled) == (["b"], ["b"])


async def test_one_changed_flag_is_compiled_anew_and_no_other(shelf: Shelf, compiled: list[str]) -> None:
    await shelf.put(*names(300))
    before = await shelf.all()
    compiled.clear()

    await shelf.put("f00007", enabled=False)
    await shelf.remove("f00008")
    await shelf.put("f00007a")
    now = await shelf.all()

    assert compiled == ["f00007", "f00007a"]
    assert now["f00009"] is before["f00009"]
    assert (before["f00007"].state.enabled, now["f00007"].state.enabled) == (True, False)
    assert list(now) == sorted({*names(300), "f00007a"} - {"f00008"})


async def test_what_changes_in_another_environment_is_no_reason_to_compile(
    shelf: Shelf, here: World, compiled: list[str]
) -> None:
    await shelf.put("a")
    await shelf.all()
    compiled.clear()
    project = await here.store.read(lambda tx: tx.project("checkout"))
    assert project is not None
    qa = await here.store.read(lambda tx: tx.environment(project.id, "qa"))
    assert qa is not None

    await here.store.write(lambda tx: tx.put_flag_state(project.id, qa.id, "a", FlagState(enabled=False)))

    assert (await shelf.all())["a"].state.enabled
    assert compiled == []


async def test_who_was_given_all_flags_has_them_as_they_were(shelf: Shelf) -> None:
    await shelf.put("a", "b")
    before = await shelf.all()

    await shelf.put("a", enabled=False)
    await shelf.remove("b")
    await shelf.some("a", "b")

    assert (list(before), before["a"].state.enabled) == (["a", "b"], True)


async def test_many_flags_are_compiled_in_parts(shelf: Shelf, compiled: list[str]) -> None:
    await shelf.put(*names(250))

    found = await shelf.all()

    assert list(found) == names(250) == compiled
    assert shelf.parts == 3


async def test_few_flags_are_compiled_at_once(shelf: Shelf) -> None:
    await shelf.put("a", "b", "c")

    assert list(await shelf.all()) == ["a", "b", "c"]
    assert shelf.parts == 0


async def test_a_long_flag_is_compiled_beside_the_event_loop(shelf: Shelf) -> None:
    await shelf.put("long", value=f'"{"x" * 10_000}"')
    await shelf.put("short")

    await shelf.some("short")
    assert shelf.parts == 0
    assert list(await shelf.some("long")) == ["short", "long"]
    assert shelf.parts == 1


async def test_what_changes_while_a_part_is_compiled_is_not_missed(shelf: Shelf) -> None:
    await shelf.put(*names(150))
    part = await shelf.first_part()

    await shelf.put("f00010", enabled=False)
    await shelf.remove("f00011")
    await shelf.put("f00011a")
    # Somebody sees the new version meanwhile.
    await shelf.some("none")
    await part.work()
    found = await shelf.all()

    assert not found["f00010"].state.enabled
    assert list(found) == sorted({*names(150), "f00011a"} - {"f00011"})


async def test_a_part_that_another_one_has_compiled_too_changes_nothing(shelf: Shelf) -> None:
    await shelf.put(*names(150))
    part = await shelf.first_part()
    found = await shelf.all()
    flag = found["f00001"]

    await part.work()

    assert (await shelf.all()) is found
    assert found["f00001"] is flag


async def test_all_flags_may_change_at_once(shelf: Shelf) -> None:
    keys = names(CHANGED_MAX + 1)
    await shelf.put(*keys)
    await shelf.all()

    await shelf.put(*keys, enabled=False)
    found = await shelf.all()

    assert list(found) == keys
    assert not any(each.state.enabled for each in found.values())


async def test_what_changed_too_long_ago_to_be_known_is_compiled_anew(shelf: Shelf, here: World) -> None:
    await shelf.put("a", "b")
    await shelf.all()

    await shelf.put("a", enabled=False)
    await shelf.remove("b")
    await here.store.trim(0)

    assert [each.state.enabled for each in (await shelf.all()).values()] == [False]


async def test_keys_that_do_not_exist_are_not_kept_without_end(shelf: Shelf) -> None:
    await shelf.put("a")
    for number in range(ABSENT_MAX * 3):
        await shelf.some("a", f"none-{number}")

    (place,) = shelf.cache._kept.values()

    assert len(place.absent) == ABSENT_MAX
    assert list(place.flags) == ["a"]


async def test_a_flag_that_is_made_after_it_was_asked_for_is_found(shelf: Shelf) -> None:
    await shelf.some("a")
    await shelf.all()

    await shelf.put("a")

    assert list(await shelf.some("a")) == ["a"]
    assert list(await shelf.all()) == ["a"]


async def test_of_a_snapshot_too_only_what_is_asked_for_is_compiled(shelf: Shelf, compiled: list[str]) -> None:
    await shelf.put(*names(150))
    snapshot_id = await shelf.snapshot()
    await shelf.put("f00003", enabled=False)
    await shelf.put("new")

    found = await shelf.pinned(snapshot_id, "f00003", "new")

    assert (list(found), found["f00003"].state.enabled, compiled) == (["f00003"], True, ["f00003"])
    assert list(await shelf.pinned(snapshot_id)) == names(150)


async def test_places_that_were_asked_for_longest_ago_make_room(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, compiled: list[str]
) -> None:
    monkeypatch.setattr(flag_cache, "FLAGS_MAX", 300)
    await shelf.put(*names(250))
    await shelf.all()
    for number in range(PLACES_MAX):
        await shelf.pinned(number, "a")
    assert len(shelf.cache._kept) == PLACES_MAX

    compiled.clear()
    assert len(await shelf.all()) == len(compiled) == 250


async def test_large_places_make_room_for_each_other(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flag_cache, "FLAGS_MAX", 300)
    await shelf.put(*names(250))
    snapshot_id = await shelf.snapshot()

    for _ in range(2):
        assert len(await shelf.all()) == 250
        assert len(await shelf.pinned(snapshot_id)) == 250

    assert sum(len(each.flags) for each in shelf.cache._kept.values()) <= 500


async def test_several_may_ask_for_everything_while_it_changes(shelf: Shelf) -> None:
    await shelf.put(*names(350))

    async def ask() -> None:
        async with shelf.cache.filling:
            assert set(names(350)) <= set(await shelf.all())

    asking = [asyncio.create_task(ask()) for _ in range(5)]
    for number in range(20):
        await shelf.put(f"f{number * 17:05}", f"new-{number}", enabled=False)
        await asyncio.sleep(0)
    await asyncio.gather(*asking)

    off = {key for key, flag in (await shelf.all()).items() if not flag.state.enabled}
    assert off == {f"f{number * 17:05}" for number in range(20)} | {f"new-{number}" for number in range(20)}
