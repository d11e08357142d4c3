"""Files that mocks answer with: names, types, limits, and who may not go yet."""

import hashlib

import pytest
from google.api.httpbody_pb2 import HttpBody
from support.desk import Desk
from understudy.options.v1.options_pb2 import ROLE_EDITOR
from understudy.v1 import file_service_pb2 as pb
from understudy.v1 import session_mock_service_pb2 as session_mocks
from understudy.v1.actions_pb2 import Action, Respond
from understudy.v1.file_service_pb2 import File
from understudy.v1.mock_service_pb2 import CreateMockRequest, Mock
from understudy.v1.project_service_pb2 import DeleteEnvironmentRequest, DeleteEnvironmentResponse
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy_server.app import files
from understudy_server.app.times import milliseconds

ANSWERS = Action(respond=Respond(file="a.txt"))


def put_request(name: str = "a.txt", data: bytes = b"abc", content_type: str = "text/plain") -> pb.PutFileRequest:
    return pb.PutFileRequest(name=name, content=HttpBody(content_type=content_type, data=data))


async def put(desk: Desk, name: str = "a.txt", data: bytes = b"abc", content_type: str = "text/plain") -> File:
    answer = await desk.call("FileService.PutFile", put_request(name, data, content_type), pb.PutFileResponse)
    return answer.file


async def content(desk: Desk, name: str = "a.txt") -> HttpBody:
    return (await desk.call("FileService.GetFile", pb.GetFileRequest(name=name), pb.GetFileResponse)).content


async def names(desk: Desk, search: str = "") -> list[str]:
    found = await desk.call("FileService.ListFiles", pb.ListFilesRequest(search=search), pb.ListFilesResponse)
    return [each.name for each in found.files]


async def delete(desk: Desk, name: str = "a.txt") -> str:
    return await desk.code("FileService.DeleteFile", pb.DeleteFileRequest(name=name))


async def test_a_file_is_described_and_read_as_it_was_put(desk: Desk) -> None:
    file = await put(desk, "reports/may.pdf", b"\0\xff", "application/pdf")

    assert (file.name, file.content_type, file.size_bytes) == ("reports/may.pdf", "application/pdf", 2)
    assert file.sha256 == hashlib.sha256(b"\0\xff").hexdigest()
    assert milliseconds(file.updated_at) == desk.world.clock.now_ms
    assert await content(desk, "reports/may.pdf") == HttpBody(content_type="application/pdf", data=b"\0\xff")


async def test_a_file_takes_the_place_of_one_of_its_name(desk: Desk) -> None:
    await put(desk)
    await put(desk, data=b"", content_type="")
    assert await content(desk) == HttpBody(content_type="application/octet-stream", data=b"")
    assert await names(desk) == ["a.txt"]


async def test_files_are_listed_in_order_and_searched_in_one_environment(desk: Desk) -> None:
    for name in ("b", "A", "b/c"):
        await put(desk, name)
    await put(Desk(desk.world, environment="qa"), "other")
    assert await names(desk) == ["A", "b", "b/c"]
    assert await names(desk, "B") == ["b", "b/c"]


@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "a//b", ".a", "a/.b", "..", "a/../b", "a b", "ä", "a\n", "a" * 201, "a\\b"]
)
async def test_a_name_of_another_form_is_refused(desk: Desk, name: str) -> None:
    problem = await desk.refused("FileService.PutFile", put_request(name))
    assert (problem.reason, problem.field) == ("invalid_field", "name")


@pytest.mark.parametrize("name", ["a", "A-b_c.1", "a/b/c.tar.gz", "-", "a..b", "a" * 200])
async def test_a_name_of_the_form_is_taken(desk: Desk, name: str) -> None:
    assert (await put(desk, name)).name == name


@pytest.mark.parametrize("given", ["text/plain\r\nx: y", "text/ä", "a" * 201, "a\0b", "\tx\ty"])
async def test_a_type_that_no_header_can_hold_is_refused(desk: Desk, given: str) -> None:
    problem = await desk.refused("FileService.PutFile", put_request(content_type=given))
    assert (problem.reason, problem.field) == ("invalid_field", "content.content_type")


async def test_a_type_is_kept_without_white_space_around_it(desk: Desk) -> None:
    assert (await put(desk, content_type=" text/html; charset=utf-8 ")).content_type == "text/html; charset=utf-8"


async def test_a_file_has_so_many_bytes_at_most(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FILE_BYTES_MAX", 10)
    await put(desk, data=b"x" * 10)
    problem = await desk.refused("FileService.PutFile", put_request(data=b"x" * 11))
    assert (problem.reason, problem.field) == ("invalid_field", "content")


async def test_an_environment_has_so_many_files_at_most(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FILES_MAX", 2)
    await put(desk, "a")
    await put(desk, "b")
    assert await desk.code("FileService.PutFile", put_request("c")) == "files_full"
    await put(desk, "b", b"new")
    await put(Desk(desk.world, environment="qa"), "c")


async def test_files_have_so_many_bytes_together_at_most(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FILES_BYTES_MAX", 10)
    await put(desk, "a", b"x" * 6)
    await put(desk, "b", b"x" * 4)
    assert await desk.code("FileService.PutFile", put_request("c", b"x")) == "files_full"
    assert await desk.code("FileService.PutFile", put_request("b", b"x" * 5)) == "files_full"
    await put(desk, "b", b"x" * 3)
    await put(desk, "c", b"x")


async def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    assert await desk.code("FileService.GetFile", pb.GetFileRequest(name="a")) == "not_found"
    assert await delete(desk, "a") == "not_found"


async def test_a_file_goes_when_nobody_answers_with_it(desk: Desk) -> None:
    await put(desk)
    await desk.create(Mock(id="ovr_a", name="a", action=ANSWERS))

    problem = await desk.refused("FileService.DeleteFile", pb.DeleteFileRequest(name="a.txt"))
    assert (problem.reason, problem.field) == ("file_in_use", "name")
    assert problem.summary == "'ovr_a' answers with the file 'a.txt'"

    await desk.delete_mock("ovr_a")
    assert (await delete(desk), await names(desk)) == ("", [])


async def test_a_file_that_sessions_answer_with_stays_as_long_as_they_do(desk: Desk) -> None:
    await put(desk)
    await desk.put(PutSessionRequest(ttl_seconds=1))
    request = session_mocks.PutSessionMockRequest(session_key="ci-42", mock_id="ovr_own")
    request.mock.action.CopyFrom(ANSWERS)
    await desk.call("SessionMockService.PutSessionMock", request, session_mocks.PutSessionMockResponse)

    problem = await desk.refused("FileService.DeleteFile", pb.DeleteFileRequest(name="a.txt"))
    assert problem.summary == "'ovr_own' of session 'ci-42' answers with the file 'a.txt'"
    desk.world.clock.advance(1)
    assert await delete(desk) == ""


async def test_drafts_of_others_keep_a_file_and_are_not_named(desk: Desk) -> None:
    await put(desk)
    await desk.create(Mock(id="ovr_secret", name="a", action=ANSWERS))
    editor = desk.of(await desk.world.make_key(ROLE_EDITOR))
    request = pb.DeleteFileRequest(name="a.txt")

    assert (await editor.refused("FileService.DeleteFile", request)).summary == (
        "a draft that is not yours answers with the file 'a.txt'"
    )
    for number in range(4):
        await editor.create(Mock(id=f"ovr_{number}", name="a", action=ANSWERS))
    assert (await editor.refused("FileService.DeleteFile", request)).summary == (
        "'ovr_0', 'ovr_1', 'ovr_2', 2 other mocks answer with the file 'a.txt'"
    )


async def test_a_mock_names_a_file_that_is_there(desk: Desk) -> None:
    await put(Desk(desk.world, environment="qa"))
    request = Mock(id="ovr_a", name="a", action=ANSWERS)
    problem = await desk.refused("MockService.CreateMock", CreateMockRequest(mock=request))
    assert (problem.reason, problem.field) == ("invalid_field", "mock.action.respond.file")
    await put(desk)
    await desk.create(request)


async def test_an_environment_with_files_goes_when_it_is_forced(desk: Desk) -> None:
    await put(desk)
    rpc = "ProjectService.DeleteEnvironment"
    assert await desk.code(rpc, DeleteEnvironmentRequest()) == "not_empty"
    await desk.call(rpc, DeleteEnvironmentRequest(force=True), DeleteEnvironmentResponse)
    assert (await desk.world.store.load_since(0)).files == {}
