"""YAML as editors read it: by the core schema of YAML 1.2, in which ``no`` is text and ``true`` is not."""

import re
from typing import Any

import yaml


class _CoreLoader(yaml.CSafeLoader):
    """Merges (``<<``) are kept: most readers know them. It is libyaml's, which is several times as fast."""


_MERGE = [pair for pair in yaml.SafeLoader.yaml_implicit_resolvers["<"] if pair[0].endswith(":merge")]
_CoreLoader.yaml_implicit_resolvers = {"<": _MERGE}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
):
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)


def _int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = loader.construct_scalar(node)
    bases = {"0o": 8, "0x": 16}
    return int(text, bases[text[:2]]) if text[:2] in bases else int(text)


_CoreLoader.add_constructor("tag:yaml.org,2002:int", _int)


def load(text: str) -> Any:
    """The values of one document."""
    return yaml.load(text, _CoreLoader)
