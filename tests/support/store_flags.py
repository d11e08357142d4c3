"""What every store must do with flags, their states, what sessions pin of them, and sessions of projects."""

from collections.abc import Sequence
from functools import partial

from support import records
from support.records import ENVIRONMENT, PROJECT
from support.store_steps import Change, FullStore, change, changes_of, put_session
from understudy.v1.flags_pb2 import Flag, FlagState
from understudy.v1.project_session_service_pb2 import ProjectSession
from understudy_server.app.flag_ports import FlagQuery, FlagRecord, ProjectSessionRecord
from understudy_server.app.ports import SessionRecord, Transaction
from understudy_server.app.times import stamp

QA = "env_qa"
TEAM = "team.yaml"


def put_flag(key: str, *, project: str = PROJECT, name: str = "", tags: Sequence[str] = (), source: str = "") -> Change:
    flag = Flag(key=key, name=name or key, tags=tags, managed_by=source)
    return lambda tx: tx.put_flag(project, flag)


def put_state(key: str, *, enabled: bool = True, environment: str = ENVIRONMENT) -> Change:
    return lambda tx: tx.put_flag_state(PROJECT, environment, key, FlagState(enabled=enabled))


def put_project_session(session_id: str, *, expires_at_ms: int = 2_000, project: str = PROJECT) -> Change:
    message = ProjectSession(id=session_id, token=f"{session_id}_x", flags="{}", expires_at=stamp(expires_at_ms))
    return lambda tx: tx.put_project_session(ProjectSessionRecord(project, message))


async def add_qa(tx: Transaction) -> None:
    await tx.put_environment(records.environment(QA, "qa"))


def session(key: str) -> SessionRecord:
    return records.session(f"ses_{key}", key)


def freeze(key: str) -> Change:
    return lambda tx: tx.freeze_session(PROJECT, session(key))


async def version(store: FullStore) -> int:
    return await store.read(lambda tx: tx.flags_version(PROJECT))


async def states(store: FullStore, key: str, environment: str = "") -> list[tuple[str, bool]]:
    found = await store.read(lambda tx: tx.flag_states(PROJECT, [key], environment))
    return [(each.environment, each.enabled) for each in found.get(key, ())]


async def changed(store: FullStore, since: int, after: str = "", limit: int = 10) -> Sequence[str] | None:
    """Keys of flags that changed in staging."""
    return await store.read(lambda tx: tx.flags_changed(PROJECT, ENVIRONMENT, since, after, limit))


async def pinned(store: FullStore, key: str) -> list[tuple[str, list[bool]]] | None:
    """Keys and states of what a session has pinned."""
    snapshot_id = await store.read(lambda tx: tx.snapshot_of(f"ses_{key}"))
    if snapshot_id is None:
        return None
    flags = await store.read(lambda tx: tx.pinned_flags(snapshot_id, "", 10))
    return [_told(each) for each in flags]


def _told(record: FlagRecord) -> tuple[str, list[bool]]:
    flag = record.read()
    assert flag.key == record.key
    return flag.key, [state.enabled for state in flag.states]


async def _put(tx: Transaction, flag: Flag) -> None:
    await tx.put_flag(PROJECT, flag)


class FlagsAndTheirSessions:
    """They are read as they were put, changes count, and they go with what they belong to."""

    async def test_a_flag_is_read_as_it_was_put_last(self, store: FullStore) -> None:
        await change(store, put_flag("a", name="old"), put_flag("a", name="new", source=TEAM))

        found = await store.read(lambda tx: tx.flag(PROJECT, "a"))

        assert found == Flag(key="a", name="new", managed_by=TEAM)
        assert await store.read(lambda tx: tx.flag("prj_other", "a")) is None

    async def test_states_are_no_part_of_a_flag(self, store: FullStore) -> None:
        flag = Flag(key="a", states=[FlagState(enabled=True)])
        await change(store, lambda tx: tx.put_flag(PROJECT, flag))

        assert await store.read(lambda tx: tx.flag(PROJECT, "a")) == Flag(key="a")

    async def test_flags_are_listed_searched_and_counted(self, store: FullStore) -> None:
        await change(store, put_flag("b", tags=["x"]), put_flag("a", name="Größe", tags=["x", "y"]), put_flag("c"))

        async def keys(query: FlagQuery, after: str = "", limit: int = 10) -> list[str]:
            return [each.key for each in await store.read(lambda tx: tx.flags(PROJECT, query, after, limit))]

        assert await keys(FlagQuery()) == ["a", "b", "c"]
        assert await keys(FlagQuery(), "a", 1) == ["b"]
        assert await keys(FlagQuery(search="GRÖSSE")) == ["a"]
        assert await keys(FlagQuery(tags=("x", "y"))) == ["a"]
        assert await keys(FlagQuery(tags=("x y",))) == []
        assert await store.read(lambda tx: tx.flag_count(PROJECT, FlagQuery(tags=("x",)))) == 2
        assert set(await store.read(lambda tx: tx.flags_named(PROJECT, ["a", "none"]))) == {"a"}

    async def test_states_are_read_by_environment(self, store: FullStore) -> None:
        await change(store, add_qa, put_flag("a"), put_state("a"), put_state("a", enabled=False, environment=QA))

        assert await states(store, "a") == [("qa", False), ("staging", True)]
        assert await states(store, "a", QA) == [("qa", False)]
        assert await store.read(lambda tx: tx.flag_state(ENVIRONMENT, "a")) == FlagState(enabled=True)
        assert await store.read(lambda tx: tx.flag_state(ENVIRONMENT, "b")) is None

    async def test_flags_of_an_environment_have_its_state_or_none(self, store: FullStore) -> None:
        await change(store, add_qa, put_flag("b"), put_flag("a"), put_state("a"), put_state("b", environment=QA))

        async def told(after: str = "", limit: int = 10) -> list[tuple[str, list[bool]]]:
            found = await store.read(lambda tx: tx.environment_flags(PROJECT, ENVIRONMENT, after, limit))
            return [_told(each) for each in found]

        one = await store.read(lambda tx: tx.environment_flag(PROJECT, ENVIRONMENT, "a"))
        assert one is not None
        assert [_told(one)] == await told(limit=1) == [("a", [True])]
        assert await told() == [("a", [True]), ("b", [])]
        assert await told("a") == [("b", [])]
        assert await told("b") == []
        assert await store.read(lambda tx: tx.environment_flag(PROJECT, ENVIRONMENT, "c")) is None

    async def test_of_long_flags_fewer_are_read_at_a_time_and_none_is_left_out(self, store: FullStore) -> None:
        long = [Flag(key=key, default_value=f'"{"x" * 60_000}"') for key in "abcd"]
        await change(store, *(partial(_put, flag=each) for each in long))
        pages, after = [], ""
        while page := await store.read(
            lambda tx, after=after: tx.environment_flags(PROJECT, ENVIRONMENT, after, 10)  # type: ignore[misc]
        ):
            pages.append([each.key for each in page])
            after = page[-1].key

        assert [key for page in pages for key in page] == ["a", "b", "c", "d"]
        assert len(pages) > 1

    async def test_what_changed_is_known_by_environment(self, store: FullStore) -> None:
        await change(store, add_qa, put_flag("a"), put_flag("b"), put_flag("c"))
        before = await version(store)
        await change(store, put_state("b"), put_state("c", environment=QA))
        between = await version(store)
        await change(store, put_flag("a"), lambda tx: tx.remove_flag(PROJECT, "b"))

        assert await changed(store, before) == ["a", "b"]
        assert await changed(store, between) == ["a", "b"]
        assert await changed(store, await version(store)) == []
        assert await changed(store, before, limit=1) == ["a"]
        assert await changed(store, before, after="a") == ["b"]

    async def test_what_changed_too_long_ago_is_not_known(self, store: FullStore) -> None:
        await change(store, put_flag("a"))
        before = await version(store)
        await change(store, put_flag("a"))
        await store.trim(0)

        assert await changed(store, before) is None
        assert await changed(store, await version(store)) == []

    async def test_every_change_of_flags_counts_and_moves_the_version(self, store: FullStore) -> None:
        seen, versions = [await version(store)], [await store.version()]
        for each in (put_flag("a"), put_state("a"), lambda tx: tx.remove_flag(PROJECT, "a")):
            await change(store, each)
            seen.append(await version(store))
            versions.append(await store.version())

        assert seen == sorted(set(seen))
        assert versions == sorted(set(versions))

    async def test_to_remove_what_is_not_there_is_no_change(self, store: FullStore) -> None:
        before = await store.version()

        await change(
            store,
            lambda tx: tx.remove_flag(PROJECT, "a"),
            lambda tx: tx.remove_project_session(PROJECT, "sess_1"),
            lambda tx: tx.unfreeze_session(session("a")),
        )

        assert await store.version() == before

    async def test_followers_take_flags_in_without_harm(self, store: FullStore) -> None:
        changes = await changes_of(store, put_flag("a"), put_state("a"), put_project_session("sess_1"))

        assert (changes.complete, changes.sessions, changes.mocks) == (False, {}, {})

    async def test_a_flag_that_is_gone_leaves_no_state(self, store: FullStore) -> None:
        await change(store, put_flag("a"), put_state("a"))
        await change(store, lambda tx: tx.remove_flag(PROJECT, "a"), put_flag("a"))

        assert await states(store, "a") == []

    async def test_states_and_snapshots_go_with_their_environment_and_flags_with_their_project(
        self, store: FullStore
    ) -> None:
        await change(
            store, put_flag("a"), put_state("a"), put_session("ci"), freeze("ci"), put_project_session("sess_1")
        )
        snapshot_id = await store.read(lambda tx: tx.snapshot_of("ses_ci"))
        assert snapshot_id is not None

        await change(store, lambda tx: tx.remove_environment(ENVIRONMENT))
        assert await states(store, "a") == []
        assert await store.read(lambda tx: tx.pinned_flags(snapshot_id, "", 10)) == []
        await change(store, lambda tx: tx.remove_project(PROJECT))

        assert await store.read(lambda tx: tx.flag(PROJECT, "a")) is None
        assert await store.read(lambda tx: tx.project_session(PROJECT, "sess_1")) is None

    async def test_what_a_session_pinned_stays_as_it_was(self, store: FullStore) -> None:
        await change(store, put_flag("a"), put_state("a"), put_session("ci"), freeze("ci"))
        await change(store, put_state("a", enabled=False), put_flag("b"))

        assert await pinned(store, "ci") == [("a", [True])]
        assert await pinned(store, "other") is None
        snapshot_id = await store.read(lambda tx: tx.snapshot_of("ses_ci"))
        assert snapshot_id is not None
        one, none = [
            await store.read(lambda tx, key=key: tx.pinned_flag(snapshot_id, key))  # type: ignore[misc]
            for key in ("a", "b")
        ]
        assert one is not None
        assert (_told(one), none) == (("a", [True]), None)

    async def test_sessions_that_pinned_the_same_share_it_until_the_last_lets_go(self, store: FullStore) -> None:
        await change(store, put_flag("a"), put_session("x"), put_session("y"), freeze("x"), freeze("y"))
        first = await store.read(lambda tx: tx.snapshot_of("ses_x"))
        assert first is not None
        assert first == await store.read(lambda tx: tx.snapshot_of("ses_y"))

        await change(store, lambda tx: tx.remove_session("ses_x"))
        assert await pinned(store, "y") == [("a", [])]
        await change(store, lambda tx: tx.unfreeze_session(session("y")))

        assert await store.read(lambda tx: tx.pinned_flags(first, "", 10)) == []

    async def test_to_freeze_again_pins_what_is_so_then(self, store: FullStore) -> None:
        await change(store, put_flag("a"), put_session("ci"), freeze("ci"))
        await change(store, freeze("ci"))
        assert await pinned(store, "ci") == [("a", [])]
        await change(store, put_state("a"), freeze("ci"))

        assert await pinned(store, "ci") == [("a", [True])]

    async def test_a_project_session_is_read_as_it_was_put_last(self, store: FullStore) -> None:
        await change(store, put_project_session("sess_1"), put_project_session("sess_1", expires_at_ms=5_000))

        found = await store.read(lambda tx: tx.project_session(PROJECT, "sess_1"))

        assert found is not None
        assert (found.project_id, found.message.id, found.message.token) == (PROJECT, "sess_1", "sess_1_x")
        assert found.message.expires_at == stamp(5_000)
        assert await store.read(lambda tx: tx.project_session("prj_other", "sess_1")) is None

    async def test_project_sessions_are_listed_newest_first_and_ended_ones_apart(self, store: FullStore) -> None:
        await change(store, *(put_project_session(f"sess_{n}", expires_at_ms=n * 1_000) for n in (1, 2, 3, 4)))

        async def ids(before: str = "", limit: int = 10) -> list[str]:
            found = await store.read(lambda tx: tx.project_sessions(PROJECT, before, limit, 1_000, 10_000))
            return [each.message.id for each in found]

        assert await ids() == ["sess_4", "sess_3", "sess_2"]
        assert await ids("sess_4", 1) == ["sess_3"]
        assert await store.read(lambda tx: tx.ended_project_sessions(2_000, 10)) == [
            (PROJECT, "sess_1"),
            (PROJECT, "sess_2"),
        ]

    async def test_as_many_project_sessions_are_read_as_fit_but_one_at_least(self, store: FullStore) -> None:
        await change(store, *(put_project_session(f"sess_{n}") for n in (1, 2, 3)))
        (one,) = await store.read(lambda tx: tx.project_sessions(PROJECT, "", 1, 1_000, 10_000))
        # What is kept of it leaves the place out.
        length = one.message.ByteSize()

        async def count(bytes_max: int) -> int:
            return len(await store.read(lambda tx: tx.project_sessions(PROJECT, "", 10, 1_000, bytes_max)))

        assert [await count(each) for each in (0, length, 2 * length - 1, 2 * length, 10_000)] == [1, 1, 1, 2, 3]

    async def test_project_sessions_are_counted_all_or_those_that_live(self, store: FullStore) -> None:
        await change(store, *(put_project_session(f"sess_{n}", expires_at_ms=n * 1_000) for n in (1, 2, 3)))

        assert await store.read(lambda tx: tx.project_session_count(PROJECT)) == 3
        assert await store.read(lambda tx: tx.project_session_count(PROJECT, 1_000)) == 2
        assert await store.read(lambda tx: tx.project_session_count("prj_other")) == 0

    async def test_the_project_of_a_session_is_found_by_its_id(self, store: FullStore) -> None:
        await change(
            store,
            lambda tx: tx.put_project(records.project("prj_0", "zoo")),
            put_project_session("sess_1"),
            put_project_session("sess_2", project="prj_0"),
        )

        async def slug(session_id: str) -> str:
            found = await store.read(lambda tx: tx.project_of_session(session_id))
            return found.message.slug if found else ""

        assert [await slug(each) for each in ("sess_1", "sess_2", "sess_3")] == ["checkout", "zoo", ""]

    async def test_a_source_knows_the_flags_that_it_declares(self, store: FullStore) -> None:
        await change(store, put_flag("a", source=TEAM), put_flag("b"))

        assert await store.read(lambda tx: tx.places_of(TEAM)) == [(PROJECT, "")]
        assert await store.read(lambda tx: tx.manager_within(PROJECT)) == TEAM
        assert await store.read(lambda tx: tx.manager_within(PROJECT, ENVIRONMENT)) == ""
        assert await store.write(lambda tx: tx.release_source(TEAM)) == 1
        found = await store.read(lambda tx: tx.flag(PROJECT, "a"))
        assert found is not None
        assert found.managed_by == ""
