"""Files that mocks answer with."""

from understudy.v1 import file_service_pb2 as pb

from understudy_server.app.call import Call
from understudy_server.app.ports import Transaction


async def put_file(tx: Transaction, call: Call, request: pb.PutFileRequest) -> pb.PutFileResponse:
    """Stub."""
    raise NotImplementedError


async def get_file(tx: Transaction, call: Call, request: pb.GetFileRequest) -> pb.GetFileResponse:
    """Stub."""
    raise NotImplementedError


async def list_files(tx: Transaction, call: Call, request: pb.ListFilesRequest) -> pb.ListFilesResponse:
    """Stub."""
    raise NotImplementedError


async def delete_file(tx: Transaction, call: Call, request: pb.DeleteFileRequest) -> pb.DeleteFileResponse:
    """Stub."""
    raise NotImplementedError
