"""``understudy file``: files that mocks answer with."""

import mimetypes
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy_server.cli import completing
from understudy_server.cli.command import Desk, command
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.flag_names import naming

if TYPE_CHECKING:
    from understudy.v1.file_service_pb2 import File

app = typer.Typer()

_Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="Name of the file, such as reports/may.pdf.",
        show_default=False,
        autocompletion=completing.files,
    ),
]


@command(app, "list")
async def list_files(
    desk: Desk, *, search: Annotated[str, typer.Option(help="Only names that contain this text.")] = ""
) -> None:
    """List the files of an environment in the order of their names."""
    from understudy.v1.file_service_pb2 import ListFilesRequest, ListFilesResponse

    from understudy_server.cli.output import print_json, print_table, short_moment

    answer = await desk.call(ListFilesRequest(search=search), ListFilesResponse)
    if desk.as_json:
        print_json(answer)
        return
    rows = (
        (each.name, each.content_type, f"{each.size_bytes}", short_moment(each.updated_at, known=True))
        for each in answer.files
    )
    none = "No such files." if search else "No files. `understudy file put NAME FILE` puts one."
    print_table(("NAME", "TYPE", "BYTES", "CHANGED"), rows, empty=none)


@command(app, "put")
async def put(
    desk: Desk,
    name: _Name,
    source: Annotated[
        str, typer.Argument(metavar="FILE", help="The file to read; - is the standard input.", show_default=False)
    ],
    *,
    content_type: Annotated[str, typer.Option("--type", help="Content type.  \\[default: by the name]")] = "",
) -> None:
    """Put a file, in place of one of the same name. Mocks that answer with it do so with the new one at once."""
    from google.api.httpbody_pb2 import HttpBody
    from understudy.v1.file_service_pb2 import PutFileRequest, PutFileResponse

    guessed, _ = mimetypes.guess_type(name)
    content = HttpBody(content_type=content_type or guessed or "", data=_read(source))
    with naming({"name": "NAME", "content": "FILE", "content.content_type": "--type"}):
        answer = await desk.call(PutFileRequest(name=name, content=content), PutFileResponse)
    _show(desk, answer.file)


@command(app, "get")
async def get(
    desk: Desk,
    name: _Name,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to write it.  \\[default: the standard output]")
    ] = None,
) -> None:
    """Write what a file holds."""
    from understudy.v1.file_service_pb2 import GetFileRequest, GetFileResponse

    content = (await desk.call(GetFileRequest(name=name), GetFileResponse)).content.data
    if out is None:
        sys.stdout.buffer.write(content)
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        raise CommandFailed(ExitCode.USAGE, f"cannot write {out}: {error.strerror}") from error


@command(app, "delete")
async def delete(desk: Desk, name: _Name) -> None:
    """Remove a file that no mock answers with."""
    from understudy.v1.file_service_pb2 import DeleteFileRequest, DeleteFileResponse

    from understudy_server.cli.output import print_json

    answer = await desk.call(DeleteFileRequest(name=name), DeleteFileResponse)
    if desk.as_json:
        print_json(answer)
    else:
        typer.echo(f"file {name} is removed")


def _read(source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise CommandFailed(ExitCode.USAGE, f"cannot read {source}: {error.strerror}") from error


def _show(desk: Desk, file: "File") -> None:
    from understudy_server.cli.output import moment, print_facts, print_json

    if desk.as_json:
        print_json(file)
        return
    print_facts(
        (
            ("file", file.name),
            ("type", file.content_type),
            ("bytes", str(file.size_bytes)),
            ("sha256", file.sha256),
            ("changed", moment(file.updated_at, known=True)),
        )
    )
