"""The query string: parsed strictly, and bound to fields by their JSON names (``a.b`` for nested ones)."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from understudy_gateway.transcoding.faults import BadValue, misfit, unknown
from understudy_gateway.transcoding.fields import Field, Kind, read_fields
from understudy_gateway.transcoding.json_decode import Reading
from understudy_gateway.transcoding.routes import BadEncoding, decode
from understudy_gateway.transcoding.values import set_timestamp, text_reader

_Set = Callable[[Message, Any], None]


Parameters = Mapping[str, Sequence[str]]
"""The values of each name, in order."""

MEMO_QUERIES_MAX = 1024
MEMO_QUERY_BYTES_MAX = 512
MEMO_PAIRS_MAX = 16
"""One of more pairs is not remembered: what is read of it takes a hundred times its bytes."""


def parse(raw: bytes) -> Parameters:
    """Read a query string; ``+`` is a space. Raises ``BadEncoding``."""
    is_short = len(raw) <= MEMO_QUERY_BYTES_MAX and raw.count(b"&") < MEMO_PAIRS_MAX
    return _remembered(raw) if is_short else _parse(raw)


def _parse(raw: bytes) -> Parameters:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise BadEncoding from error
    plain = "+" not in text and "%" not in text
    values: dict[str, list[str]] = {}
    for pair in text.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            if not plain:
                name, value = decode(name.replace("+", " ")), decode(value.replace("+", " "))
            values.setdefault(name, []).append(value)
    return values


# Clients name the same few places again and again.
_remembered = lru_cache(MEMO_QUERIES_MAX)(_parse)


class _Target(NamedTuple):
    """What a parameter sets: a field of the message that is reached through ``parents``."""

    parents: tuple[str, ...]
    spec: Field
    put: _Set

    @property
    def path(self) -> str:
        return ".".join((*self.parents, self.spec.name))


class QueryBinder:
    """Binds parameters to the fields of one message type. ``names`` (proto) are the fields open to the query."""

    def __init__(self, message: Descriptor, names: frozenset[str]) -> None:
        self._fields = {spec.json_name: spec for spec in read_fields(message) if spec.name in names}
        self._targets = _targets(self._fields, ())

    def fill(self, message: Message, parameters: Parameters, reading: Reading) -> None:
        """Set what the parameters name. Faults go to ``reading``; to a field that clamps, unreadable text is absent."""
        for name, values in parameters.items():
            target = self._targets.get(name) or self._nested(name)
            if target is None:
                if not reading.lenient:
                    reading.faults.append(unknown(name, name))
                continue
            try:
                target.put(_descend(message, target.parents) if target.parents else message, values)
            except BadValue as bad:
                if not target.spec.clamps or bad.rule == "repeated":
                    reading.faults.append(misfit(target.spec.reason, target.path, bad, values[-1]))

    def _nested(self, name: str) -> _Target | None:
        """Find the field that a dotted name leads to. Not prepared, since types may nest without end."""
        *above, last = name.split(".")
        fields = self._fields
        parents: tuple[str, ...] = ()
        for step in above:
            spec = fields.get(step)
            if spec is None or spec.kind is not Kind.MESSAGE or not spec.is_single:
                return None
            parents = (*parents, spec.name)
            fields = {inner.json_name: inner for inner in read_fields(spec.nested) if not inner.output_only}
        return _targets(fields, parents).get(last) if above else None


def _targets(fields: dict[str, Field], parents: tuple[str, ...]) -> dict[str, _Target]:
    setters = {name: (spec, _setter(spec)) for name, spec in fields.items()}
    return {name: _Target(parents, spec, put) for name, (spec, put) in setters.items() if put is not None}


def _descend(message: Message, names: tuple[str, ...]) -> Message:
    for name in names:
        message = getattr(message, name)
        message.SetInParent()
    return message


def _setter(spec: Field) -> _Set | None:
    """Return what sets a field from the texts given for it, or None for a field that text cannot express."""
    if spec.kind is Kind.MESSAGE or spec.is_map:
        return None
    name, read = spec.name, text_reader(spec)
    if spec.kind is Kind.TIMESTAMP and spec.is_repeated:
        return None
    if spec.kind is Kind.TIMESTAMP:
        return lambda message, values: set_timestamp(getattr(message, name), read(_only(values)))
    if spec.is_repeated:
        return lambda message, values: getattr(message, name).extend([read(value) for value in values])
    return lambda message, values: setattr(message, name, read(_only(values)))


def _only(values: Sequence[str]) -> str:
    if len(values) > 1:
        raise BadValue("given once", "repeated")
    return values[0]
