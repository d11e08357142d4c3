"""From nodes to messages: driven by what the contract says of each type, so that a new field needs no code here.

A problem does not end the reading: what is wrong is noted with its place, and the rest is read for more.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from google.protobuf.message import Message
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from understudy_server.core.strict_json import MalformedJson
from understudy_server.manifest import json_text
from understudy_server.manifest.composing import mark_of, source_of
from understudy_server.manifest.files import Files
from understudy_server.manifest.json_nodes import JsonWriter
from understudy_server.manifest.limits import SHOWN_CHARACTERS_MAX
from understudy_server.manifest.mappings import Mappings, Pair
from understudy_server.manifest.nearest import nearest
from understudy_server.manifest.paths import Path, written
from understudy_server.manifest.problems import BadValue, Problem, Problems, TooLarge, TooManyProblems, shown
from understudy_server.manifest.scalars import NULLS, Reader, reader_of, written_text
from understudy_server.manifest.shapes import BESIDE_SUFFIX, Field, Kind, Shape
from understudy_server.manifest.shorthands import PAIRS_FORMS, TEXT_FORMS, spread
from understudy_server.manifest.size import Size
from understudy_server.manifest.variables import substitute

_OF_ANY_LENGTH = frozenset((Kind.TEXT, Kind.BYTES))


class MessageReader:
    """Reads the values of one manifest."""

    def __init__(self, files: Files, environ: Mapping[str, str], mappings: Mappings, problems: Problems) -> None:
        self._files = files
        self._environ = environ
        self._mappings = mappings
        self._problems = problems
        self._size = Size()
        self._json = JsonWriter(mappings, problems, self._size)
        self._readers: dict[int, Reader] = {}

    def fill(self, message: Message, node: Node, shape: Shape, path: Path) -> None:
        """Set a message to what a node says, in its own words or in short ones. Raises BadValue for what is neither."""
        if isinstance(node, MappingNode):
            message.SetInParent()
            self._fill(message, self._mappings.pairs(node, path), shape, path)
            return
        form = TEXT_FORMS.get(shape.full_name)
        if form is None or not isinstance(node, ScalarNode):
            _refuse_nothing(node, "{}")
            keys = ", ".join(shape.keys)
            raise BadValue(f"must be a mapping, not {_what(node)}", f"write any of: {keys}")
        text = substitute(written_text(node), self._environ)
        self._size.add(len(text))
        message.SetInParent()
        for name, value in form.read(text).items():
            setattr(message, name, value)

    def _fill(self, message: Message, pairs: Sequence[Pair], shape: Shape, path: Path) -> None:
        by_key, by_beside = shape.by_key, shape.by_beside
        for key, value in pairs:
            text: str = key.value
            field = by_key.get(text)
            here = (path, text)
            try:
                if field is None:
                    field = by_beside.get(text)
                    if field is None:
                        self._add(key, here, *_unknown(text, shape))
                        continue
                    if self._is_chosen(message, field, pairs, key, here):
                        setattr(message, field.name, self._beside(value, field))
                    continue
                if field.output_only:
                    self._add(key, here, "is set by the server alone", "leave it out")
                    continue
                if not (field.oneof or field.beside) or self._is_chosen(message, field, pairs, key, here):
                    self._set(message, field, value, here)
            except BadValue as bad:
                self._add_bad(value, here, bad)

    def _set(self, message: Message, field: Field, node: Node, path: Path) -> None:
        if field.is_map:
            self._set_map(getattr(message, field.name), field, node, path)
        elif field.is_list:
            self._set_list(getattr(message, field.name), field, node, path)
        elif field.kind is Kind.MESSAGE:
            self.fill(getattr(message, field.name), node, field.shape, path)
        elif field.kind is Kind.TIMESTAMP:
            getattr(message, field.name).CopyFrom(self._single(field, node, path))
        else:
            setattr(message, field.name, self._single(field, node, path))

    def _single(self, field: Field, node: Node, path: Path) -> Any:
        if field.kind is Kind.JSON:
            return self._json.write(node, path)
        read = self._readers.get(id(field))
        if read is None:
            # Shapes are kept for good, and so their fields.
            read = self._readers[id(field)] = reader_of(field)
        value = read(node, self._environ)
        if field.kind in _OF_ANY_LENGTH:
            self._size.add(len(value))
        return value

    def _set_map(self, values: Any, field: Field, node: Node, path: Path) -> None:
        if not isinstance(node, MappingNode):
            _refuse_nothing(node, "{}")
            raise BadValue(f"must be a mapping, not {_what(node)}", "write each under its own key, KEY: {...}")

        def put(key: str, value: Node, here: Path) -> None:
            self._size.add(len(key))
            if field.kind is Kind.MESSAGE:
                self.fill(values[key], value, field.shape, here)
            else:
                values[key] = self._single(field, value, here)

        for key, value in self._mappings.pairs(node, path):
            self._noting(put, key.value, value, (path, key.value))

    def _set_list(self, values: Any, field: Field, node: Node, path: Path) -> None:
        form = PAIRS_FORMS.get(field.shape.full_name) if field.kind is Kind.MESSAGE else None
        if form is not None and isinstance(node, MappingNode):
            key_field, value_field = field.shape.by_name[form.key], field.shape.by_name[form.value]

            def put_pair(key: str, value: Node, here: Path) -> None:
                self._size.add(len(key))
                values.add(**{key_field.name: key, value_field.name: self._single(value_field, value, here)})

            for key, value in spread(self._mappings.pairs(node, path)):
                self._noting(put_pair, key.value, value, (path, key.value))
            return
        if not isinstance(node, SequenceNode):
            _refuse_nothing(node, "[]")
            raise BadValue(f"must be a list, not {_what(node)}", _list_advice(node))

        def put(_: int, value: Node, here: Path) -> None:
            if field.kind is Kind.MESSAGE:
                self.fill(values.add(), value, field.shape, here)
            else:
                values.append(self._single(field, value, here))

        for index, value in enumerate(node.value):
            self._noting(put, index, value, (path, index))

    def _noting(self, put: Callable[[Any, Node, Path], None], step: Any, value: Node, path: Path) -> None:
        try:
            put(step, value, path)
        except BadValue as bad:
            self._add_bad(value, path, bad)

    def _beside(self, node: Node, field: Field) -> str | bytes:
        """The content of the file that a value names, as the field holds it."""
        name = substitute(written_text(node), self._environ)
        content = self._files.beside(source_of(node), name)
        self._size.add(len(content))
        if field.kind is Kind.BYTES:
            return content
        try:
            text = content.decode()
            return json_text.compact(text.removeprefix("\ufeff")) if field.kind is Kind.JSON else text
        except UnicodeDecodeError:
            raise BadValue(f"{name} is not in UTF-8", "save it as UTF-8") from None
        except MalformedJson as error:
            raise BadValue(f"{name} is not JSON: {error}", "write one JSON value into it") from None

    def _is_chosen(self, message: Message, field: Field, pairs: Sequence[Pair], key: ScalarNode, path: Path) -> bool:
        """Tell whether a field is the first of its group, or of value and file; note one that is not."""
        given = message.WhichOneof(field.oneof) if field.oneof else getattr(message, field.name) and field.name
        if not given:
            return True
        own = message.DESCRIPTOR.fields_by_name[given].json_name
        first = next(each for each, _ in pairs if each.value in (own, own + BESIDE_SUFFIX))
        complaint = f"cannot stand beside {first.value}, which is in line {first.start_mark.line + 1}"
        self._add(key, path, complaint, "leave one of them out")
        return False

    def _add_bad(self, node: Node, path: Path, bad: BadValue) -> None:
        self._add(node, path, bad.message, bad.advice)
        if isinstance(bad, TooLarge):
            raise TooManyProblems

    def _add(self, node: Node, path: Path, message: str, advice: str) -> None:
        self._problems.add(Problem(mark_of(node), written(path), message, advice))


def _unknown(key: str, shape: Shape) -> tuple[str, str]:
    meant = nearest(key, shape.keys)
    advice = f"did you mean {meant}?" if meant else f"there are: {', '.join(shape.keys)}"
    return "is not known here", advice


def _refuse_nothing(node: Node, empty: str) -> None:
    """Say what to write for nothing where more than a single value belongs."""
    if isinstance(node, ScalarNode) and not node.style and node.value in NULLS:
        raise BadValue("has no value", f"write {empty} or leave the line out")


def _what(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return shown(node.value)
    return "a list" if isinstance(node, SequenceNode) else "a mapping"


def _list_advice(node: Node) -> str:
    if isinstance(node, ScalarNode) and len(node.value) <= SHOWN_CHARACTERS_MAX:
        return f"write [{node.value}]"
    return "begin each element with '-'"
