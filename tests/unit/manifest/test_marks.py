"""Faults that are found after reading are told with the place in the file."""

from pathlib import Path

import pytest
from support.manifest_texts import write_files
from understudy.v1.manifest_service_pb2 import ManifestMock
from understudy_server.manifest.problems import Mark
from understudy_server.manifest.reading import read_manifest, read_value

_U = """\
projects:
  checkout:
    environments:
      staging:
        upstream: ftp://x
        hosts: [a.example, b.example]
        include: m.yaml
        carriers:
          - cookie: qa
          - {query: run}
        mocks:
          ovr_a: {matcher: POST /a}
          ovr_b:
            <<: &b {name: B}
            action:
              respond:
                headers: {x-a: 1, set-cookie: [a=1, b=2]}
                jsonFile: b.json
"""
_M = "mocks:\n  'ovr_c':\n    matcher:\n      query: {it's: EUR}\n"
_E = "projects['checkout'].environments['staging']"


@pytest.mark.parametrize(
    ("field", "place", "name"),
    [
        ("projects['checkout']", "u.yaml:2:3", "projects.checkout"),
        (_E, "u.yaml:4:7", "projects.checkout.environments.staging"),
        (f"{_E}.upstream", "u.yaml:5:19", "projects.checkout.environments.staging.upstream"),
        (f"manifest.{_E}.upstream", "u.yaml:5:19", "projects.checkout.environments.staging.upstream"),
        (f"{_E}.hosts[1]", "u.yaml:6:28", "projects.checkout.environments.staging.hosts[1]"),
        (f"{_E}.hosts[7]", "u.yaml:6:16", "projects.checkout.environments.staging.hosts[7]"),
        (f"{_E}.strip_session_header", "u.yaml:4:7", "projects.checkout.environments.staging.stripSessionHeader"),
        (f"{_E}.carriers[1].query", "u.yaml:10:21", "projects.checkout.environments.staging.carriers[1].query"),
        (f"{_E}.carriers[0].jwt_claim", "u.yaml:9:13", "projects.checkout.environments.staging.carriers[0].jwtClaim"),
        (f"{_E}.mocks['ovr_a'].matcher.path", "u.yaml:12:28", "{e}.mocks.ovr_a.matcher.path"),
        (f"{_E}.mocks['ovr_b'].name", "u.yaml:14:27", "{e}.mocks.ovr_b.name"),
        (
            f"{_E}.mocks['ovr_b'].action.respond.headers[0].name",
            "u.yaml:17:32",
            "{e}.mocks.ovr_b.action.respond.headers[0].name",
        ),
        (f"{_E}.mocks['ovr_b'].action.respond.headers[2]", "u.yaml:17:53", "{e}.mocks.ovr_b.action.respond.headers[2]"),
        (f"{_E}.mocks['ovr_b'].action.respond.json", "u.yaml:18:27", "{e}.mocks.ovr_b.action.respond.json"),
        (f"{_E}.mocks['ovr_c']", "m.yaml:2:3", "{e}.mocks.ovr_c"),
        (
            f"{_E}.mocks['ovr_c'].matcher.query[\"it's\"].equals",
            "m.yaml:4:21",
            '{e}.mocks.ovr_c.matcher.query["it\'s"].equals',
        ),
        (f"{_E}.mocks['no']", "u.yaml:11:9", "{e}.mocks.no"),
        ("source", "u.yaml:1:1", "source"),
        ("", "u.yaml:1:1", ""),
        ("what? ever", "u.yaml:1:1", "what"),
    ],
)
def test_a_field_is_found_by_the_path_of_its_fault(field: str, place: str, name: str, tmp_path: Path) -> None:
    marks = read_manifest(write_files(tmp_path, {"u.yaml": _U, "m.yaml": _M, "b.json": "1"}), {}).marks
    assert str(marks.find(field)) == f"{tmp_path}/{place}"
    assert marks.name(field) == name.replace("{e}", "projects.checkout.environments.staging")


def test_places_are_those_of_what_was_read_even_when_the_file_has_changed(tmp_path: Path) -> None:
    path = write_files(tmp_path, {"u.yaml": "include: '*.y'", "a.y": "organisation: {name: O}"})
    marks = read_manifest(path, {}).marks
    path.write_text("")
    (tmp_path / "a.y").unlink()
    assert marks.find("organisation.name") == Mark(f"{tmp_path}/a.y", 1, 22)


def test_a_single_message_has_places_too() -> None:
    marks = read_value("name: a\nmatcher: GET /", "f.yaml", ManifestMock, {}).marks
    assert marks.find("mock.matcher.path") == Mark("f.yaml", 2, 10)
    assert marks.find("matcher") == Mark("f.yaml", 2, 10)
    assert marks.name("mock.action.delay.fixed_ms") == "action.delay.fixedMs"
