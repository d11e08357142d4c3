"""Setting what a mask names: nested paths, members of a oneof, maps and lists whole."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from understudy.v1.actions_pb2 import Action, Forward, Respond
from understudy.v1.matching_pb2 import Criterion, RequestMatcher
from understudy.v1.mock_service_pb2 import Mock
from understudy_server.app.masks import paths_to_set, set_fields, set_paths
from understudy_server.app.mock_fields import SETTABLE
from understudy_server.core.errors import InvalidInput

DECLINED = Mock(
    id="ovr_a",
    name="a",
    priority=7,
    tags=["x", "y"],
    matcher=RequestMatcher(path="/a", query={"q": Criterion(equals="1")}),
    action=Action(respond=Respond(status=402, text="no"), bytes_per_second=9),
)


def changed(values: Mock, *paths: str) -> Mock:
    target = Mock()
    target.CopyFrom(DECLINED)
    set_paths(target, values, paths)
    return target


def test_a_nested_path_sets_one_field_and_keeps_its_neighbours() -> None:
    made = changed(Mock(action=Action(respond=Respond(status=503))), "action.respond.status")
    assert made.action == Action(respond=Respond(status=503, text="no"), bytes_per_second=9)


def test_a_path_into_another_member_of_a_oneof_switches_it() -> None:
    forward = Forward(target="https://a.test")
    made = changed(Mock(action=Action(forward=forward)), "action.forward.target")
    assert made.action == Action(forward=forward, bytes_per_second=9)


def test_a_body_of_another_kind_takes_the_place_of_the_one_before() -> None:
    made = changed(Mock(action=Action(respond=Respond(json="{}"))), "action.respond.json")
    assert made.action.respond == Respond(status=402, json="{}")


@pytest.mark.parametrize(
    "path", ["action.forward.target", "matcher.body.equals", "lifetime.uses_max", "matcher.body.not.not.equals"]
)
def test_to_clear_something_in_what_is_not_there_changes_nothing(path: str) -> None:
    assert changed(Mock(), path) == DECLINED


def test_what_is_named_and_not_given_is_cleared() -> None:
    made = changed(Mock(), "action.respond.status", "priority", "tags", "matcher.query")
    assert (made.action.respond, made.priority, list(made.tags)) == (Respond(text="no"), 0, [])
    assert made.matcher == RequestMatcher(path="/a")


def test_maps_and_lists_are_set_whole() -> None:
    values = Mock(tags=["z"], matcher=RequestMatcher(query={"r": Criterion(equals="2")}))
    made = changed(values, "tags", "matcher.query")
    assert (list(made.tags), list(made.matcher.query)) == (["z"], ["r"])


def test_a_number_of_nothing_is_set_when_it_is_named() -> None:
    assert changed(Mock(priority=0), "priority").priority == 0


def test_fields_are_set_whole_from_a_message_of_another_type() -> None:
    target = Mock()
    target.CopyFrom(DECLINED)
    set_fields(target, Mock(action=Action(respond=Respond(status=200))), ("action", "priority", "lifetime"))
    assert (target.action, target.priority, target.HasField("lifetime")) == (
        Action(respond=Respond(status=200)), 0, False,
    )  # fmt: skip


def test_without_a_mask_the_populated_fields_count() -> None:
    assert paths_to_set(DECLINED, FieldMask(), SETTABLE) == ["action", "matcher", "name", "priority", "tags"]


def test_a_path_that_is_named_twice_counts_once_and_in_order() -> None:
    mask = FieldMask(paths=["tags", "action.delay.fixed_ms", "tags"])
    assert paths_to_set(DECLINED, mask, SETTABLE) == ["tags", "action.delay.fixed_ms"]


@pytest.mark.parametrize(
    "path",
    [
        "id", "state", "active", "scenario", "revision", "expires_at", "session", "nothing", "", ".", "name.", ".name",
        "name.x", "action.nothing", "action.respond.", "action..respond", "matcher.query.q", "tags.0",
        "action.respond.headers.name", "action.respond.status.x", "*", "Action", "action.respond.headerTemplates",
    ],
)  # fmt: skip
def test_a_path_that_leads_nowhere_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        paths_to_set(DECLINED, FieldMask(paths=[path]), SETTABLE)
    assert (refused.value.fault.field, refused.value.fault.given) == ("update_mask", path)
