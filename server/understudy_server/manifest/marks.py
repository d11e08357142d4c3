"""Where in its files the field of a message stands, for faults that are found after it was read."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from yaml import MappingNode, Node, SequenceNode

from understudy_server.manifest.composing import mark_of
from understudy_server.manifest.mappings import Mappings, Pair
from understudy_server.manifest.paths import Step, fault_steps, joined
from understudy_server.manifest.pausing import collector_paused
from understudy_server.manifest.problems import Mark
from understudy_server.manifest.shapes import BESIDE_SUFFIX, Field, Shape
from understudy_server.manifest.shorthands import PAIRS_FORMS, spread


@dataclass(frozen=True, slots=True)
class Tree:
    """All that was read, as nodes."""

    root: Node
    mappings: Mappings


@dataclass(frozen=True, slots=True)
class _Place:
    """A value on the way: what it holds (None for a single value), and as which field (None for a message)."""

    node: Node
    mark: Mark
    shape: Shape | None
    field: Field | None = None


class Marks:
    """Finds places by the paths of faults.

    Most manifests are without fault, and nodes take much memory: they are made anew from the text that was read when
    the first place is asked for.
    """

    def __init__(self, compose: Callable[[], Tree], shape: Shape) -> None:
        self._compose = compose
        self._shape = shape

    def find(self, field: str) -> Mark:
        """The place of a field as a fault names it (``projects['checkout'].environments['staging'].upstream``).

        Of a field that is not written, the place of what it is missing in.
        """
        root = self._tree.root
        place = _Place(root, mark_of(root), self._shape)
        for step in fault_steps(field, self._shape):
            below = self._below(place, step)
            if below is None:
                break
            place = below
        return place.mark

    def name(self, field: str) -> str:
        """The same field as a file has it: ``projects.checkout.environments.staging.upstream``."""
        steps: list[Step] = []
        shape: Shape | None = self._shape
        for step in fault_steps(field, self._shape):
            known = shape.by_name.get(step) if shape is not None and isinstance(step, str) else None
            if known is not None:
                steps.append(known.key)
                # A key or an index comes next, and leads to the same type of message.
                within, shape = known, None if known.is_map or known.is_list else _shape(known)
            else:
                steps.append(step)
                shape = _shape(within) if shape is None and within is not None else None
                within = None
        return joined(steps)

    @cached_property
    def _tree(self) -> Tree:
        with collector_paused():
            return self._compose()

    def _below(self, place: _Place, step: Step) -> _Place | None:
        """The place that a step leads to, None when it is not written."""
        if place.field is not None and isinstance(step, int):
            return self._element(place, place.field, step)
        if not isinstance(place.node, MappingNode) or not isinstance(step, str):
            return None
        pairs = self._tree.mappings.pairs(place.node, None)
        if place.field is not None:
            return next((_at(pair, _shape(place.field)) for pair in pairs if pair[0].value == step), None)
        field = place.shape.by_name.get(step) if place.shape is not None else None
        if field is None:
            return None
        found = next((pair for pair in pairs if pair[0].value in (field.key, field.key + BESIDE_SUFFIX)), None)
        if found is None:
            return None
        is_single = not (field.is_map or field.is_list)
        return _at(found, _shape(field) if is_single else None, None if is_single else field)

    def _element(self, place: _Place, field: Field, index: int) -> _Place | None:
        shape = _shape(field)
        if isinstance(place.node, SequenceNode):
            if index >= len(place.node.value):
                return None
            node = place.node.value[index]
            return _Place(node, mark_of(node), shape)
        if isinstance(place.node, MappingNode) and shape is not None and shape.full_name in PAIRS_FORMS:
            elements = spread(self._tree.mappings.pairs(place.node, None))
            return _at(elements[index], None) if index < len(elements) else None
        return None


def _shape(field: Field) -> Shape | None:
    return field.shape if field.message is not None else None


def _at(pair: Pair, shape: Shape | None, field: Field | None = None) -> _Place:
    """A value and its place: its own when it begins behind its key, else that of the key."""
    key, value = pair
    at_key, at_value = mark_of(key), mark_of(value)
    is_behind = (at_key.file, at_key.line) == (at_value.file, at_value.line)
    return _Place(value, at_value if is_behind else at_key, shape, field)
