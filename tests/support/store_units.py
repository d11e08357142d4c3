"""What every store must do with a unit of work, alone and beside others, and over a restart."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from support import records
from support.mirror import full
from support.records import ENVIRONMENT, PROJECT
from support.store_steps import FullStore, Opener, Refused, change, fail, furnish, put_mock, put_scenario, put_session
from understudy.v1.flags_pb2 import Flag, FlagRule, FlagState
from understudy_server.app.ports import MockQuery, SessionQuery, Transaction


class UnitsOfWork:
    """Whole or nothing, acknowledged means visible, and nothing is forgotten."""

    async def test_a_unit_reads_its_own_writes(self, store: FullStore) -> None:
        async def work(tx: Transaction) -> object:
            await tx.put_session(records.session("ses_1", "ci-42"))
            return await tx.session(ENVIRONMENT, "ci-42")

        assert await store.write(work) == records.session("ses_1", "ci-42")

    async def test_an_acknowledged_write_is_read(self, store: FullStore) -> None:
        await change(store, put_session("ci-42"))

        assert await store.read(lambda tx: tx.session(ENVIRONMENT, "ci-42")) is not None

    async def test_what_was_read_before_a_write_is_read_anew_after_it(self, store: FullStore) -> None:
        assert await store.read(lambda tx: tx.session(ENVIRONMENT, "ci-42")) is None

        await change(store, put_session("ci-42"))

        assert await store.read(lambda tx: tx.session(ENVIRONMENT, "ci-42")) is not None

    async def test_a_unit_that_raises_leaves_nothing(self, store: FullStore) -> None:
        before = await full(store)

        with pytest.raises(Refused):
            await change(store, put_mock("ovr_a"), put_session("ci-42", "ovr_a"), fail)

        assert await full(store) == before

    async def test_a_unit_that_raises_does_not_move_the_version(self, store: FullStore) -> None:
        before = await store.version()

        with pytest.raises(Refused):
            await change(store, put_mock("ovr_a"), fail)

        assert await store.version() == before

    async def test_what_a_unit_returns_is_handed_back(self, store: FullStore) -> None:
        assert await store.write(lambda tx: tx.plan()) == await store.read(lambda tx: tx.plan())

    async def test_reading_raises_what_the_work_raises(self, store: FullStore) -> None:
        with pytest.raises(Refused):
            await store.read(fail)

    async def test_a_read_that_failed_does_not_hurt_the_next(self, store: FullStore) -> None:
        async def fail(tx: Transaction) -> None:
            await tx.plan()
            raise Refused

        with pytest.raises(Refused):
            await store.read(fail)

        assert await store.read(lambda tx: tx.project("checkout")) == records.project()

    async def test_what_may_be_asked_when_reading_may_be_asked_when_writing(self, store: FullStore) -> None:
        await change(store, put_mock("ovr_a", name="Größe"))

        found = await store.write(lambda tx: tx.mocks(ENVIRONMENT, MockQuery(search="GRÖSSE"), "", 10))

        assert [each.id for each in found] == ["ovr_a"]

    async def test_writes_side_by_side_all_land(self, store: FullStore) -> None:
        await asyncio.gather(*(change(store, put_session(f"ci-{number:03}")) for number in range(300)))

        found = await store.read(lambda tx: tx.sessions(ENVIRONMENT, SessionQuery(), "", 1_000))
        assert [each.message.session_key for each in found] == [f"ci-{number:03}" for number in range(300)]

    async def test_writes_side_by_side_each_move_the_version(self, store: FullStore) -> None:
        before = await store.version()

        await asyncio.gather(*(change(store, put_session(f"ci-{number}")) for number in range(20)))

        assert await store.version() == before + 20

    async def test_a_write_sees_the_ones_given_before_it(self, store: FullStore) -> None:
        async def count(tx: Transaction) -> int:
            found = len(await tx.sessions(ENVIRONMENT, SessionQuery(), "", 1_000))
            await tx.put_session(records.session(f"ses_{found}", f"ci-{found}"))
            return found

        assert await asyncio.gather(*(store.write(count) for _ in range(50))) == list(range(50))

    async def test_a_failing_neighbour_does_not_hurt_the_others(self, store: FullStore) -> None:
        outcomes = await asyncio.gather(
            *(change(store, put_session(f"ci-{number}"), *([fail] if number % 3 == 0 else [])) for number in range(30)),
            return_exceptions=True,
        )

        failed = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, Refused)]
        found = {each.key for each in (await full(store)).sessions.values()}
        assert failed == list(range(0, 30, 3))
        assert found == {f"ci-{number}" for number in range(30) if number % 3}

    async def test_a_write_goes_on_when_its_waiter_is_cancelled(self, store: FullStore) -> None:
        waiter = asyncio.ensure_future(change(store, put_session("ci-42")))
        await asyncio.sleep(0)
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)

        await change(store, put_session("ci-43"))

        assert await store.read(lambda tx: tx.session(ENVIRONMENT, "ci-42")) is not None

    async def test_what_was_put_is_read_back_whole(self, store: FullStore) -> None:
        put = records.session("ses_1", "ci-42", overrides=("ovr_b", "ovr_a"), scenario_id="scn_a", expires_at_ms=9_999)
        await change(store, put_mock("ovr_a"), put_mock("ovr_b"), put_scenario("scn_a", "ovr_b", "ovr_a"))
        await change(store, lambda tx: tx.put_session(put))

        assert await store.read(lambda tx: tx.session(ENVIRONMENT, "ci-42")) == put
        scenario = await store.read(lambda tx: tx.scenario_by_url_id(ENVIRONMENT, "scn_a"))
        assert scenario == records.scenario("scn_a", ("ovr_b", "ovr_a"))

    async def test_the_same_ids_in_two_environments_are_two_things(self, store: FullStore) -> None:
        await change(store, lambda tx: tx.put_environment(records.environment("env_2", "test")), put_mock("ovr_a"))
        await change(store, lambda tx: tx.put_mock("env_2", records.mock("ovr_a", name="other")))

        await change(store, lambda tx: tx.remove_mock(ENVIRONMENT, "ovr_a"))

        assert await store.read(lambda tx: tx.mock("env_2", "ovr_a")) == records.mock("ovr_a", name="other")

    async def test_a_key_passes_from_one_session_to_another_in_one_unit(self, store: FullStore) -> None:
        await change(store, put_session("ci-42"))

        await change(
            store,
            lambda tx: tx.remove_session("ses_ci-42"),
            lambda tx: tx.put_session(records.session("ses_new", "ci-42")),
        )

        assert set((await full(store)).sessions) == {"ses_new"}

    async def test_hosts_are_read_back_in_their_order(self, store: FullStore) -> None:
        await change(store, lambda tx: tx.put_environment(records.environment(hosts=("b.test", "a.test"))))

        found = await store.read(lambda tx: tx.environment_by_id(ENVIRONMENT))
        assert found is not None
        assert found.message.hosts == ["b.test", "a.test"]

    async def test_an_environment_is_found_by_each_of_its_hosts(self, store: FullStore) -> None:
        put = records.environment(hosts=("a.test", "b.test"))
        await change(store, lambda tx: tx.put_environment(put))

        for host in put.message.hosts:
            assert await store.read(partial(_environment_at, host=host)) == ENVIRONMENT
        assert await store.read(lambda tx: tx.environment_by_host("c.test")) is None

    async def test_a_host_that_was_taken_away_finds_nothing(self, store: FullStore) -> None:
        await change(store, lambda tx: tx.put_environment(records.environment(hosts=("a.test",))))

        await change(store, lambda tx: tx.put_environment(records.environment()))

        assert await store.read(lambda tx: tx.environment_by_host("a.test")) is None

    async def test_a_host_of_a_removed_environment_is_free(self, store: FullStore) -> None:
        await change(store, lambda tx: tx.put_environment(records.environment(hosts=("a.test",))))

        await change(
            store,
            lambda tx: tx.remove_environment(ENVIRONMENT),
            lambda tx: tx.put_environment(records.environment("env_2", "test", hosts=("a.test",))),
        )

        found = await store.read(lambda tx: tx.environment_by_host("a.test"))
        assert found is not None
        assert found.id == "env_2"

    async def test_an_environment_is_empty_until_something_is_in_it(self, store: FullStore) -> None:
        assert await store.read(lambda tx: tx.is_empty(ENVIRONMENT, 0))

        await change(store, put_scenario("scn_a"))

        assert not await store.read(lambda tx: tx.is_empty(ENVIRONMENT, 0))

    @pytest.mark.parametrize(
        ("state", "is_empty"),
        [
            (FlagState(enabled=False), True),
            (FlagState(enabled=True), False),
            (FlagState(enabled=False, value="1"), False),
            (FlagState(enabled=False, rollout_percentage=0), False),
            (FlagState(enabled=False, rules=[FlagRule(id="rule_a")]), False),
        ],
        ids=("off", "on", "with a value", "with a rollout", "with a rule"),
    )
    async def test_an_environment_is_empty_while_all_flags_are_as_if_never_set(
        self, store: FullStore, state: FlagState, is_empty: bool
    ) -> None:
        await change(
            store,
            lambda tx: tx.put_flag(PROJECT, Flag(id="flag_a", key="a")),
            lambda tx: tx.put_flag_state(PROJECT, ENVIRONMENT, "a", state),
        )

        assert await store.read(lambda tx: tx.is_empty(ENVIRONMENT, 0)) is is_empty

    async def test_everything_is_there_after_it_was_opened_again(self, open_store: Opener, tmp_path: Path) -> None:
        first = await open_store(tmp_path / "data")
        await furnish(first)
        await change(first, put_mock("ovr_a"), put_scenario("scn_a", "ovr_a"), put_session("ci-42", "ovr_a"))
        before = await full(first)
        await first.close()

        second = await open_store(tmp_path / "data")
        try:
            assert await full(second) == before
            assert await second.version() == before.version
        finally:
            await second.close()

    async def test_what_changed_is_known_after_it_was_opened_again(self, open_store: Opener, tmp_path: Path) -> None:
        first = await open_store(tmp_path / "data")
        await furnish(first)
        before = await first.version()
        await change(first, put_session("ci-42"))
        await first.close()

        second = await open_store(tmp_path / "data")
        try:
            assert set((await second.load_since(before)).sessions) == {"ses_ci-42"}
        finally:
            await second.close()

    async def test_a_new_store_is_at_a_version_above_nothing(self, open_store: Opener, tmp_path: Path) -> None:
        store = await open_store(tmp_path / "data")
        try:
            assert await store.version() > 0
        finally:
            await store.close()

    async def test_writes_given_before_the_close_are_finished(self, open_store: Opener, tmp_path: Path) -> None:
        first = await open_store(tmp_path / "data")
        await furnish(first)
        writes = [asyncio.ensure_future(change(first, put_session(f"ci-{number}"))) for number in range(20)]
        await asyncio.sleep(0)
        await first.close()
        await asyncio.gather(*writes)

        second = await open_store(tmp_path / "data")
        try:
            assert len((await full(second)).sessions) == 20
        finally:
            await second.close()


async def _environment_at(tx: Transaction, host: str) -> str:
    """The id of the environment that has a host."""
    found = await tx.environment_by_host(host)
    assert found is not None
    return found.id
