"""Strategies for manifests: any message that keeps the limits of the contract and does not contradict itself.

Made from descriptors and their limits, so that a new field of the contract is drawn without a line here. What only the
checks of the server know (names that must differ, references) is drawn by hand. A strategy is made once and kept: to
make one, of a pattern above all, takes longer than to draw from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from json.encoder import encode_basestring
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from support.coherent import LEFT_OUT, NEVER_EMPTY, SPECIAL, put_right
from understudy.options.v1.options_pb2 import Limits
from understudy.v1.flags_pb2 import FLAG_KIND_JSON
from understudy.v1.manifest_service_pb2 import (
    Manifest,
    ManifestEnvironment,
    ManifestFlag,
    ManifestFlagState,
    ManifestMock,
    ManifestProject,
)
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT
from understudy_server.rpc import options

TRICKY_TEXTS = (
    *(
        "no",
        "Yes",
        "on",
        "OFF",
        "y",
        "null",
        "Null",
        "~",
        "true",
        "FALSE",
        "1:30",
        "017",
        "0o17",
        "0x1f",
        "1_000",
        "1e3",
    ),
    *(
        ".inf",
        "-.INF",
        ".nan",
        "-1",
        "+1",
        "1.",
        ".5",
        "2024-01-01",
        "2024-01-01T00:00:00Z",
        "12:30:45",
        "=",
        "<<",
        "-",
    ),
    *(
        "",
        " ",
        " x",
        "x ",
        "a: b",
        "a:",
        "a #b",
        "#a",
        "- a",
        "? a",
        ": a",
        "&a",
        "*a",
        "!a",
        "%a",
        "@a",
        "`a",
        "|",
        ">",
    ),
    *("{a}", "[a]", "a, b", "'a'", '"a"', "it's", 'say "a"', "\\d+", "a\\", "${A}", "$${A}", "${", "$$", "$$${A:-b}"),
    *("a\nb", "a\nb\n", "a\n\n", "\na", " a\n b", "\ta\n", "a\n \n", "a \nb", "a\r\nb", "\n", "---\na", "...", "--- a"),
    *(
        "é",
        "\u00a0",
        "\x85",
        "a\u2028b",
        "\ufeffa",
        "\U0001f600",
        "a\x00b",
        "a\x7fb",
        "\ufffe",
        "x" * 300,
        "POST /a",
        "/a",
    ),
)
"""Texts that some reader or writer of YAML takes for something else."""

_TEXTS = st.one_of(st.sampled_from(TRICKY_TEXTS), st.text(max_size=20))
_NUMBERS = ("0", "-0", "1", "-17", "1.50", "1E5", "2e-3", "12345678901234567890", "0.1")
_DRAWN_BY_HAND = frozenset(
    ("hosts", "mocks", "scenarios", "existing", "projects", "environments", "local_mocks", "flags", "states")
)
_ELEMENTS_MAX = 3
_CRITERIA_DEPTH_MAX = 2
_CRITERION = "understudy.v1.Criterion"
_BOOLEANS = st.booleans()


def json_texts() -> SearchStrategy[str]:
    """JSON text without white space between its parts, of any kind of value."""
    scalars = st.one_of(st.sampled_from(("null", "true", "false", *_NUMBERS)), _TEXTS.map(encode_basestring))
    return st.recursive(scalars, _containers, max_leaves=8)


def messages(kind: type[Message]) -> SearchStrategy[Any]:
    """Messages of a type within the limits of the contract; maps of them have no rules beyond their keys here."""
    return _messages(kind.DESCRIPTOR)


@cache
def mocks() -> SearchStrategy[ManifestMock]:
    """Mocks as manifests declare them."""
    return messages(ManifestMock)


@st.composite
def environments(draw: DrawFn, hosts: SearchStrategy[str] | None = None) -> ManifestEnvironment:
    """Environments that do not contradict themselves; ``hosts`` draws names that no other environment has."""
    is_existing = draw(_BOOLEANS)
    environment = ManifestEnvironment(existing=is_existing)
    if not is_existing:
        environment.MergeFrom(draw(_messages(ManifestEnvironment.DESCRIPTOR, _DRAWN_BY_HAND)))
    if hosts is not None and not is_existing:
        environment.hosts.extend(draw(st.lists(hosts, max_size=2)))
    ids = draw(_unique(_keys(ManifestEnvironment, "mocks"), 2 * _ELEMENTS_MAX))
    library, local = ids[::2], ids[1::2]
    for mock_id in library:
        environment.mocks[mock_id].CopyFrom(draw(mocks()))
    published = [each for each in library if environment.mocks[each].state != MOCK_STATE_DRAFT]
    _add_scenarios(draw, environment, published, local)
    return environment


@st.composite
def manifests(draw: DrawFn) -> Manifest:
    """Manifests that a server without anything would apply, as far as they tell themselves."""
    manifest: Manifest = draw(_messages(Manifest.DESCRIPTOR, _DRAWN_BY_HAND))
    hosts = _Different("h{}.example.com").strategy()
    for slug in draw(_some(_keys(Manifest, "projects"), at_least=1)):
        project = manifest.projects[slug]
        project.existing = draw(_BOOLEANS)
        if not project.existing:
            project.MergeFrom(draw(_messages(ManifestProject.DESCRIPTOR, _DRAWN_BY_HAND)))
        for name in draw(_some(_keys(ManifestProject, "environments"))):
            project.environments[name].CopyFrom(draw(environments(hosts)))
        for key in draw(_some(_keys(ManifestProject, "flags"))):
            project.flags[key].CopyFrom(draw(_flags(sorted(project.environments))))
    return manifest


@st.composite
def _flags(draw: DrawFn, environments: Sequence[str]) -> ManifestFlag:
    """Flags that do not contradict themselves, with states in some environments."""
    flag: ManifestFlag = draw(_messages(ManifestFlag.DESCRIPTOR, _DRAWN_BY_HAND))
    if flag.kind != FLAG_KIND_JSON:
        flag.ClearField("default_value")
    for number, variant in enumerate(flag.variants):
        variant.key = f"{variant.key}{number}"
    for slug in environments:
        if draw(_BOOLEANS):
            flag.states[slug].CopyFrom(draw(_messages(ManifestFlagState.DESCRIPTOR)))
            for number, rule in enumerate(flag.states[slug].rules, 1):
                rule.id = f"rule_{number}"
    return flag


@dataclass(slots=True)
class _Different:
    """Draws names that all differ."""

    form: str
    count: int = 0

    def strategy(self) -> SearchStrategy[str]:
        return st.builds(self._next)

    def _next(self) -> str:
        self.count += 1
        return self.form.format(self.count)


def _add_scenarios(
    draw: DrawFn, environment: ManifestEnvironment, published: Sequence[str], local: Sequence[str]
) -> None:
    url_ids: set[str] = set()
    left = list(local)
    for scenario_id in draw(_some(_keys(ManifestEnvironment, "scenarios"))):
        scenario = environment.scenarios[scenario_id]
        scenario.MergeFrom(draw(_messages(scenario.DESCRIPTOR, _DRAWN_BY_HAND)))
        if scenario.url_id in url_ids:
            scenario.url_id = ""
        url_ids.add(scenario.url_id)
        if published:
            scenario.mocks.extend(draw(st.lists(st.sampled_from(published), unique=True)))
        for _ in range(draw(st.integers(0, len(left)))):
            scenario.local_mocks[left.pop()].CopyFrom(draw(mocks()))


def _containers(values: SearchStrategy[str]) -> SearchStrategy[str]:
    lists = st.lists(values, max_size=3).map(lambda each: f"[{','.join(each)}]")
    objects = st.dictionaries(_TEXTS, values, max_size=3).map(
        lambda each: "{" + ",".join(f"{encode_basestring(key)}:{value}" for key, value in each.items()) + "}"
    )
    return st.one_of(lists, objects)


def _some(keys: SearchStrategy[str], at_least: int = 0) -> SearchStrategy[list[str]]:
    return _unique(keys, _ELEMENTS_MAX - 1, at_least)


@cache
def _unique(keys: SearchStrategy[str], at_most: int, at_least: int = 0) -> SearchStrategy[list[str]]:
    return st.lists(keys, unique=True, min_size=at_least, max_size=at_most)


@cache
def _keys(kind: type[Message], field: str) -> SearchStrategy[str]:
    """Keys of a map: slugs are at most 64 characters, which is a rule of what they become."""
    descriptor: Any = kind.DESCRIPTOR
    pattern = options.limits(descriptor.fields_by_name[field]).key_pattern
    keys = _matching(pattern).filter(lambda key: len(key) <= 64)
    is_id = pattern.startswith(("ovr_", "scn_"))
    return keys if is_id else st.one_of(st.sampled_from(("no", "1", "0x1f", "y", "null", "a-1")), keys)


def _messages(
    descriptor: Any, without: frozenset[str] = frozenset(), depth: int = _CRITERIA_DEPTH_MAX
) -> SearchStrategy[Any]:
    """Messages of a type without some fields; ``depth`` is how many criteria may still stand in each other."""
    return _cached_messages(descriptor, without, depth)


@cache
def _cached_messages(descriptor: Descriptor, without: frozenset[str], depth: int) -> SearchStrategy[Any]:
    return _drawn_message(descriptor, without, depth)


@st.composite
def _drawn_message(draw: DrawFn, descriptor: Descriptor, without: frozenset[str], depth: int) -> Message:
    message = GetMessageClass(descriptor)()
    fields = _fields(descriptor, without, depth)
    chosen = {draw(choice).name for choice in fields.choices}
    # One draw for all that may be left out takes a fraction of the time of one for each.
    for taken, field in zip(draw(fields.taken), fields.all, strict=True):
        if _is_chosen(field) and field.name not in chosen:
            continue
        if taken % 2 or _must_be_set(field):
            _draw_field(draw, message, field, depth - (descriptor.full_name == _CRITERION))
    put_right(message)
    return message


@dataclass(frozen=True, slots=True)
class _Fields:
    """What a message is drawn from: of each of the ``choices`` one field, and those whose byte of ``taken`` is odd."""

    all: Sequence[FieldDescriptor]
    choices: Sequence[SearchStrategy[FieldDescriptor]]
    taken: SearchStrategy[bytes]


@cache
def _fields(descriptor: Descriptor, without: frozenset[str], depth: int) -> _Fields:
    fields = [
        field
        for field in descriptor.fields
        if field.name not in without and field.full_name not in LEFT_OUT and (depth or not _leads_to_criteria(field))
    ]
    groups = [[each for each in fields if each.containing_oneof == group] for group in descriptor.oneofs]
    choices = [st.sampled_from(members) for members in groups if _is_chosen(members[0])]
    return _Fields(fields, choices, st.binary(min_size=len(fields), max_size=len(fields)))


def _leads_to_criteria(field: FieldDescriptor) -> bool:
    """True for a field of a criterion that holds criteria, and whatever else may."""
    if field.message_type is None:
        return False
    return field.message_type.full_name == _CRITERION or any(
        each.message_type is not None
        and each.message_type.full_name != field.message_type.full_name
        and _leads_to_criteria(each)
        for each in field.message_type.fields
    )


@cache
def _must_be_set(field: FieldDescriptor) -> bool:
    if _is_chosen(field):
        return field.full_name.rpartition(".")[0] in NEVER_EMPTY
    never_empty = options.limits(field).min_length > 0 and not (field.has_presence or field.is_repeated)
    return never_empty or options.is_required(field)


@cache
def _is_chosen(field: FieldDescriptor) -> bool:
    """True for a field of a group of which one at most is set."""
    group = field.containing_oneof
    return group is not None and group.name != f"_{field.name}"


def _draw_field(draw: DrawFn, message: Message, field: FieldDescriptor, depth: int) -> None:
    value = getattr(message, field.name)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        inner = field.message_type.fields_by_name["value"]
        for key in draw(_unique(_keys_of(field), _ELEMENTS_MAX)):
            if inner.message_type is None:
                value[key] = draw(_values_of(field))
            else:
                value[key].CopyFrom(draw(_messages(inner.message_type, depth=depth)))
    elif field.is_repeated:
        for each in draw(_several(field, depth)):
            value.append(each)
    elif field.message_type is not None:
        value.SetInParent()
        value.CopyFrom(draw(_single(field, depth)))
    else:
        setattr(message, field.name, draw(_single(field, depth)))


@cache
def _keys_of(field: FieldDescriptor) -> SearchStrategy[str]:
    """Keys of a map that have no rules beyond the field's."""
    pattern = options.limits(field).key_pattern
    return _matching(pattern).filter(lambda key: len(key) <= 64) if pattern else _TEXTS


@cache
def _values_of(field: FieldDescriptor) -> SearchStrategy[Any]:
    """Values of a map that are no messages."""
    entry: Any = field.message_type
    inner = entry.fields_by_name["value"]
    return _SCALARS[inner.cpp_type](inner, options.limits(field))


@cache
def _several(field: FieldDescriptor, depth: int) -> SearchStrategy[list[Any]]:
    return st.lists(_single(field, depth), max_size=_ELEMENTS_MAX)


@cache
def _single(field: FieldDescriptor, depth: int) -> SearchStrategy[Any]:
    """One value of a field."""
    limits = options.limits(field)
    if field.full_name in SPECIAL:
        return st.sampled_from(SPECIAL[field.full_name])
    if field.message_type is not None:
        return _messages(field.message_type, depth=depth)
    if field.enum_type is not None:
        return st.sampled_from([value.number for value in field.enum_type.values if value.number])
    if options.is_raw_json(field):
        return json_texts()
    return _SCALARS[field.cpp_type](field, limits)


def _text(field: FieldDescriptor, limits: Limits) -> SearchStrategy[Any]:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=40)
    values = st.one_of(st.sampled_from(TRICKY_TEXTS), st.text(max_size=20))
    if limits.HasField("pattern"):
        values = _matching(limits.pattern)
    most = limits.max_length if limits.HasField("max_length") else 1_000
    return values.filter(lambda value: limits.min_length <= len(value) <= most)


@cache
def _matching(pattern: str) -> SearchStrategy[str]:
    return st.from_regex(rf"\A(?:{pattern})\Z", fullmatch=False)


def _number(_: FieldDescriptor, limits: Limits) -> SearchStrategy[float]:
    least = limits.least if limits.HasField("least") else None
    most = limits.greatest if limits.HasField("greatest") else None
    return st.floats(least, most, allow_nan=False, allow_infinity=False)


def _integer(field: FieldDescriptor, limits: Limits) -> SearchStrategy[int]:
    least = limits.min if limits.HasField("min") else 0
    most = limits.max if limits.HasField("max") else 2**31 - 1
    return st.integers(least, most)


_SCALARS = {
    FieldDescriptor.CPPTYPE_STRING: _text,
    FieldDescriptor.CPPTYPE_BOOL: lambda *_: st.booleans(),
    FieldDescriptor.CPPTYPE_INT32: _integer,
    FieldDescriptor.CPPTYPE_INT64: _integer,
    FieldDescriptor.CPPTYPE_UINT32: _integer,
    FieldDescriptor.CPPTYPE_UINT64: _integer,
    FieldDescriptor.CPPTYPE_DOUBLE: _number,
}
