"""How large a message may become, however few bytes of a file say so."""

import tracemalloc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.manifest_texts import NOTHING, file_problems, mock, problems
from understudy.v1.manifest_service_pb2 import ApplyManifestRequest, Manifest, ManifestEnvironment
from understudy_server.cli import connection
from understudy_server.manifest.limits import MESSAGE_BYTES_MAX, SHOWN_KEY_CHARACTERS_MAX
from understudy_server.manifest.reading import read_value
from understudy_server.rpc import grpc_server

_MEBIBYTE = 1024 * 1024
_TOO_LARGE = (
    "with this, aliases, variables and files written out, there is more than 16 MiB;"
    " use fewer aliases, or make several manifests of it"
)
_LONG = "x" * _MEBIBYTE


@contextmanager
def bounded(bytes_max: int) -> Iterator[None]:
    """Assert that a block never holds so much memory of Python's objects."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < bytes_max
    finally:
        tracemalloc.stop()


_MOCKS = range(300)
_ANCHOR = f"hosts: [&a {_LONG}]\nmocks: "
_AGAIN = ", *a" * 300


def _answers(*bodies: str) -> str:
    return (
        "{"
        + ", ".join(f"ovr_{number}: {{action: {{respond: {{{body}}}}}}}" for number, body in enumerate(bodies))
        + "}"
    )


def _matches(*queries: str) -> str:
    return (
        "{" + ", ".join(f"ovr_{number}: {{matcher: {{query: {query}}}}}" for number, query in enumerate(queries)) + "}"
    )


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (f"hosts: [&a {_LONG}{_AGAIN}]", "hosts[15]"),
        (_ANCHOR + _answers(*("text: *a" for _ in _MOCKS)), "mocks.ovr_14.action.respond.text"),
        (_ANCHOR + _answers(f"json: [*a{_AGAIN}]"), "mocks.ovr_0.action.respond.json"),
        ("mocks: " + _answers(f"json: [&a {{? {_LONG} : 1}}{_AGAIN}]"), "mocks.ovr_0.action.respond.json"),
        ("mocks: " + _matches(f"&a {{? {_LONG} : x}}", *("*a" for _ in _MOCKS)), "mocks.ovr_15.matcher.query"),
        ("mocks: " + _answers(f"headers: {{? {_LONG} : [b{', b' * 300}]}}"), "mocks.ovr_0.action.respond.headers"),
        (_ANCHOR + _matches("{" + ", ".join(f"q{n}: *a" for n in _MOCKS) + "}"), "mocks.ovr_0.matcher.query.q14"),
    ],
    ids=["lists", "fields", "JSON", "keys of JSON", "keys of maps", "names of headers", "short forms"],
)
def test_few_bytes_do_not_become_many(text: str, field: str) -> None:
    with bounded(160 * _MEBIBYTE):
        (said,) = problems(text)
    place, _, complaint = said.partition(": ")
    assert place.startswith("f.yaml:")
    assert complaint.startswith(field)
    assert complaint.endswith(f": {_TOO_LARGE}")


def test_bodies_that_are_named_again_and_again_count_each_time(tmp_path: Path) -> None:
    respond = "projects: {p: {environments: {e: {mocks: {%s}}}}}"
    text = respond % ", ".join(f"ovr_{n}: {{action: {{respond: {{textFile: b.txt}}}}}}" for n in range(300))
    (said,) = file_problems(tmp_path, {"u.yaml": text, "b.txt": _LONG})
    assert ".mocks.ovr_15.action.respond.textFile: with this" in said
    (said,) = file_problems(tmp_path, {"u.yaml": text.replace("textFile", "binaryFile"), "b.txt": _LONG})
    assert ".mocks.ovr_15.action.respond.binaryFile: with this" in said


@pytest.mark.parametrize("text", ["hosts: ['%s']", "mocks: {ovr_a: {matcher: '/%s'}}", "mocks: {ovr_a: {state: '%s'}}"])
def test_variables_count_with_what_they_stand_for(text: str) -> None:
    environ: Mapping[str, str] = {"LONG": "x" * 100_000}
    with bounded(160 * _MEBIBYTE):
        (said,) = problems(text % ("${LONG}" * 2_000), ManifestEnvironment, environ)
    assert said.endswith(_TOO_LARGE)


def test_a_large_message_without_aliases_is_read() -> None:
    text = "x" * (7 * _MEBIBYTE)
    assert mock(f"action: {{respond: {{text: {text}}}}}").action.respond.text == text


def test_bytes_are_counted_in_the_end_and_not_characters() -> None:
    # Each is two bytes long, so that there are fewer characters than may be.
    (said,) = problems(f"hosts: [&a {'é' * _MEBIBYTE}{', *a' * 8}]")
    assert said == f"f.yaml:1:1: {_TOO_LARGE}"


def test_the_largest_manifest_that_is_read_is_one_that_a_server_takes() -> None:
    assert grpc_server.MESSAGE_BYTES_MAX == connection.MESSAGE_BYTES_MAX
    manifest = Manifest(source="s" * 128)
    manifest.organisation.name = "x" * (MESSAGE_BYTES_MAX - manifest.ByteSize() - 10)
    assert manifest.ByteSize() == MESSAGE_BYTES_MAX
    request = ApplyManifestRequest(manifest=manifest, adopt=True, force=True, validate_only=True)
    assert request.ByteSize() <= grpc_server.MESSAGE_BYTES_MAX


def test_problems_do_not_repeat_long_keys() -> None:
    key = "k" * 100_000
    (said,) = problems(f"mocks: {{? {key} : {{name: [], nam: x}}}}")[:1]
    assert len(said) < SHOWN_KEY_CHARACTERS_MAX + 300
    assert "mocks['kkk" in said


def test_what_is_read_alone_is_bounded_as_well() -> None:
    assert read_value("hosts: []", "f.yaml", ManifestEnvironment, NOTHING).message.ByteSize() == 0
