"""What a JSON Schema is made of: its subschemas, and which of them are put to which part of a value.

A schema puts other ones to the same value (`allOf`, `$ref` and the like), and to the members, the names of the members,
and the elements of it. References lead to other places in the same document, and nowhere else; and they never lead back
without a step into the value, for then there would be no end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import unquote, urldefrag, urljoin

SUBSCHEMAS_MAX: Final = 4096
"""A schema consists of at most so many."""

Where = Literal["here", "member", "members", "names", "elements", "kept"]
"""What a subschema is put to: the same value, the member of a name, all members, their names, all elements, nothing
yet.
"""

_ONE: Final[dict[str, Where]] = {
    "not": "here",
    "if": "here",
    "then": "here",
    "else": "here",
    "additionalProperties": "members",
    "unevaluatedProperties": "members",
    "propertyNames": "names",
    "items": "elements",
    "additionalItems": "elements",
    "unevaluatedItems": "elements",
    "contains": "elements",
    "contentSchema": "kept",
}
_LIST: Final[dict[str, Where]] = {
    "allOf": "here",
    "anyOf": "here",
    "oneOf": "here",
    "items": "elements",
    "prefixItems": "elements",
}
_BY_NAME: Final[dict[str, Where]] = {
    "properties": "member",
    "patternProperties": "members",
    "dependentSchemas": "here",
    "dependencies": "here",
    "$defs": "kept",
    "definitions": "kept",
}
_LEGACY: Final = ("draft-04", "draft-06", "draft-07")


class BadSchema(ValueError):
    """The text is no JSON Schema that can be put to values. The message says why."""


@dataclass(slots=True, eq=False)
class Subschema:
    """One subschema, and the numbers of those that it puts to the value (``here``) and to its parts."""

    content: dict[str, Any]
    base: str
    here: list[int] = field(default_factory=list)
    member: dict[str, list[int]] = field(default_factory=dict)
    members: list[int] = field(default_factory=list)
    names: list[int] = field(default_factory=list)
    elements: list[int] = field(default_factory=list)
    again: set[int] = field(default_factory=set)
    """Those of all of them that this one is itself a part of. The validator remembers what came out of them."""

    def parts(self) -> list[int]:
        """All of them."""
        by_name = [number for numbers in self.member.values() for number in numbers]
        return self.here + by_name + self.members + self.names + self.elements


@dataclass(frozen=True, slots=True)
class Graph:
    """All subschemas. The whole schema is the first; ``order`` has each before those that it puts to the same value."""

    subschemas: list[Subschema]
    order: list[int]

    @property
    def has_alternatives(self) -> bool:
        """True when one of them holds if one of others does."""
        return any("anyOf" in each.content or "oneOf" in each.content for each in self.subschemas)


def read(schema: dict[str, Any]) -> Graph:
    """Read a schema that is valid as such. Raises BadSchema."""
    return _Reader(schema).graph()


class _Reader:
    def __init__(self, schema: dict[str, Any]) -> None:
        self._dialect = schema.get("$schema")
        self._legacy = isinstance(self._dialect, str) and any(draft in self._dialect for draft in _LEGACY)
        self._id = "id" if self._legacy and "draft-04" in str(self._dialect) else "$id"
        self._resources: dict[str, dict[str, Any]] = {"": schema}
        self._anchors: dict[tuple[str, str], dict[str, Any]] = {}
        self._dynamic: dict[str, list[dict[str, Any]]] = {}
        self._bases: dict[int, str] = {}
        self._numbers: dict[int, int] = {}
        self._found: list[Subschema] = []
        self._name_all(schema, "")
        self._number(schema)

    def graph(self) -> Graph:
        at = 0
        while at < len(self._found):
            # Those that references lead to join the end.
            self._connect(self._found[at])
            at += 1
        order = self._ordered()
        self._mark_again()
        return Graph(self._found, order)

    def _name_all(self, schema: dict[str, Any], base: str) -> None:
        """Note what subschemas are called, and by which address references in them are meant."""
        waiting = [(schema, base)]
        while waiting:
            content, base = waiting.pop()
            if content.get("$schema", self._dialect) != self._dialect and content is not schema:
                raise BadSchema("a part of it is written in another draft than the whole, by its $schema")
            base = self._named(content, base)
            self._bases[id(content)] = base
            waiting += [(part, base) for _, _, part in self._parts(content)]

    def _named(self, content: dict[str, Any], base: str) -> str:
        named = content.get(self._id)
        if isinstance(named, str) and not (self._legacy and "$ref" in content):
            address, name = urldefrag(named)
            if address:
                base = urldefrag(urljoin(base, address))[0]
                self._resources[base] = content
            if name:
                self._anchors[base, name] = content
        for keyword in ("$anchor", "$dynamicAnchor"):
            anchor = content.get(keyword)
            if isinstance(anchor, str):
                self._anchors[base, anchor] = content
                if keyword == "$dynamicAnchor":
                    self._dynamic.setdefault(anchor, []).append(content)
        if content.get("$recursiveAnchor") is True:
            self._dynamic.setdefault("", []).append(content)
        return base

    def _parts(self, content: dict[str, Any]) -> Iterator[tuple[Where, str, dict[str, Any]]]:
        """The subschemas written within this one; of those put to a member, its name."""
        if self._legacy and "$ref" in content:
            # What stands beside a reference does not count, but for what others refer to.
            content = {keyword: content[keyword] for keyword in ("definitions", "$defs") if keyword in content}
        for keyword, value in content.items():
            if isinstance(value, dict):
                if keyword in _ONE:
                    yield _ONE[keyword], "", value
                elif keyword in _BY_NAME:
                    yield from [
                        (_BY_NAME[keyword], name, part) for name, part in value.items() if isinstance(part, dict)
                    ]
            elif isinstance(value, list) and keyword in _LIST:
                yield from [(_LIST[keyword], "", part) for part in value if isinstance(part, dict)]

    def _connect(self, subschema: Subschema) -> None:
        for where, name, part in self._parts(subschema.content):
            if where == "member":
                subschema.member.setdefault(name, []).append(self._number(part))
            elif where != "kept":
                getattr(subschema, where).append(self._number(part))
        for target in self._targets(subschema):
            subschema.here.append(self._number(target))

    def _targets(self, subschema: Subschema) -> Iterator[dict[str, Any]]:
        """What references lead to; a dynamic one to all that it might."""
        for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
            reference = subschema.content.get(keyword)
            if not isinstance(reference, str):
                continue
            target = self._resolved(subschema.base, reference)
            if isinstance(target, dict):
                yield target
            if keyword != "$ref":
                name = urldefrag(reference)[1]
                yield from [other for other in self._dynamic.get(name, []) if other is not target]

    def _resolved(self, base: str, reference: str) -> Any:
        # urljoin forgets a base of a scheme that it does not know, such as urn:.
        address, fragment = urldefrag(base + reference if reference.startswith("#") else urljoin(base, reference))
        resource = self._resources.get(address)
        if resource is None:
            raise BadSchema(f"it refers to another document, {reference!r}; references lead to places within it only")
        fragment = unquote(fragment)
        if not fragment:
            return resource
        if not fragment.startswith("/"):
            target = self._anchors.get((address, fragment))
            if target is None:
                raise BadSchema(f"it refers to {reference!r}, which is not there")
            return target
        return self._pointed(resource, address, fragment, reference)

    def _pointed(self, value: Any, base: str, pointer: str, reference: str) -> Any:
        for token in pointer.split("/")[1:]:
            name = token.replace("~1", "/").replace("~0", "~")
            try:
                value = value[int(name)] if isinstance(value, list) else value[name]
            except (LookupError, TypeError, ValueError):
                raise BadSchema(f"it refers to {reference!r}, which is not there") from None
            base = self._bases.get(id(value), base)
        if isinstance(value, dict) and id(value) not in self._bases:
            # It stands where no schema is expected, and is one by being referred to.
            self._name_all(value, base)
        return value

    def _number(self, content: dict[str, Any]) -> int:
        if id(content) not in self._numbers:
            if len(self._found) >= SUBSCHEMAS_MAX:
                raise BadSchema(f"it consists of more than {SUBSCHEMAS_MAX} schemas")
            self._numbers[id(content)] = len(self._found)
            self._found.append(Subschema(content, self._bases[id(content)]))
        return self._numbers[id(content)]

    def _ordered(self) -> list[int]:
        """Each before those that it puts to the same value. Raises BadSchema when there is no such order."""
        left = [0] * len(self._found)
        for subschema in self._found:
            for number in subschema.here:
                left[number] += 1
        ready = [number for number, count in enumerate(left) if not count]
        order: list[int] = []
        while ready:
            order.append(ready.pop())
            for number in self._found[order[-1]].here:
                left[number] -= 1
                if not left[number]:
                    ready.append(number)
        if len(order) < len(self._found):
            raise BadSchema("a reference in it leads back to itself without a step into the value")
        return order

    def _mark_again(self) -> None:
        """Walk down from the whole, and mark what leads back to where the walk is."""
        entered, left = set[int](), set[int]()
        waiting: list[tuple[int, bool]] = [(0, True)]
        while waiting:
            number, entering = waiting.pop()
            if not entering:
                left.add(number)
            elif number not in entered:
                entered.add(number)
                waiting.append((number, False))
                for part in self._found[number].parts():
                    if part in entered and part not in left:
                        self._found[number].again.add(part)
                    elif part not in entered:
                        waiting.append((part, True))
