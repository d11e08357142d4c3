"""``understudy schema``: the JSON Schema of ``understudy.yaml``, for editors."""

from enum import StrEnum
from typing import Annotated

import typer

_FILE = "understudy.schema.json"


class Part(StrEnum):
    """What a schema can be for."""

    FILE = "file"
    PROJECT = "project"
    ENVIRONMENT = "environment"
    MOCK = "mock"
    SCENARIO = "scenario"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("schema")(_schema)


def _schema(
    part: Annotated[
        Part,
        typer.Argument(
            metavar="PART",
            help="file: understudy.yaml itself; project or environment: a file that one includes; mock or scenario: a"
            " file for --from.",
        ),
    ] = Part.FILE,
) -> None:
    """Print the JSON Schema of understudy.yaml, for completion and checks in an editor.

    understudy schema > understudy.schema.json
    """
    typer.echo(read_schema(part), nl=False)


def read_schema(part: Part = Part.FILE) -> str:
    """The schema as JSON text."""
    import json
    from importlib.resources import files

    text = files("understudy_server.manifest").joinpath(_FILE).read_text(encoding="utf-8")
    if part is Part.FILE:
        return text
    whole = json.loads(text)
    name = part.capitalize()
    chosen = {"$schema": whole["$schema"], "title": name, "$ref": f"#/$defs/{name}", "$defs": whole["$defs"]}
    return json.dumps(chosen, indent=2, ensure_ascii=False) + "\n"
