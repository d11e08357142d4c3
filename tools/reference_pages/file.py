"""The page about ``understudy.yaml``, made of its JSON Schema."""

from collections.abc import Iterator

import manifest_schema
from reference_pages.schemas import Schema, object_table
from reference_pages.text import link, page

_HIDDEN = {"Variable", "Server"}
_ORDER = (
    "Organisation",
    "Project",
    "Environment",
    "Mock",
    "RequestMatcher",
    "StateCriterion",
    "Criterion",
    "Criteria",
    "Between",
    "Remainder",
    "JsonPathCriterion",
    "FormCriterion",
    "FieldsCriterion",
    "Action",
    "Respond",
    "Header",
    "Sequence",
    "SequenceStep",
    "EventStream",
    "ServerEvent",
    "Forward",
    "PathRewrite",
    "PatternRewrite",
    "Delay",
    "UniformDelay",
    "LogNormalDelay",
    "Fault",
    "Extraction",
    "Lifetime",
    "MachineStep",
    "Scenario",
    "Carrier",
    "Cors",
    "Redaction",
    "EnvironmentLimits",
    "Flag",
    "FlagVariant",
    "FlagState",
    "FlagRule",
    "FlagCondition",
)
_ABOUT = """\
`understudy.yaml` says what a server is to hold. `understudy check` reads it, `understudy diff` and `understudy apply`
send it, `understudy serve --config` applies it at the start and whenever it changes;
[manifests](../concepts/manifests.md) tells how. `understudy schema` prints the JSON Schema that this page is made of.
For completion in an editor, keep it beside the file:

```sh
understudy schema > understudy.schema.json
```

```yaml title=understudy.yaml
# yaml-language-server: $schema=./understudy.schema.json
projects:
  checkout:
    environments:
      staging:
        upstream: https://staging.example.com
```

## How values are written

- Text is what is written, with or without quotes: `name: no` is the text "no", `1:30` the text "1:30".
- `true` and `false` are the only words for yes and no. Numbers are decimal digits.
- `${NAME}` and `${NAME:-default}` stand for environment variables, in every value but JSON, `text` and `binary`;
  `$${` is `${` itself. A variable that is not set and has no default is an error.
- Where a kind is "any JSON value", YAML is read by the rules of JSON: `yes`, `on`, `0x1f` or `1_000` need quotes.
- Anchors, aliases and `<<` may be used; keys may not be repeated. All that they and files beside
  stand for may have 16 MiB.
"""


def write() -> str:
    """The page."""
    return page("understudy.yaml", _parts())


def _parts() -> Iterator[str]:
    schema = manifest_schema.document()
    definitions: dict[str, Schema] = schema["$defs"]
    yield _ABOUT
    yield from ["## The file", ""]
    yield from object_table(schema, _link)
    unknown = definitions.keys() - _HIDDEN - set(_ORDER)
    if unknown:
        raise ValueError(f"the page has no place for {', '.join(sorted(unknown))}")
    for name in _ORDER:
        yield from [f"## {name}", "", definitions[name]["description"], ""]
        yield from object_table(definitions[name], _link)


def _link(name: str) -> str:
    return "[Server](settings.md)" if name == "Server" else link(name)
