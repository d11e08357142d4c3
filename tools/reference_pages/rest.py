"""The page about the REST API, made of the OpenAPI document."""

import json
import re
from collections.abc import Iterator
from typing import Any

from reference_pages.schemas import Schema, kind, limits, object_table
from reference_pages.text import code, link, page, table
from understudy_gateway.dialects.flowmock import TABLE
from understudy_gateway.transcoding.contract import understudy
from understudy_gateway.transcoding.fields import HTTP_BODY, Field, Kind, read_fields
from understudy_gateway.transcoding.openapi import document

_ABOUT = """\
A running server serves the OpenAPI document that this page is made of at `/openapi.json`, and a page to try it at
`/docs`. A call carries its key as `Authorization: Bearer fmk_...`. Bodies and answers are JSON, but for what files
hold. The same calls exist over [gRPC](grpc.md).

<!-- test: server -->
<!-- test: run export UNDERSTUDY_KEY=fmk_... -->

```sh
curl -sS -X PUT "http://127.0.0.1:8000/api/v1/sessions/ci-42" -H "Authorization: Bearer $UNDERSTUDY_KEY" \\
  -d '{"project": "checkout", "environment": "staging", "scenario": "scn_paymentDeclined"}'
```

In the body of a PATCH, and of the PUT of a session, an absent key leaves what is there as it is, and null clears it
where null is allowed. This goes for the keys of the body itself: an object or a list inside (`cors`, `redaction`,
`limits`, `hosts`, `carriers`) is set whole, so that what is left out of it has its default again. A change to what is
so already changes nothing, the revision neither.

In the PATCH of a mock it goes for the keys of objects inside (`matcher`, `action`, `lifetime`) too: they are merged
into those that are there, null clears any key, and an empty object changes nothing. Lists, and objects whose keys are
names of yours (`matcher.query`), are set whole.

What has a revision is answered with an `ETag`. Sent back as `If-Match`, it lets a call be refused (412,
`revision_mismatch`) when somebody else was quicker. It counts where the call lists it: when a mock, scenario, project,
environment or session is changed or removed, and when a mock is published, unpublished, switched on or off. `*` stands
for any revision, as no header does. To switch a mock on or off for one session is not among them: it is idempotent and
leaves the rest of the session alone.

## Errors

A refused call is answered with `{"error": "what was wrong, for people", "code": "for programs"}`. Codes stay as they
are. Where several things were wrong at once, as in a manifest, `problems` lists them, the first included and at most
100: `[{"field": "manifest.projects['shop']", "message": "what is wrong there"}]`.
"""
_METHODS = ("get", "put", "post", "patch", "delete")
_ANY_CALL = ("400", "401", "403", "422", "429", "500", "503")


def write() -> str:
    """The page."""
    names = {field.name: field.json_name for field in _fields() if field.name != field.json_name}
    text = page("REST", _parts(document()))
    # The comments speak of fields by the names of the protos.
    return re.sub(r"`(\w+)`", lambda found: f"`{names.get(found[1], found[1])}`", text)


def _fields() -> Iterator[Field]:
    for method in understudy().methods():
        for message in (method.input_type, method.output_type):
            yield from read_fields(message)
            for field in read_fields(message):
                if field.kind is Kind.MESSAGE and field.nested.full_name != HTTP_BODY:
                    yield from read_fields(field.nested)


def _parts(api: Schema) -> Iterator[str]:
    yield _ABOUT
    yield from table(("Code", "HTTP status"), sorted((code(name), str(status)) for status, name in TABLE.values()))
    operations = [
        (verb.upper(), path, operation)
        for path, verbs in api["paths"].items()
        for verb, operation in verbs.items()
        if verb in _METHODS
    ]
    yield from ["## Routes", ""]
    yield from table(
        ("Route", "What it does", "As an RPC"),
        [
            (code(f"{verb} {path}"), operation["summary"], link(operation["operationId"]))
            for tag in api["tags"]
            for verb, path, operation in operations
            if operation["tags"] == [tag["name"]]
        ],
    )
    for tag in api["tags"]:
        yield from [f"## {tag['name']} calls", "", tag["description"], ""]
        for verb, path, operation in operations:
            if operation["tags"] == [tag["name"]]:
                yield from _operation(verb, path, operation)
    yield from ["## Objects", ""]
    for name, schema in api["components"]["schemas"].items():
        yield from [f"### {name}", "", schema.get("description", ""), ""]
        is_answer = not name.endswith(("Request", "Input", "Patch"))
        yield from object_table(schema, link, is_answer=is_answer)


def _operation(verb: str, path: str, operation: Schema) -> Iterator[str]:
    yield from [
        f"### {operation['operationId']}",
        "",
        "```text",
        f"{verb} {path}",
        "```",
        "",
        operation["description"],
        "",
    ]
    yield from table(
        ("Parameter", "In", "Kind", "What it is", "Limits"),
        [_parameter(each) for each in operation.get("parameters", ())],
    )
    if "requestBody" in operation:
        body = operation["requestBody"]
        about = f". {body['description']}" if "description" in body else ""
        yield f"- Body: {_content(body)}{about}"
    answer = operation["responses"]["200"]
    headers = "".join(f", header {code(name)}" for name in answer.get("headers", ()))
    yield f"- Answer: {_content(answer)}{headers}"
    own = [status for status in operation["responses"] if status.isdecimal() and status not in ("200", *_ANY_CALL)]
    if own:
        yield f"- Refused with {', '.join(own)}, beside what any call may be refused with"
    yield ""


def _parameter(parameter: Schema) -> tuple[str, str, str, str, str]:
    schema: dict[str, Any] = parameter["schema"]
    about = parameter["description"].replace("\n\n", "\n")
    if parameter.get("example") not in (None, ""):
        about += f"\nExample: {code(json.dumps(parameter['example']))}"
    name = code(parameter["name"]) + (" (required)" if parameter.get("required") else "")
    return name, parameter["in"], kind(schema, link), about, limits(schema)


def _content(holder: Schema) -> str:
    ((kind_of_content, content),) = holder["content"].items()
    schema = content["schema"]
    text = "bytes" if schema.get("format") == "binary" else kind(schema, link)
    if kind_of_content == "*/*":
        return f"{text} of any content type"
    return text if kind_of_content == "application/json" else f"{text} ({kind_of_content})"
