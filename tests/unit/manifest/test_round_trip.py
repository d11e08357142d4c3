"""What is written is read as the same, by this reader and by the readers of others."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from hypothesis import given, settings
from support.coherent import LEFT_OUT
from support.manifests import json_texts, manifests, mocks
from support.message_fields import used_fields
from understudy.v1.manifest_service_pb2 import Manifest, ManifestMock
from understudy_server.app.manifests.checking import faults
from understudy_server.manifest import plain
from understudy_server.manifest.reading import read_manifest, read_value
from understudy_server.manifest.writing import write_manifest, write_value
from understudy_server.rpc import fields


@settings(deadline=None, max_examples=50)
@given(manifests())
def test_a_manifest_that_is_written_and_read_is_the_same(manifest: Manifest) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "understudy.yaml")
        path.write_text(write_manifest(manifest), encoding="utf-8", newline="")
        assert read_manifest(path, {}).message == manifest


@settings(deadline=None, max_examples=50)
@given(manifests())
def test_manifests_that_are_drawn_for_tests_are_without_fault(manifest: Manifest) -> None:
    assert [str(fault) for fault in (*fields.faults(manifest), *faults(manifest))] == []


@settings(deadline=None)
@given(mocks())
def test_a_mock_that_is_written_and_read_is_the_same(mock: ManifestMock) -> None:
    assert _again(mock) == mock


def test_what_no_mock_is_drawn_with_is_written_and_read_as_well() -> None:
    """Names of what must be there, which drawn manifests leave out, so that they are without fault."""
    mock = ManifestMock()
    mock.matcher.path = "/users/{id}"
    step = mock.action.sequence.steps.add()
    step.respond.file, step.delay.fixed_ms = "reports/no.pdf", 5
    kept = mock.action.extract.add()
    kept.key, kept.path_parameter = "no", "id"
    forwarding = ManifestMock()
    forwarding.action.forward.path.strip_prefix = "/no"
    assert [_again(mock), _again(forwarding)] == [mock, forwarding]
    set_here = {f"understudy.v1.{field}" for field in used_fields(mock)}
    assert set_here >= LEFT_OUT


@settings(deadline=None)
@given(json_texts())
def test_json_keeps_every_digit_and_the_order_of_keys(text: str) -> None:
    mock = ManifestMock()
    mock.action.respond.json = text
    assert _again(mock).action.respond.json == text


@settings(deadline=None)
@given(json_texts())
def test_other_readers_of_yaml_take_text_for_the_same(text: str) -> None:
    # Numbers are left out: readers of YAML 1.1 take 1E5 for text, and no quotes can tell them that it is none.
    value = json.loads(text, parse_int=str, parse_float=str)
    assert _by_types(yaml.safe_load(plain.write(value))) == _by_types(value)


def _again(mock: ManifestMock) -> ManifestMock:
    return read_value(write_value(mock), "mock", ManifestMock, {}).message


def _by_types(value: Any) -> Any:
    """A value in which true and 1 differ."""
    if isinstance(value, dict):
        return [(_by_types(key), _by_types(each)) for key, each in value.items()]
    return [_by_types(each) for each in value] if isinstance(value, list) else (type(value).__name__, value)
