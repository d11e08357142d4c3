"""What is told of changes: the fields that differ, as JSON, and what looks renamed."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.dispatching import world
from support.manifesting import Operator, answering, line, staging
from understudy.v1 import manifest_service_pb2 as pb
from understudy_server.app.manifests.differing import VALUE_CHARACTERS_MAX

A, B = answering("a", "/a"), answering("b", "/b")


@pytest.fixture
async def operator(tmp_path: Path) -> AsyncIterator[Operator]:
    async with world(tmp_path / "data") as made:
        yield Operator(made)


async def told(operator: Operator, before: pb.Manifest, after: pb.Manifest) -> list[tuple[str, Any, Any]]:
    """The fields that differ between two manifests, of the only thing that changes."""
    await operator.apply(before)
    (change,) = await operator.changes(after)
    return [(each.path, json.loads(each.before), json.loads(each.after)) for each in change.fields]


def one_mock(**fields: Any) -> pb.Manifest:
    return staging(mocks={"ovr_a": fields})


def responding(**fields: Any) -> pb.Manifest:
    return one_mock(action={"respond": fields})


@pytest.mark.parametrize(
    ("before", "after", "fields"),
    [
        (one_mock(), one_mock(name="A"), [("name", "ovr_a", "A")]),
        (one_mock(), one_mock(state="MOCK_STATE_DRAFT"), [("state", "published", "draft")]),
        (one_mock(), one_mock(matcher={"path": "/a"}), [("matcher", None, {"path": "/a"})]),
        (
            one_mock(matcher={"path": "/a"}),
            one_mock(matcher={"path": "/a", "method": "GET"}),
            [("matcher.method", None, "GET")],
        ),
        (
            one_mock(matcher={"query": {"a": {"equals": "1"}, "b.c": {"equals": "1"}, "d": {"equals": ""}}}),
            one_mock(matcher={"query": {"a": {"equals": "2"}, "e": {"jsonSubset": "[1.0]"}, "d": {"equals": ""}}}),
            [
                ("matcher.query.a.equals", "1", "2"),
                ('matcher.query["b.c"]', {"equals": "1"}, None),
                ("matcher.query.e", None, {"jsonSubset": [1.0]}),
            ],
        ),
        (responding(status=402), responding(status=409), [("action.respond.status", 402, 409)]),
        (responding(json='{"a": 1}'), responding(json='{"a": 2}'), [("action.respond.json", {"a": 1}, {"a": 2})]),
        (
            responding(json="1"),
            responding(text="1"),
            [("action.respond.json", 1, None), ("action.respond.text", None, "1")],
        ),
        (responding(json="null"), responding(), [("action.respond.json", None, None)]),
        (responding(binary="AAE="), responding(binary="AAI="), [("action.respond.binary", "AAE=", "AAI=")]),
        (
            responding(headers=[{"name": "a", "value": "1"}]),
            responding(headers=[{"name": "a", "value": "2"}, {"name": "b"}]),
            [
                (
                    "action.respond.headers",
                    [{"name": "a", "value": "1"}],
                    [{"name": "a", "value": "2"}, {"name": "b"}],
                )
            ],
        ),
        (
            one_mock(action={"delay": {"fixedMs": 1}}),
            one_mock(action={"respond": {}}),
            [("action.respond", None, {"status": 200}), ("action.delay", {"fixedMs": 1}, None)],
        ),
        (staging(strict=True, hosts=["a.test"]), staging(), [("hosts", ["a.test"], None), ("strict", True, False)]),
        (
            staging(limits={"capturedBytesMax": "0"}),
            staging(limits={"firstByteMs": 5}),
            [("limits.capturedBytesMax", 0, None), ("limits.firstByteMs", 0, 5)],
        ),
        (
            staging(carriers=[{"cookie": "sid"}], upstream="http://a"),
            staging(carriers=[{"jwtClaim": "sub"}]),
            [("upstream", "http://a", None), ("carriers", [{"cookie": "sid"}], [{"jwtClaim": "sub"}])],
        ),
    ],
)
async def test_what_differs_is_told_field_by_field(
    operator: Operator, before: pb.Manifest, after: pb.Manifest, fields: list[tuple[str, Any, Any]]
) -> None:
    assert await told(operator, before, after) == fields


async def test_digits_and_the_order_of_keys_are_told_as_they_are(operator: Operator) -> None:
    await operator.apply(responding(json='{"b": 1.50, "a": 2}'))
    (change,) = await operator.changes(responding(json='{"b": 1.5, "a": 2}'))
    assert (change.fields[0].before, change.fields[0].after) == ('{"b":1.50,"a":2}', '{"b":1.5,"a":2}')


async def test_long_values_are_told_from_where_they_differ(operator: Operator) -> None:
    same = "x" * 5_000
    (field,) = await told(operator, responding(text=f"{same}old{same}"), responding(text=f"{same}new"))
    _, before, after = field
    assert len(before) < VALUE_CHARACTERS_MAX + 50
    assert before.startswith("…xxx")
    assert before[41:44] == "old"
    assert before.endswith("… (10005 characters)")
    assert after[41:] == 'new"'


async def test_a_long_value_that_is_new_is_told_from_its_beginning(operator: Operator) -> None:
    (field,) = await told(operator, responding(), responding(text="x" * 2_000))
    assert field[1] is None
    assert field[2].startswith('"xxx')
    assert field[2].endswith("… (2002 characters)")


# What looks renamed


def test_a_line_tells_what_a_change_does() -> None:
    change = pb.ManifestChange(
        kind=pb.CHANGE_KIND_DELETE,
        resource=pb.RESOURCE_KIND_MOCK,
        project="p",
        environment="e",
        id="ovr_a",
        renamed_to="ovr_b",
        sessions=2,
    )
    assert line(change) == "delete mock p/e/ovr_a -> ovr_b [2 sessions]"


async def renames(operator: Operator, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What goes, when an environment with some fields becomes one with others."""
    await operator.apply(staging(**before))
    return [each for each in await operator.apply(staging(**after)) if each.startswith("delete")]


async def test_a_mock_that_says_the_same_under_another_id_looks_renamed(operator: Operator) -> None:
    gone = await renames(operator, {"mocks": {"ovr_a": A, "ovr_b": B}}, {"mocks": {"ovr_c": B, "ovr_d": A}})
    assert gone == ["delete mock shop/staging/ovr_a -> ovr_d", "delete mock shop/staging/ovr_b -> ovr_c"]


@pytest.mark.parametrize("other", [B, {**A, "name": "Another"}, {**A, "state": "MOCK_STATE_DRAFT"}])
async def test_a_mock_that_says_something_else_does_not_look_renamed(operator: Operator, other: dict[str, Any]) -> None:
    gone = await renames(operator, {"mocks": {"ovr_a": A}}, {"mocks": {"ovr_b": other}})
    assert gone == ["delete mock shop/staging/ovr_a"]


async def test_each_new_mock_is_the_new_name_of_one(operator: Operator) -> None:
    gone = await renames(operator, {"mocks": {"ovr_a": A, "ovr_b": A}}, {"mocks": {"ovr_c": A}})
    assert gone == ["delete mock shop/staging/ovr_a -> ovr_c", "delete mock shop/staging/ovr_b"]


async def test_a_mock_that_was_there_before_is_nobodys_new_name(operator: Operator) -> None:
    gone = await renames(operator, {"mocks": {"ovr_a": A, "ovr_b": A}}, {"mocks": {"ovr_b": A}})
    assert gone == ["delete mock shop/staging/ovr_a"]


async def test_a_scenario_looks_renamed_with_the_mocks_in_it(operator: Operator) -> None:
    before = {
        "mocks": {"ovr_a": A},
        "scenarios": {"scn_a": {"name": "S", "mocks": ["ovr_a"], "localMocks": {"ovr_l": B}}},
    }
    after = {
        "mocks": {"ovr_b": A},
        "scenarios": {"scn_b": {"name": "S", "mocks": ["ovr_b"], "localMocks": {"ovr_m": B}}},
    }
    gone = await renames(operator, before, after)
    assert gone == [
        "delete mock shop/staging/ovr_a -> ovr_b",
        "delete mock shop/staging/ovr_l",
        "delete scenario shop/staging/scn_a -> scn_b",
    ]


async def test_a_scenario_with_other_mocks_does_not_look_renamed(operator: Operator) -> None:
    before = {"scenarios": {"scn_a": {"name": "S", "localMocks": {"ovr_l": A}}}}
    after = {"scenarios": {"scn_b": {"name": "S", "localMocks": {"ovr_m": B}}}}
    assert (await renames(operator, before, after))[-1] == "delete scenario shop/staging/scn_a"


async def test_a_mock_that_only_changes_its_home_does_not_look_renamed(operator: Operator) -> None:
    gone = await renames(operator, {"mocks": {"ovr_a": A}}, {"scenarios": {"scn_a": {"localMocks": {"ovr_a": A}}}})
    assert gone == ["delete mock shop/staging/ovr_a"]
