"""Files that mocks answer with."""

import hashlib
from collections.abc import Sequence
from typing import Final

from google.api.httpbody_pb2 import HttpBody
from understudy.v1 import file_service_pb2 as pb
from understudy.v1.file_service_pb2 import File
from understudy.v1.mock_service_pb2 import Mock

from understudy_server.app.call import Call
from understudy_server.app.mocks import may_see
from understudy_server.app.ports import FileRecord, Transaction
from understudy_server.app.times import stamp
from understudy_server.core.errors import Conflict, Fault, InvalidInput, NotFound

FILE_BYTES_MAX: Final = 8 * 1024 * 1024
FILES_MAX: Final = 1000
FILES_BYTES_MAX: Final = 64 * 1024 * 1024
"""An environment's files have together at most so many bytes."""

_TYPE_DEFAULT = "application/octet-stream"
_TYPE_LENGTH_MAX = 200
_USERS_SHOWN = 3


async def put_file(tx: Transaction, call: Call, request: pb.PutFileRequest) -> pb.PutFileResponse:
    """Put a file, in place of one of its name. Raises InvalidInput, and Conflict (files_full)."""
    content, environment_id = request.content.data, call.place.environment_id
    if len(content) > FILE_BYTES_MAX:
        fault = Fault("content", "max_length", str(FILE_BYTES_MAX), str(len(content)))
        raise InvalidInput(f"a file has at most {FILE_BYTES_MAX} bytes", fault)
    others = await tx.file_use(environment_id, request.name)
    if others.files >= FILES_MAX or others.size_bytes + len(content) > FILES_BYTES_MAX:
        most = f"{FILES_MAX} files of {FILES_BYTES_MAX} bytes together"
        raise Conflict("files_full", f"an environment has at most {most}; remove some first")
    file = File(
        name=request.name,
        content_type=_content_type(request.content.content_type),
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        updated_at=stamp(call.now_ms),
    )
    await tx.put_file(environment_id, FileRecord(file, content))
    return pb.PutFileResponse(file=file)


async def get_file(tx: Transaction, call: Call, request: pb.GetFileRequest) -> pb.GetFileResponse:
    """Read what a file holds. Raises NotFound."""
    record = await _existing(tx, call, request.name)
    return pb.GetFileResponse(content=HttpBody(content_type=record.message.content_type, data=record.content))


async def list_files(tx: Transaction, call: Call, request: pb.ListFilesRequest) -> pb.ListFilesResponse:
    """List files in the order of their names."""
    return pb.ListFilesResponse(files=await tx.files(call.place.environment_id, request.search))


async def delete_file(tx: Transaction, call: Call, request: pb.DeleteFileRequest) -> pb.DeleteFileResponse:
    """Remove a file. Raises NotFound, and Conflict (file_in_use)."""
    record = await _existing(tx, call, request.name)
    users = await tx.file_users(call.place.environment_id, record.message.name, call.now_ms)
    if users:
        fault = Fault("name", "in_use", given=record.message.name)
        raise Conflict("file_in_use", f"{_named(call, users)} with the file {record.message.name!r}", fault)
    await tx.remove_file(call.place.environment_id, record.message.name)
    return pb.DeleteFileResponse()


async def _existing(tx: Transaction, call: Call, name: str) -> FileRecord:
    record = await tx.file(call.place.environment_id, name)
    if record is None:
        raise NotFound(f"there is no file {name[:200]!r} in {call.place.project}/{call.place.environment}")
    return record


def _named(call: Call, users: Sequence[Mock]) -> str:
    """Who answers, in words; drafts that are somebody else's are not named."""
    shown = [mock for mock in users if may_see(call.caller, mock)][:_USERS_SHOWN]
    more = len(users) - len(shown)
    words = [f"{mock.id!r} of session {mock.session!r}" if mock.session else repr(mock.id) for mock in shown]
    if more:
        words.append(f"{more} {'other mock' if more == 1 else 'other mocks'}" if shown else "a draft that is not yours")
    return f"{', '.join(words)} {'answers' if len(users) == 1 else 'answer'}"


def _content_type(given: str) -> str:
    """A content type as it goes into a header. Raises InvalidInput for what no header may hold."""
    plain = given.strip()
    if len(plain) > _TYPE_LENGTH_MAX or not all(" " <= letter <= "~" for letter in plain):
        fault = Fault("content.content_type", "pattern", given=plain[:100])
        raise InvalidInput("a content type is visible ASCII, at most 200 characters", fault)
    return plain or _TYPE_DEFAULT
