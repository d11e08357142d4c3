"""Write the JSON Schema of ``understudy.yaml`` beside its reader, for editors; ``--check`` only compares.

It is made of the protos alone: their messages, limits and comments, in the form in which ``understudy_server.manifest``
reads them. What a schema cannot say (ids are unique, references exist, a source is applied in order) is left to
``understudy check``.
"""

import json
import sys
from pathlib import Path
from typing import Any

from manifest_schema_fields import Definitions, Schema
from settings_list import Setting, read_settings
from understudy.v1.manifest_service_pb2 import Manifest
from understudy_gateway.transcoding.contract import understudy

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "server" / "understudy_server" / "manifest" / "understudy.schema.json"

# The stubs know one class of descriptors, generated modules another that fills it.
_MANIFEST: Any = Manifest.DESCRIPTOR

_ABOUT = (
    "What an Understudy server is to hold: projects, environments, mocks and scenarios; and how it runs (`server`)."
)


def document() -> dict[str, Any]:
    """The schema as JSON values, the same for the same protos and settings."""
    definitions = Definitions(understudy().comments)
    root = definitions.of(_MANIFEST)
    properties = {
        "source": {**root["properties"]["source"], "description": _SOURCE},
        **{name: schema for name, schema in root["properties"].items() if name != "source"},
        "server": {"$ref": "#/$defs/Server"},
    }
    del root["required"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "understudy.yaml",
        **root,
        "description": _ABOUT,
        "properties": properties,
        "$defs": {**dict(sorted(definitions.made.items())), "Server": _server(read_settings())},
    }


_SOURCE = (
    "Whose the file is: what another source declares is left alone, and what this one declared before and declares no "
    "more is removed. Default: the name of the file."
)


def _server(settings: list[Setting]) -> Schema:
    return {
        "type": "object",
        "description": "How `understudy serve --config FILE` runs. Flags and the environment count more.",
        "properties": {setting.name: _setting(setting) for setting in settings},
        "additionalProperties": False,
    }


def _setting(setting: Setting) -> Schema:
    schema: Schema = {"description": setting.about}
    if setting.choices:
        schema["enum"] = list(setting.choices)
    elif setting.least is not None:
        schema |= {"type": ["integer", "string"], "minimum": setting.least, "pattern": "^[0-9]{1,15}$"}
    else:
        schema["type"] = ["string", "integer"]
    if setting.default:
        schema["default"] = int(setting.default) if setting.least is not None else setting.default
    return schema


def main() -> None:
    """Write the schema, or with ``--check`` exit when it is not current."""
    fresh = json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
    if "--check" not in sys.argv:
        TARGET.write_text(fresh, encoding="utf-8")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != fresh:
        sys.exit(f"{TARGET.relative_to(ROOT)} does not match proto/ (run `make proto`)")


if __name__ == "__main__":
    main()
