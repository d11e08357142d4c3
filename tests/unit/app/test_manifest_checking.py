"""What a manifest may not say about itself, checked without a server."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from support.manifesting import manifest, staging
from support.manifests import manifests
from understudy.v1.manifest_service_pb2 import Manifest
from understudy_server.app.manifests.checking import faults

STAGING = "projects['shop'].environments['staging']"
DRAFT = {"state": "MOCK_STATE_DRAFT"}


def two_environments(one: Mapping[str, Any], other: Mapping[str, Any]) -> Manifest:
    return manifest({"shop": {"environments": {"qa": one, "staging": other}}})


def found(given_: Manifest) -> list[tuple[str, str]]:
    return [(fault.fault.field, fault.fault.rule) for fault in faults(given_)]


@pytest.mark.parametrize(
    ("given_", "field", "rule"),
    [
        (manifest({"a" * 65: {}}), f"projects['{'a' * 65}']", "max_length"),
        (
            manifest({"shop": {"environments": {"b" * 65: {}}}}),
            f"projects['shop'].environments['{'b' * 65}']",
            "max_length",
        ),
        (manifest({"shop": {"existing": True, "name": "Shop"}}), "projects['shop'].name", "existing"),
        (staging(existing=True, strict=True), f"{STAGING}.strict", "existing"),
        (staging(existing=True, cors={}), f"{STAGING}.cors", "existing"),
        (staging(upstream="http://a:0"), f"{STAGING}.upstream", "address"),
        (staging(hosts=["1.2.3.4"]), f"{STAGING}.hosts[0]", "host_name"),
        (staging(hosts=["a.test", "a.test"]), f"{STAGING}.hosts[1]", "unique"),
        (
            two_environments({"hosts": ["a.test"]}, {"hosts": ["b.test", "a.test"]}),
            f"{STAGING}.hosts[1]",
            "unique",
        ),
        (staging(carriers=[{}]), f"{STAGING}.carriers[0]", "required"),
        (staging(redaction={"jsonPaths": ["$.a", "nonsense"]}), f"{STAGING}.redaction.json_paths[1]", "json_path"),
        (
            staging(mocks={"ovr_a": {"matcher": {"query": {"x": {}}}}}),
            f"{STAGING}.mocks['ovr_a'].matcher.query['x']",
            "required",
        ),
        (
            staging(scenarios={"scn_a": {"localMocks": {"ovr_a": {"matcher": {"body": {}}}}}}),
            f"{STAGING}.scenarios['scn_a'].local_mocks['ovr_a'].matcher.body",
            "required",
        ),
        (
            staging(mocks={"ovr_a": {"action": {"respond": {"headers": [{"name": "Date"}]}}}}),
            f"{STAGING}.mocks['ovr_a'].action.respond.headers[0].name",
            "proxy_header",
        ),
        (
            staging(mocks={"ovr_a": {}}, scenarios={"scn_a": {"localMocks": {"ovr_a": {}}}}),
            f"{STAGING}.scenarios['scn_a'].local_mocks['ovr_a']",
            "unique",
        ),
        (
            staging(scenarios={"scn_a": {"localMocks": {"ovr_a": {}}}, "scn_b": {"localMocks": {"ovr_a": {}}}}),
            f"{STAGING}.scenarios['scn_b'].local_mocks['ovr_a']",
            "unique",
        ),
        (
            staging(scenarios={"scn_a": {"urlId": "x"}, "scn_b": {"urlId": "x"}}),
            f"{STAGING}.scenarios['scn_b'].url_id",
            "unique",
        ),
        (
            staging(mocks={"ovr_a": DRAFT}, scenarios={"scn_a": {"mocks": ["ovr_a"]}}),
            f"{STAGING}.scenarios['scn_a'].mocks[0]",
            "reference",
        ),
        (
            staging(scenarios={"scn_a": {"localMocks": {"ovr_a": {}}, "mocks": ["ovr_a"]}}),
            f"{STAGING}.scenarios['scn_a'].mocks[0]",
            "reference",
        ),
        (
            staging(mocks={"ovr_a": {}}, scenarios={"scn_a": {"mocks": ["ovr_a", "ovr_b"]}}),
            f"{STAGING}.scenarios['scn_a'].mocks[1]",
            "reference",
        ),
    ],
)
def test_a_contradiction_is_found_where_it_stands(given_: Manifest, field: str, rule: str) -> None:
    assert found(given_) == [(field, rule)]


@pytest.mark.parametrize(
    "given_",
    [
        manifest(),
        manifest({"shop": {"existing": True, "environments": {"staging": {"strict": True}}}}),
        staging(existing=True, mocks={"ovr_a": {}}, scenarios={"scn_a": {"mocks": ["ovr_a", "ovr_elsewhere"]}}),
        staging(mocks={"ovr_a": {}}, scenarios={"scn_a": {"mocks": ["ovr_a", "ovr_a"]}}),
        two_environments({"mocks": {"ovr_a": {}}}, {"scenarios": {"scn_a": {"localMocks": {"ovr_a": {}}}}}),
        staging(
            profile="PROFILE_ASSERTIVE",
            mocks={"ovr_a": {"action": {"respond": {"template": "{{ request.scope }}"}}}},
        ),
        two_environments({"scenarios": {"scn_a": {"urlId": "x"}}}, {"scenarios": {"scn_a": {"urlId": "x"}}}),
    ],
)
def test_what_does_not_contradict_itself_is_taken(given_: Manifest) -> None:
    assert found(given_) == []


def test_all_contradictions_are_found() -> None:
    given_ = two_environments({"carriers": [{}]}, {"scenarios": {"scn_a": {"mocks": ["ovr_a", "ovr_b"]}}})
    assert [field.rpartition("environments")[2] for field, _ in found(given_)] == [
        "['qa'].carriers[0]",
        "['staging'].scenarios['scn_a'].mocks[0]",
        "['staging'].scenarios['scn_a'].mocks[1]",
    ]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(manifests())
def test_the_manifests_of_other_tests_do_not_contradict_themselves(given_: Manifest) -> None:
    assert found(given_) == []
