"""``understudy schema`` prints what editors and other programs can use as it stands."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
import understudy_server.manifest
from typer.testing import CliRunner
from understudy_server.cli.main import app
from understudy_server.cli.schema import Part


def test_the_schema_is_the_file_that_is_shipped() -> None:
    shipped = Path(understudy_server.manifest.__file__).with_name("understudy.schema.json")
    assert CliRunner().invoke(app, ["schema"]).output == shipped.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("part", "good", "bad"),
    [
        (Part.FILE, {"projects": {"checkout": {}}}, {"project": {}}),
        (Part.PROJECT, {"environments": {"staging": {}}}, {"projects": {}}),
        (Part.ENVIRONMENT, {"mocks": {"ovr_a": {}}}, {"environments": {}}),
        (Part.MOCK, {"matcher": "POST /api/pay"}, {"matchers": "POST /api/pay"}),
        (Part.SCENARIO, {"mocks": ["ovr_a"]}, {"mocks": "ovr_a"}),
    ],
)
def test_each_part_has_a_schema_of_its_own(part: Part, good: object, bad: object) -> None:
    validator = jsonschema_rs.validator_for(json.loads(CliRunner().invoke(app, ["schema", part]).output))
    assert validator.is_valid(good)
    assert not validator.is_valid(bad)
