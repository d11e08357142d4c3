"""The schema that editors use says what the reader says, wherever a schema can say it."""

import json
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import jsonschema_rs
import pytest
import understudy_server.manifest
from hypothesis import HealthCheck, given, settings
from support.manifests import manifests
from support.shell import invoke
from support.yaml_core import load
from understudy.v1.manifest_service_pb2 import Manifest
from understudy_server.manifest.writing import write_manifest

SCHEMA = json.loads(
    Path(understudy_server.manifest.__file__).with_name("understudy.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema_rs.validator_for(SCHEMA)
ENVIRON = {"PORT": "9000", "STRICT": "true", "MILLISECONDS": "250", "NAME": "Staging"}


def _in_project(text: str) -> str:
    return "projects:\n  checkout:\n" + indent(dedent(text).strip(), "    ")


def _in_environment(text: str) -> str:
    return _in_project("environments:\n  staging:\n" + indent(dedent(text).strip(), "    "))


def _mock(text: str) -> str:
    return _in_environment("mocks:\n  ovr_a:\n" + indent(dedent(text).strip(), "    "))


def _respond(text: str) -> str:
    return _mock("action:\n  respond:\n" + indent(dedent(text).strip(), "    "))


GOOD = {
    "nothing": "projects: {}",
    "source and organisation": "source: team\norganisation: {name: Example Ltd, plan: business}",
    "the server's settings": "server: {rest: 127.0.0.1:8000, grpc: 50051, api_rate: 120/60, stop_grace_seconds: 0}",
    "an empty project": "projects: {checkout: {}}",
    "text that YAML 1.1 takes for something else": _in_environment("name: no"),
    "text that looks like a number": _in_environment("name: 42"),
    "text that looks like true": _in_environment("name: true"),
    "every carrier": _in_environment("carriers: [{header: a}, {cookie: b}, {query: c}, {jwtClaim: d.e}, {baggage: f}]"),
    "a variable in an address": _in_environment("upstream: http://127.0.0.1:${PORT}"),
    "a variable in a boolean": _in_environment("strict: ${STRICT}"),
    "a variable in a number": _mock("action: {delay: {fixedMs: '${MILLISECONDS}'}}"),
    "a variable in a matcher": _mock("matcher: POST /${NAME}"),
    "a matcher in one line": _mock("matcher: POST /api/pay"),
    "a matcher of a method": _mock("matcher: POST"),
    "a matcher of a path": _mock("matcher: /api/users/:id"),
    "a criterion in one word": _mock("matcher: {query: {page: 2, currency: EUR, all: true}, body: hello}"),
    "a criterion in full": _mock("matcher: {query: {page: {equals: 2}}, body: {jsonSubset: [1, {a: null}]}}"),
    "headers as a mapping": _respond("headers: {x-a: 1, set-cookie: [a=1, b=2], x-empty: ''}"),
    "headers as a list": _respond("headers: [{name: x-a, value: b}, {name: x-a}]"),
    "JSON of any kind": _respond("json: [null, 1, -2.5e3, true, text, {a: {}}]"),
    "JSON that is null": _respond("json: null"),
    "text with what looks like a variable": _respond("text: 'cost: ${cost}'"),
    "binary": _respond("binary: AAEC"),
    "a status of 0": _respond("status: 0"),
    "a draft": _mock("state: draft"),
    "a scenario": _in_environment("scenarios: {scn_a: {urlId: a-b, localMocks: {ovr_b: {matcher: GET}}}}"),
    "an environment made elsewhere": _in_environment("existing: true\nmocks: {ovr_a: {}}"),
    "a project made elsewhere": _in_project("existing: true\nenvironments: {staging: {}}"),
    "anchors and merges": _in_environment(
        """
        mocks:
          ovr_a: &base {matcher: POST /a, state: draft}
          ovr_b: {<<: *base, matcher: POST /b}
        """
    ),
}

BAD = {
    "an unknown key": "project: {}",
    "a field's name in the protos": _in_environment("tunnel_upgrades: true"),
    "what the server sets": _in_environment("createdAt: 2026-06-23T12:00:00.000Z"),
    "a slug with a capital": "projects: {Checkout: {}}",
    "an id with another prefix": _in_environment("mocks: {scn_a: {}}"),
    "a scenario's id with another prefix": _in_environment("scenarios: {ovr_a: {}}"),
    "a boolean that is a word": _in_environment("strict: yes"),
    "a list where a mapping belongs": _in_environment("mocks: [ovr_a]"),
    "text where a list belongs": _in_environment("hosts: a.example.com"),
    "no value": _in_environment("mocks:"),
    "no text": _in_environment("name: null"),
    "an upstream that is no URL": _in_environment("upstream: staging.example.com"),
    "a host that is a URL": _in_environment("hosts: ['http://a.example.com']"),
    "a carrier in two places": _in_environment("carriers: [{header: a, cookie: b}]"),
    "a carrier in no place": _in_environment("carriers: [{}]"),
    "a carrier without a name": _in_environment("carriers: [{header: ''}]"),
    "a claim with an empty part": _in_environment("carriers: [{jwtClaim: a..b}]"),
    "a limit below 0": _in_environment("limits: {requestBodyBytesMax: -1}"),
    "a limit that is not whole": _in_environment("limits: {firstByteMs: 2.5}"),
    "a plan that there is not": "organisation: {plan: gold}",
    "a state that there is not": _mock("state: active"),
    "a matcher that is neither": _mock("matcher: post /api/pay"),
    "a matcher with a query": _mock("matcher: POST /api/pay?a=b"),
    "a method in small letters": _mock("matcher: {method: post}"),
    "a path without a slash": _mock("matcher: {path: api}"),
    "a criterion that tests nothing": _mock("matcher: {body: {}}"),
    "a criterion that tests two things": _mock("matcher: {body: {equals: a, jsonSubset: {}}}"),
    # White space for some readers of patterns and not for others.
    "a tag with a byte order mark": _mock('tags: ["a\\ufeff"]'),
    "a status of 1xx": _respond("status: 102"),
    "a status beyond 599": _respond("status: 600"),
    "two bodies": _respond("json: {}\ntext: a"),
    "a body and a file of one": _respond("json: {}\njsonFile: a.json"),
    "a header without a name": _respond("headers: [{value: a}]"),
    "a header with a space": _respond("headers: {x a: b}"),
    "a header's value with a line break": _respond('headers: {x-a: "a\\nb"}'),
    "a delay that is too long": _mock("action: {delay: {fixedMs: 120001}}"),
    "a delay that is a length of time": _mock("action: {delay: 250ms}"),
    "settings of what is made elsewhere": _in_environment("existing: true\nupstream: http://a"),
    "a name of what is made elsewhere": _in_project("existing: true\nname: Checkout"),
    "too many hosts": _in_environment(f"hosts: [{', '.join(f'h{number}.example.com' for number in range(33))}]"),
    "a name that is too long": _in_environment(f"name: {'a' * 201}"),
    "a setting that there is not": "server: {port: 8000}",
    "a setting that is less than it may be": "server: {proxy_headers_max: 0}",
}

# The settings of the server are read by another reader.
_OTHER_READER = {name for name, text in BAD.items() if text.startswith("server:")}


def _complaints(text: str, folder: Path) -> list[dict[str, Any]]:
    file = folder / "understudy.yaml"
    file.write_text(text)
    result = invoke(["check", "--json", str(file)], env=ENVIRON)
    complaints: list[dict[str, Any]] = json.loads(result.stdout)["problems"]
    return complaints


@pytest.mark.parametrize("name", GOOD)
def test_what_is_right_is_right_for_both(name: str, tmp_path: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(load(GOOD[name]))] == []
    assert _complaints(GOOD[name], tmp_path) == []


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(manifests())
def test_what_is_written_for_a_manifest_is_right(manifest: Manifest) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(load(write_manifest(manifest)))] == []


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_wrong_for_the_schema(name: str) -> None:
    assert not VALIDATOR.is_valid(load(BAD[name]))


@pytest.mark.parametrize("name", sorted(BAD.keys() - _OTHER_READER))
def test_what_is_wrong_is_wrong_for_the_reader(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    assert _complaints(BAD[name], tmp_path)


def test_the_schema_is_one() -> None:
    jsonschema_rs.validator_for({"$ref": "https://json-schema.org/draft/2020-12/schema"}).validate(SCHEMA)


def test_every_key_is_described() -> None:
    assert [name for name, schema in _properties(SCHEMA, "") if not _text_of(schema)] == []


def test_every_example_is_valid() -> None:
    wrong = [
        (name, example)
        for name, schema in _properties(SCHEMA, "")
        for example in schema.get("examples", ())
        if not jsonschema_rs.validator_for({**schema, "$defs": SCHEMA["$defs"]}).is_valid(example)
    ]
    assert wrong == []


def _properties(schema: dict[str, Any], name: str) -> list[tuple[str, dict[str, Any]]]:
    found = [(f"{name}.{key}", each) for key, each in schema["properties"].items()]
    for key, each in schema.get("$defs", {}).items():
        found += _properties(each, key) if "properties" in each else []
    return found


def _text_of(schema: dict[str, Any]) -> str:
    target: dict[str, Any] = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else {}
    text: str = schema.get("description") or target.get("description", "")
    return text
