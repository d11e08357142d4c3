"""The check of fields against the contract: what it refuses, what it fills in, and that it never fails otherwise."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from understudy.options.v1 import options_pb2
from understudy.options.v1.options_pb2 import ON_VIOLATION_CLAMP, ON_VIOLATION_TRUNCATE, Limits
from understudy.v1.log_service_pb2 import ListLogsRequest
from understudy.v1.manifest_service_pb2 import ApplyManifestRequest
from understudy.v1.matching_pb2 import Criterion
from understudy.v1.mock_service_pb2 import CreateMockRequest, ListMocksRequest, Mock, UpdateMockRequest
from understudy.v1.project_service_pb2 import EnvironmentChanges, UpdateEnvironmentRequest
from understudy.v1.session_service_pb2 import DeleteSessionRequest, PutSessionRequest
from understudy_server.core.errors import InvalidInput
from understudy_server.core.strict_json import parse
from understudy_server.rpc import fields, options
from understudy_server.rpc.table import rpcs

REQUESTS = sorted({rpc.request.DESCRIPTOR for rpc in rpcs().values()}, key=lambda each: each.name)
TEXTS = ("", "x", "ü" * 64, "ü" * 65, "a" * 200, "a" * 201, "ovr_a", "scn_a", "/a/:b", "GET", "line\n", "\0", "{", "{}")
NUMBERS = (0, 1, 99, 100, 101, 199, 200, 599, 600, 1_000, 1_001, 120_000, 120_001, 31_536_000, 31_536_001)
PATHS = st.lists(
    st.sampled_from(["name", "action", "label", "nothing", "slug", "machine.next", "action.respond"]), max_size=2
)

# How far messages lead into each other, and how many fields of each are set.
DEPTH_MAX, FIELDS_MAX = 4, 6


def refusal(message: Message, **which: tuple[str, ...]) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        fields.check(message, **which)
    return caught.value


def outcome(message: Message) -> InvalidInput | None:
    """What a message is refused with, if it is."""
    try:
        fields.check(message)
    except InvalidInput as error:
        return error
    return None


# Any message of the contract


@st.composite
def messages(draw: st.DrawFn, descriptor: Any, depth: int = DEPTH_MAX) -> Any:
    """Messages of a type, with values on both sides of the limits in some of their fields."""
    kind = GetMessageClass(descriptor)
    if descriptor.full_name == "google.protobuf.FieldMask":
        return kind(paths=draw(PATHS))
    fields = draw(_some_fields(descriptor, bool(depth)))
    return kind(**{field.name: draw(_values(field, depth - 1)) for field in fields})


# To make a strategy takes longer than to draw from it.
@cache
def _some_fields(descriptor: Any, with_messages: bool) -> st.SearchStrategy[list[Any]]:
    within_reach = [field for field in descriptor.fields if with_messages or field.message_type is None]
    if not within_reach:
        return st.just([])
    return st.lists(st.sampled_from(within_reach), max_size=FIELDS_MAX, unique_by=lambda each: each.name)


@cache
def _values(field: Any, depth: int) -> st.SearchStrategy[Any]:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        inner = field.message_type.fields_by_name["value"]
        return st.dictionaries(st.sampled_from(TEXTS), _single(inner, depth), max_size=3)
    if field.is_repeated:
        return st.lists(_single(field, depth), max_size=2) | _single(field, depth).map(lambda each: [each] * 65)
    return _single(field, depth)


def _single(field: Any, depth: int) -> st.SearchStrategy[Any]:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_MESSAGE:
            return messages(field.message_type, depth)
        case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_BYTES:
            return st.binary(max_size=3)
        case FieldDescriptor.CPPTYPE_STRING:
            return st.sampled_from(TEXTS) | st.text(max_size=5)
        case FieldDescriptor.CPPTYPE_BOOL:
            return st.booleans()
        case FieldDescriptor.CPPTYPE_ENUM:
            return st.integers(-1, 4)
        case FieldDescriptor.CPPTYPE_DOUBLE:
            return st.floats()
        case FieldDescriptor.CPPTYPE_UINT32:
            return st.sampled_from(NUMBERS) | st.integers(0, 2**32 - 1)
        case FieldDescriptor.CPPTYPE_INT32:
            return st.sampled_from(NUMBERS) | st.integers(-(2**31), 2**31 - 1)
        case _:
            return st.sampled_from(NUMBERS) | st.integers(-(2**63), 2**63 - 1)


def broken(message: Message, path: str = "") -> Iterator[str]:
    """The paths at which a message breaks its options: the slow and plain reading of options.proto."""
    declared: Iterable[Any] = message.DESCRIPTOR.fields
    for field in declared:
        value, place = getattr(message, field.name), path + field.name
        if options.is_output_only(field):
            continue
        limits, is_set = options.limits(field), message.HasField(field.name) if field.has_presence else bool(value)
        if not is_set:
            if options.is_required(field) and not path:
                yield place
            continue
        if limits.HasField("max_items") and len(value) > limits.max_items:
            yield place
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            if limits.HasField("key_pattern") and not all(re.fullmatch(limits.key_pattern, key) for key in value):
                yield place
            each_value = list(value.values())
        else:
            each_value = list(value) if field.is_repeated else [value]
        for each in each_value:
            if isinstance(each, Message):
                yield from broken(each, place + ".")
            elif _is_broken(field, limits, each):
                yield place


def _is_broken(field: FieldDescriptor, limits: Limits, value: Any) -> bool:
    if field.enum_type is not None:
        return value not in field.enum_type.values_by_number
    if limits.HasField("pattern") and not re.fullmatch(limits.pattern, value):
        return True
    if options.is_raw_json(field) and not _is_json(value):
        return True
    if isinstance(value, float):
        low_end = limits.least if limits.HasField("least") else -sys.float_info.max
        return not low_end <= value <= (limits.greatest if limits.HasField("greatest") else sys.float_info.max)
    size = len(value) if isinstance(value, (str, bytes)) else value
    low, high = ("min_length", "max_length") if isinstance(value, (str, bytes)) else ("min", "max")
    too_small = limits.HasField(low) and size < getattr(limits, low)
    return too_small or (limits.HasField(high) and size > getattr(limits, high))


def _is_json(text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("descriptor", REQUESTS, ids=lambda each: each.name)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_request_is_refused_where_it_is_at_fault_or_satisfies_the_contract(
    descriptor: Descriptor, data: st.DataObject
) -> None:
    request = data.draw(messages(descriptor))
    error = outcome(request)
    if error is None:
        assert not list(broken(request))
    else:
        assert re.split(r"[.\[]", error.fault.field)[0] in descriptor.fields_by_name


@pytest.mark.parametrize("descriptor", REQUESTS, ids=lambda each: each.name)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_checking_twice_is_checking_once(descriptor: Descriptor, data: st.DataObject) -> None:
    request = data.draw(messages(descriptor))
    if outcome(request) is None:
        once = type(request)()
        once.CopyFrom(request)
        assert outcome(request) is None
        assert request == once


# Limits that the contract does not use today


@cache
def _limited() -> type[Message]:
    file = FileDescriptorProto(name="synthetic/v1/limited.proto", package="synthetic.v1", syntax="proto3")
    target = file.message_type.add(name="Limited")
    kinds: dict[str, tuple[FieldDescriptorProto.Type.ValueType, Limits]] = {
        "least": (FieldDescriptorProto.TYPE_INT32, Limits(min=5, on_violation=ON_VIOLATION_CLAMP)),
        "most": (FieldDescriptorProto.TYPE_INT32, Limits(max=-5, on_violation=ON_VIOLATION_CLAMP)),
        "cut": (FieldDescriptorProto.TYPE_STRING, Limits(max_length=3, on_violation=ON_VIOLATION_TRUNCATE)),
        "given": (FieldDescriptorProto.TYPE_STRING, Limits(min_length=2)),
        "several": (FieldDescriptorProto.TYPE_STRING, Limits(min_length=2, max_items=2)),
        "likely": (FieldDescriptorProto.TYPE_DOUBLE, Limits(least=0, greatest=0.5)),
        "free": (FieldDescriptorProto.TYPE_DOUBLE, Limits()),
    }
    for number, (name, (kind, limits)) in enumerate(kinds.items(), 1):
        label = FieldDescriptorProto.LABEL_REPEATED if name == "several" else FieldDescriptorProto.LABEL_OPTIONAL
        field: Any = target.field.add(name=name, number=number, type=kind, label=label)
        field.options.Extensions[options_pb2.limits].CopyFrom(limits)
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return GetMessageClass(pool.FindMessageTypeByName("synthetic.v1.Limited"))


def limited(**values: Any) -> Any:
    return _limited()(**{"given": "ok", **values})


@pytest.mark.parametrize(("value", "expected"), [(-9, 5), (4, 5), (5, 5), (9, 9)])
def test_a_number_with_a_lower_bound_alone_is_moved_up_only(value: int, expected: int) -> None:
    message = limited(least=value)
    fields.check(message)
    assert message.least == expected


@pytest.mark.parametrize(("value", "expected"), [(9, -5), (-4, -5), (-5, -5), (-9, -9)])
def test_a_number_with_an_upper_bound_alone_is_moved_down_only(value: int, expected: int) -> None:
    message = limited(most=value)
    fields.check(message)
    assert message.most == expected


@pytest.mark.parametrize(("value", "expected"), [("", ""), ("üüü", "üüü"), ("üüüü", "üüü"), ("🙂🙂🙂🙂", "🙂🙂🙂")])
def test_text_is_cut_by_characters(value: str, expected: str) -> None:
    message = limited(cut=value)
    fields.check(message)
    assert message.cut == expected


@pytest.mark.parametrize(("value", "rule"), [("", "required"), ("x", "min_length")])
def test_text_with_a_least_length_cannot_be_left_out(value: str, rule: str) -> None:
    error = refusal(limited(given=value))
    assert (error.fault.field, error.fault.rule) == ("given", rule)


def test_a_list_of_texts_with_a_least_length_can_be_empty() -> None:
    fields.check(limited(several=[]))


@pytest.mark.parametrize(("several", "field"), [(["ok", ""], "several[1]"), (["ok"] * 3, "several")])
def test_an_element_is_named_by_its_place(several: list[str], field: str) -> None:
    assert refusal(limited(several=several)).fault.field == field


@pytest.mark.parametrize("value", [-0.0, 0.25, 0.5])
def test_a_number_with_a_fraction_may_be_what_its_bounds_say(value: float) -> None:
    fields.check(limited(likely=value))


@pytest.mark.parametrize(
    ("name", "value", "rule", "message"),
    [
        ("likely", -0.25, "min", "likely is -0.25, less than 0"),
        ("likely", 3.0, "max", "likely is 3, more than 0.5"),
        ("likely", float("nan"), "finite", "likely is nan, and must be a number"),
        ("free", float("inf"), "finite", "free is inf, and must be a number"),
    ],
)
def test_a_number_with_a_fraction_is_refused_beyond_its_bounds(
    name: str, value: float, rule: str, message: str
) -> None:
    error = refusal(limited(**{name: value}))
    assert (error.fault.field, error.fault.rule, error.message) == (name, rule, message)
    assert [str(each) for each in fields.faults(limited(**{name: value}))] == [message]


# The contract's own


def test_an_absent_number_with_a_default_is_filled_in() -> None:
    request = ListMocksRequest()
    fields.check(request)
    assert request.page_size == 100


@pytest.mark.parametrize("given_", [{}, {"limit": 50}])
def test_absent_is_the_default_and_not_a_violation(given_: dict[str, int]) -> None:
    request = ListLogsRequest(session_key="k", **given_)  # type: ignore[arg-type]
    fields.check(request)
    assert request.limit == 50


@pytest.mark.parametrize(("limit", "expected"), [(0, 1), (-(2**31), 1), (1, 1), (100, 100), (2**31 - 1, 100)])
def test_a_clamped_number_is_moved_to_the_nearest_bound(limit: int, expected: int) -> None:
    request = ListLogsRequest(session_key="k", limit=limit)
    fields.check(request)
    assert request.limit == expected


def test_a_number_that_is_not_clamped_is_refused_beyond_its_bound() -> None:
    error = refusal(ListMocksRequest(page_size=1_001))
    assert (error.fault.field, error.fault.rule, error.fault.limit, error.fault.given) == (
        "page_size", "max", "1000", "1001",
    )  # fmt: skip


def test_a_value_in_a_map_is_named_by_its_key() -> None:
    request = CreateMockRequest()
    request.mock.name = "a"
    request.mock.matcher.query["it's"].CopyFrom(Criterion(json_subset="{"))
    assert refusal(request).fault.field == 'mock.matcher.query["it\'s"].json_subset'


@pytest.mark.parametrize(
    ("key", "refused"), [("checkout", False), ("Checkout", True), ("a--b", True), ("it's", True), ("", True)]
)
def test_a_key_of_a_map_has_the_form_that_the_contract_gives_it(key: str, refused: bool) -> None:
    request = ApplyManifestRequest()
    request.manifest.source = "a"
    request.manifest.projects["fine"].SetInParent()
    request.manifest.projects[key].name = "a"
    if not refused:
        fields.check(request)
        return
    fault = refusal(request).fault
    assert (fault.field, fault.rule, fault.given) == (f"manifest.projects[{key!r}]", "key_pattern", key)


def test_keys_of_a_map_are_looked_at_before_what_they_lead_to() -> None:
    request = ApplyManifestRequest()
    request.manifest.source = "a"
    request.manifest.projects["a"].name = "x" * 201
    request.manifest.projects["Z"].SetInParent()
    assert refusal(request).fault.field == "manifest.projects['Z']"


def test_a_list_that_is_too_long_is_refused_as_a_whole() -> None:
    error = refusal(PutSessionRequest(session_key="k", overrides=["ovr_a"] * 1_001))
    assert (error.fault.field, error.fault.rule, error.fault.limit) == ("overrides", "max_items", "1000")


def test_a_field_at_fault_has_the_code_that_the_contract_gives_it() -> None:
    assert refusal(DeleteSessionRequest(session_key="k", mode=9)).code == "invalid_mode"  # type: ignore[arg-type]


def test_what_was_given_is_shown_cut_short() -> None:
    assert refusal(PutSessionRequest(session_key="k", label="x" * 201)).fault.given == "x" * 100


def test_a_check_of_some_fields_looks_at_no_other() -> None:
    request = PutSessionRequest(label="x" * 201, project="p" * 65)
    assert refusal(request, only=("project", "environment")).fault.field == "project"
    assert refusal(request, but=("project", "environment")).fault.field == "session_key"


@pytest.mark.parametrize(
    ("mask", "field"), [(["name"], "mock.name"), (["action"], None), ([], None), (["name", "action"], "mock.name")]
)
def test_a_required_field_of_a_resource_counts_when_the_mask_names_it(mask: list[str], field: str | None) -> None:
    request = UpdateMockRequest(mock_id="ovr_a")
    request.mock.action.respond.status = 200
    request.update_mask.paths.extend(mask)
    if field is None:
        fields.check(request)
    else:
        assert refusal(request).fault.field == field


@pytest.mark.parametrize(
    ("mask", "field"),
    [
        (["machine.next"], None),
        (["machine"], "mock.machine.machine"),
        (["machine.machine"], "mock.machine.machine"),
        (["machine.next", "matcher.query"], None),
        ([], "mock.machine.machine"),
    ],
)
def test_a_required_field_within_a_part_counts_when_the_mask_names_it_or_the_part(
    mask: list[str], field: str | None
) -> None:
    request = UpdateMockRequest(mock_id="ovr_a")
    request.mock.machine.next = "paid"
    request.update_mask.paths.extend(mask)
    if field is None:
        fields.check(request)
    else:
        assert refusal(request).fault.field == field


def _without_header_name(request: Any) -> Any:
    request.mock.name = "a"
    request.mock.action.respond.headers.add(value="x")
    return request


@pytest.mark.parametrize(
    "make", [CreateMockRequest, lambda: UpdateMockRequest(mock_id="ovr_a")], ids=["create", "update"]
)
def test_what_lies_deeper_than_the_mask_reaches_is_always_required(make: Callable[[], Message]) -> None:
    assert refusal(_without_header_name(make())).fault.field == "mock.action.respond.headers[0].name"


def test_a_required_field_of_the_request_counts_whatever_the_mask_says() -> None:
    request = UpdateMockRequest()
    request.mock.name = "a"
    request.update_mask.paths.append("name")
    assert refusal(request).fault.field == "mock_id"


def test_output_only_fields_are_not_looked_at() -> None:
    request = CreateMockRequest()
    request.mock.name = "a"
    request.mock.state = 77  # type: ignore[assignment]
    fields.check(request)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            UpdateEnvironmentRequest(changes=EnvironmentChanges(upstream="shop.test")),
            "changes.upstream must be a URL such as https://shop.example.com/api: http or https, a host, perhaps a port"
            " and a path, no user, query or fragment",
        ),
        (
            UpdateEnvironmentRequest(changes=EnvironmentChanges(hosts=["A.test:80"])),
            "changes.hosts[0] must be a host name in lower case without a port, such as shop.example.com",
        ),
        (
            CreateMockRequest(mock=Mock(id="cart", name="a")),
            "mock.id must be ovr_ and then 1 to 64 letters, digits, _ or -",
        ),
    ],
)
def test_what_has_another_form_is_told_the_form_in_words(request_: Message, message: str) -> None:
    assert refusal(request_).message == message


def test_every_pattern_of_the_contract_has_its_form_in_words() -> None:
    files = {file.name: file for file in _files() if file.package.startswith("understudy.")}
    limits = [
        options.limits(field)
        for file in files.values()
        for message in _messages(file.message_types_by_name.values())
        for field in message.fields
    ]
    patterns = [each for each in limits if each.HasField("pattern") or each.HasField("key_pattern")]
    assert len(patterns) > 20
    assert [each for each in patterns if not each.form] == []


def _files() -> Iterator[Any]:
    for request in REQUESTS:
        yield request.file
        yield from request.file.dependencies


def _messages(messages: Iterable[Descriptor]) -> Iterator[Descriptor]:
    for message in messages:
        yield message
        yield from _messages(message.nested_types)
