"""What every store must do with the files of environments, and with the mocks that sessions own."""

from collections.abc import Sequence

from support import records
from support.mirror import Mirror, full
from support.records import ENVIRONMENT
from support.store_steps import Change, FullStore, change, changes_of, put_mock, put_session
from understudy.v1.file_service_pb2 import File
from understudy.v1.mock_service_pb2 import Mock
from understudy_server.app.ports import FileRecord, FileUse, SessionRecord, Transaction
from understudy_server.core.responding.files import FileContent

OWNER = records.session("ses_1", "ci-1")
OTHER = records.session("ses_2", "ci-2")


def put_file(name: str, content: bytes = b"abc", kind: str = "text/plain", environment: str = ENVIRONMENT) -> Change:
    record = FileRecord(File(name=name, content_type=kind, size_bytes=len(content)), content)
    return lambda tx: tx.put_file(environment, record)


def answering(mock_id: str, file: str) -> Mock:
    mock = records.mock(mock_id)
    mock.action.respond.file = file
    return mock


def own(mock: Mock, session: SessionRecord = OWNER) -> Change:
    return lambda tx: tx.put_session_mock(session, mock)


def put_record(session: SessionRecord) -> Change:
    return lambda tx: tx.put_session(session)


class FilesAndOwnMocks:
    """They are read as they were put, followers hear of them, and they go with what they belong to."""

    async def test_a_file_is_read_as_it_was_put_last(self, store: FullStore) -> None:
        await change(store, put_file("a/b.txt", b"old"), put_file("a/b.txt", b"\0new", "image/png"))

        found = await store.read(lambda tx: tx.file(ENVIRONMENT, "a/b.txt"))

        assert found == FileRecord(File(name="a/b.txt", content_type="image/png", size_bytes=4), b"\0new")
        assert await store.read(lambda tx: tx.file(ENVIRONMENT, "a")) is None
        assert await store.read(lambda tx: tx.file("env_other", "a/b.txt")) is None

    async def test_files_are_listed_in_the_order_of_their_names_and_searched(self, store: FullStore) -> None:
        await change(store, put_file("b"), put_file("Report"), put_file("a%b"))

        async def names(tx: Transaction, search: str) -> Sequence[str]:
            return [file.name for file in await tx.files(ENVIRONMENT, search)]

        assert await store.read(lambda tx: names(tx, "")) == ["Report", "a%b", "b"]
        assert await store.read(lambda tx: names(tx, "rePO")) == ["Report"]
        assert await store.read(lambda tx: names(tx, "%")) == ["a%b"]
        assert await store.read(lambda tx: tx.file_names(ENVIRONMENT)) == {"b", "Report", "a%b"}

    async def test_what_files_come_to_is_told_without_one(self, store: FullStore) -> None:
        await change(store, put_file("a", b"12345"), put_file("b", b""), put_file("c", b"1"))

        assert await store.read(lambda tx: tx.file_use(ENVIRONMENT, "")) == FileUse(3, 6)
        assert await store.read(lambda tx: tx.file_use(ENVIRONMENT, "a")) == FileUse(2, 1)
        assert await store.read(lambda tx: tx.file_use("env_other", "a")) == FileUse()

    async def test_followers_hear_of_a_file_and_that_it_is_gone(self, store: FullStore) -> None:
        put = await changes_of(store, put_file("a", b"1"))
        gone = await changes_of(store, lambda tx: tx.remove_file(ENVIRONMENT, "a"))

        assert put.files == {(ENVIRONMENT, "a"): FileContent(b"1", "text/plain")}
        assert gone.files == {(ENVIRONMENT, "a"): None}
        assert await full(store) == Mirror(gone.version, environments=(await full(store)).environments)

    async def test_to_remove_a_file_that_is_not_there_is_no_change(self, store: FullStore) -> None:
        before = await store.version()

        await change(store, lambda tx: tx.remove_file(ENVIRONMENT, "none"))

        assert await store.version() == before

    async def test_whoever_answers_with_a_file_is_found(self, store: FullStore) -> None:
        ended = records.session("ses_3", "ci-3", expires_at_ms=5)
        in_turn = records.mock("ovr_turns")
        in_turn.action.sequence.steps.add().respond.file = "a"
        await change(
            store, put_file("a"), put_record(OWNER), put_record(ended), put_mock("ovr_none"),
            lambda tx: tx.put_mocks(ENVIRONMENT, [answering("ovr_b", "a"), in_turn, answering("ovr_c", "aa")]),
            own(answering("ovr_own", "a")), own(answering("ovr_ended", "a"), ended),
        )  # fmt: skip

        async def users(tx: Transaction) -> list[tuple[str, str]]:
            return [(mock.id, mock.session) for mock in await tx.file_users(ENVIRONMENT, "a", 5)]

        assert await store.read(users) == [("ovr_b", ""), ("ovr_turns", ""), ("ovr_own", "ci-1")]

    async def test_an_environment_with_a_file_is_not_empty(self, store: FullStore) -> None:
        assert await store.read(lambda tx: tx.is_empty(ENVIRONMENT, 1))

        await change(store, put_file("a"))

        assert not await store.read(lambda tx: tx.is_empty(ENVIRONMENT, 1))

    async def test_a_removed_environment_takes_files_and_what_sessions_own_with_it(self, store: FullStore) -> None:
        other = records.environment("env_other", "other")
        await change(
            store, lambda tx: tx.put_environment(other), put_file("kept", environment="env_other"),
            put_file("a"), put_record(OWNER), own(records.mock("ovr_own")),
        )  # fmt: skip
        mirror = await full(store)

        await change(store, lambda tx: tx.remove_environment(ENVIRONMENT))

        await mirror.catch_up(store)
        assert await full(store) == mirror
        assert (mirror.session_mocks, set(mirror.files)) == ({}, {("env_other", "kept")})
        assert await store.read(lambda tx: tx.file_names(ENVIRONMENT)) == set()
        assert await store.read(lambda tx: tx.session_mocks("ses_1")) == []

    async def test_what_a_session_owns_is_read_in_the_order_of_ids(self, store: FullStore) -> None:
        await change(
            store, put_record(OWNER), put_record(OTHER), own(records.mock("ovr_b")), own(records.mock("ovr_a"))
        )
        await change(store, own(records.mock("ovr_b", path="/new")), own(records.mock("ovr_a"), OTHER))

        found = await store.read(lambda tx: tx.session_mocks("ses_1"))

        assert [(mock.id, mock.matcher.path, mock.active) for mock in found] == [
            ("ovr_a", "/pay", True),
            ("ovr_b", "/new", True),
        ]
        assert await store.read(lambda tx: tx.session_mock("ses_1", "ovr_a")) == found[0]
        assert await store.read(lambda tx: tx.session_mock("ses_2", "ovr_b")) is None
        assert await store.read(lambda tx: tx.session_mock_count("ses_1")) == 2
        assert await store.read(lambda tx: tx.session_mock_count("ses_none")) == 0

    async def test_followers_hear_of_it_in_the_order_of_making(self, store: FullStore) -> None:
        await change(store, put_record(OWNER))

        changes = await changes_of(store, *(own(records.mock(f"ovr_{name}")) for name in "cab"))

        assert list(changes.session_mocks) == [("ses_1", f"ovr_{name}") for name in "cab"]
        assert list((await full(store)).session_mocks) == list(changes.session_mocks)

    async def test_followers_hear_what_is_gone(self, store: FullStore) -> None:
        await change(store, put_record(OWNER), own(records.mock("ovr_a")), own(records.mock("ovr_b")))
        mirror = await full(store)

        await change(store, lambda tx: tx.remove_session_mocks(OWNER, ["ovr_a"]))

        changes = await mirror.catch_up(store)
        assert changes.session_mocks == {("ses_1", "ovr_a"): None}
        assert mirror == await full(store)
        assert set(mirror.session_mocks) == {("ses_1", "ovr_b")}

    async def test_what_a_session_owned_does_not_come_back_with_its_key(self, store: FullStore) -> None:
        await change(store, put_session("ci-1"), own(records.mock("ovr_a"), records.session("ses_ci-1", "ci-1")))
        mirror = await full(store)

        await change(store, lambda tx: tx.remove_session("ses_ci-1"), put_record(records.session("ses_new", "ci-1")))

        await mirror.catch_up(store)
        assert mirror.session_mocks == {} == (await full(store)).session_mocks
        assert await store.read(lambda tx: tx.session_mocks("ses_new")) == []
