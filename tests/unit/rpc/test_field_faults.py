"""All that is wrong with a message, at once: the same rules as those by which a call is refused."""

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from understudy.v1.actions_pb2 import Action, Delay, Header, Respond
from understudy.v1.log_service_pb2 import ListLogsRequest
from understudy.v1.manifest_service_pb2 import Manifest, ManifestEnvironment, ManifestMock, ManifestProject
from understudy.v1.matching_pb2 import RequestMatcher
from understudy_server.core.errors import InvalidInput
from understudy_server.rpc import fields


def found(message: Message) -> list[tuple[str, str]]:
    return [(fault.fault.field, fault.fault.rule) for fault in fields.faults(message)]


def refused(message: Message) -> tuple[str, str] | None:
    """What the one check that a call goes through says first."""
    try:
        fields.check(message)
    except InvalidInput as error:
        return error.fault.field, error.fault.rule
    return None


def manifest(**environment: object) -> Manifest:
    staging = ManifestEnvironment(**environment)  # type: ignore[arg-type]  # what each test is about
    return Manifest(source="a", projects={"shop": ManifestProject(environments={"staging": staging})})


STAGING = "projects['shop'].environments['staging']"


def test_a_message_without_fault_has_none() -> None:
    assert found(manifest(upstream="https://x", mocks={"ovr_a": ManifestMock()})) == []


def test_faults_of_all_fields_are_found() -> None:
    mock = ManifestMock(
        matcher=RequestMatcher(method="get"),
        action=Action(respond=Respond(status=999, headers=[Header(name="x"), Header(value="é")], json="{")),
    )
    assert found(manifest(upstream="x", hosts=["A", "b", "C"], mocks={"ovr_a": mock, "a": ManifestMock()})) == [
        (f"{STAGING}.upstream", "pattern"),
        (f"{STAGING}.hosts[0]", "pattern"),
        (f"{STAGING}.hosts[2]", "pattern"),
        (f"{STAGING}.mocks['a']", "key_pattern"),
        (f"{STAGING}.mocks['ovr_a'].matcher.method", "pattern"),
        (f"{STAGING}.mocks['ovr_a'].action.respond.status", "max"),
        (f"{STAGING}.mocks['ovr_a'].action.respond.headers[1].name", "required"),
        (f"{STAGING}.mocks['ovr_a'].action.respond.headers[1].value", "pattern"),
        (f"{STAGING}.mocks['ovr_a'].action.respond.json", "json"),
    ]


def test_too_many_elements_are_one_fault_beside_those_of_the_elements() -> None:
    assert found(manifest(hosts=["a"] * 32 + ["B"])) == [
        (f"{STAGING}.hosts", "max_items"),
        (f"{STAGING}.hosts[32]", "pattern"),
    ]


def test_what_is_required_and_missing_is_found() -> None:
    assert found(Manifest()) == [("source", "required")]


def test_nothing_is_filled_in() -> None:
    message = manifest(mocks={"ovr_a": ManifestMock(action=Action(respond=Respond(text="x")))})
    before = message.SerializeToString(deterministic=True)
    assert found(message) == []
    assert message.SerializeToString(deterministic=True) == before


@pytest.mark.parametrize("limit", [0, 1000])
def test_what_a_call_would_move_into_its_range_is_no_fault(limit: int) -> None:
    assert found(ListLogsRequest(session_key="a", limit=limit)) == []


@given(
    st.builds(
        Respond,
        status=st.integers(0, 1000),
        headers=st.lists(
            st.builds(Header, name=st.sampled_from(["", "x", "é"]), value=st.sampled_from(["", "a", "\n"]))
        ),
        json=st.sampled_from(["", "{", "1"]),
    ),
    st.integers(0, 200_000),
)
def test_the_first_fault_is_what_a_call_is_refused_with(respond: Respond, delay_ms: int) -> None:
    mock = ManifestMock(action=Action(respond=respond, delay=Delay(fixed_ms=delay_ms)))
    faults = found(mock)
    assert refused(mock) == (faults[0] if faults else None)
