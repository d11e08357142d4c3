"""Joins what is spread over several files into one tree of nodes, each node still knowing its own file.

An included file holds what the mapping holds that includes it: at the root the root's keys, in a project a project's,
in an environment an environment's. Projects and environments that several files name are joined; nothing may be said
twice.
"""

from collections.abc import Iterator, Mapping, Sequence

from yaml import MappingNode, Node, ScalarNode, SequenceNode

from understudy_server.manifest.composing import Malformed, compose, mark_of, source_of
from understudy_server.manifest.files import Files, Source
from understudy_server.manifest.limits import INCLUSION_DEPTH_MAX, INCLUSIONS_MAX, NODES_MAX
from understudy_server.manifest.mappings import Mappings, Pair
from understudy_server.manifest.paths import Path, written
from understudy_server.manifest.problems import BadValue, Mark, Problem, Problems, TooManyProblems
from understudy_server.manifest.scalars import NULLS, written_text
from understudy_server.manifest.shapes import INCLUDE, Shape
from understudy_server.manifest.variables import substitute

SERVER, SOURCE = "server", "source"
"""Keys of the first file alone: the settings of the server, which are not read here, and whose manifest it is."""

_MANIFEST = "understudy.v1.Manifest"
_Joined = dict[str, Pair]
_Chain = tuple[Source, ...]


class Including:
    """Joins the files of one manifest."""

    def __init__(self, files: Files, environ: Mapping[str, str], mappings: Mappings, problems: Problems) -> None:
        self._files = files
        self._environ = environ
        self._mappings = mappings
        self._problems = problems
        self._roots: dict[str, tuple[Node | None, int]] = {}
        self._inclusions = 0
        self._nodes = 0

    def root(self, source: Source, shape: Shape) -> Node:
        """The root of all that a text says, what it includes joined to it. Raises Malformed."""
        root, self._nodes = compose(source)
        if root is None or _says_nothing(root):
            message = "the file holds nothing" if source.folder else "there is nothing"
            advice = "write projects: {} to declare nothing" if shape.full_name == _MANIFEST else "write at least {}"
            raise Malformed(Problem(_start(source), "", message, advice))
        if not shape.includes or not isinstance(root, MappingNode):
            return root
        pairs = [
            pair for pair in self._mappings.pairs(root, None) if not (_is_manifest(shape) and pair[0].value == SERVER)
        ]
        return self._joined(root, pairs, shape, (source,), None)

    def _joined(self, node: MappingNode, pairs: Sequence[Pair], shape: Shape, chain: _Chain, path: Path) -> MappingNode:
        """A mapping with all that it includes, in order: its own first."""
        joined: _Joined = {}
        includes: list[Node] = []
        for key, value in pairs:
            if key.value == INCLUDE:
                includes.append(value)
            else:
                joined[key.value] = (key, self._below(value, key.value, shape, chain, (path, key.value)))
        for value in includes:
            for place, source in self._included(value, (path, INCLUDE)):
                more = self._included_root(place, source, shape, chain, path)
                if more is not None:
                    self._add_all(joined, more, shape, path)
        return _mapping(node, joined)

    def _below(self, node: Node, key: str, shape: Shape, chain: _Chain, path: Path) -> Node:
        """The value of a key, joined when it is a map of what may be spread."""
        field = shape.by_key.get(key)
        if field is None or not field.is_map or field.message is None or not isinstance(node, MappingNode):
            return node
        if not field.shape.includes:
            return node
        joined: _Joined = {}
        for name, value in self._mappings.pairs(node, path):
            here = (path, name.value)
            if isinstance(value, MappingNode):
                inner = self._mappings.pairs(value, here)
                joined[name.value] = (name, self._joined(value, inner, field.shape, chain, here))
            else:
                joined[name.value] = (name, value)
        return _mapping(node, joined)

    def _included(self, node: Node, path: Path) -> Iterator[tuple[Node, Source]]:
        """The files that ``include`` names, each with the place where it is named, one by one: they may be too many."""
        for each in node.value if isinstance(node, SequenceNode) else [node]:
            try:
                pattern = substitute(written_text(each), self._environ)
                sources = self._files.included(source_of(each), pattern)
            except BadValue as bad:
                self._note(each, path, bad.message, bad.advice)
            else:
                yield from ((each, source) for source in sources)

    def _included_root(
        self, place: Node, source: Source, shape: Shape, chain: _Chain, path: Path
    ) -> MappingNode | None:
        """The root of an included file with all that it includes in turn, None when there was a problem."""
        refusal = self._refusal(source, chain)
        if refusal:
            self._note(place, (path, INCLUDE), *refusal)
            return None
        too_much = self._too_much()
        if too_much:
            self._note(place, (path, INCLUDE), *too_much)
            raise TooManyProblems
        self._inclusions += 1
        try:
            if source.name not in self._roots:
                self._roots[source.name] = compose(source)
            root, count = self._roots[source.name]
        except Malformed as malformed:
            self._problems.add(malformed.problem)
            return None
        self._nodes += count
        if not isinstance(root, MappingNode):
            wrong = "the file holds nothing" if root is None else "the file must hold a mapping"
            self._problems.add(
                Problem(_start(source), written(path), wrong, "see what includes it for what it may hold")
            )
            return None
        pairs = [pair for pair in self._mappings.pairs(root, path) if not self._is_for_first_file(pair[0], shape)]
        return self._joined(root, pairs, shape, (*chain, source), path)

    def _refusal(self, source: Source, chain: _Chain) -> tuple[str, str] | None:
        if source.name in [each.name for each in chain]:
            names = " → ".join([*(each.name for each in chain), source.name])
            return f"the files include each other: {names}", "leave one of these out, or narrow the pattern"
        if len(chain) > INCLUSION_DEPTH_MAX:
            return f"more than {INCLUSION_DEPTH_MAX} files include each other in a row", "include them from one file"
        return None

    def _too_much(self) -> tuple[str, str] | None:
        if self._inclusions >= INCLUSIONS_MAX:
            return f"more than {INCLUSIONS_MAX} files are included", "put more into each file"
        if self._nodes > NODES_MAX:
            return f"all files together hold more than {NODES_MAX} values", "include each only once"
        return None

    def _is_for_first_file(self, key: ScalarNode, shape: Shape) -> bool:
        """Note a key that only the first file may have."""
        if not _is_manifest(shape) or key.value not in (SERVER, SOURCE):
            return False
        self._note(key, (None, key.value), "can stand in the first file alone", "move it there, or leave it out")
        return True

    def _add_all(self, joined: _Joined, more: MappingNode, shape: Shape, path: Path) -> None:
        """Add what another file says of the same thing."""
        for key, value in self._mappings.pairs(more, path):
            here = (path, key.value)
            before = joined.get(key.value)
            field = shape.by_key.get(key.value)
            if before is None:
                joined[key.value] = (key, value)
            elif field is not None and field.is_map and isinstance(value, MappingNode):
                own = self._opened(before[1], here)
                self._add_values(own, value, field.shape if field.message else None, here)
                joined[key.value] = (before[0], _mapping(before[1], own))
            else:
                self._twice(key, before[0], here)

    def _add_values(self, joined: _Joined, more: MappingNode, shape: Shape | None, path: Path) -> None:
        """Add what another file has in the same map: projects and environments are joined again."""
        for name, value in self._mappings.pairs(more, path):
            here = (path, name.value)
            before = joined.get(name.value)
            if before is None:
                joined[name.value] = (name, value)
            elif shape is not None and shape.includes and isinstance(value, MappingNode):
                own = self._opened(before[1], here)
                self._add_all(own, value, shape, here)
                joined[name.value] = (before[0], _mapping(before[1], own))
            else:
                self._twice(name, before[0], here)

    def _opened(self, node: Node, path: Path) -> _Joined:
        """What a mapping holds, to be added to."""
        pairs = self._mappings.pairs(node, path) if isinstance(node, MappingNode) else ()
        return {pair[0].value: pair for pair in pairs}

    def _twice(self, key: Node, before: Node, path: Path) -> None:
        self._note(key, path, f"is given twice: it stands in {mark_of(before)} already", "leave one of them out")

    def _note(self, node: Node, path: Path, message: str, advice: str) -> None:
        self._problems.add(Problem(mark_of(node), written(path), message, advice))


def _says_nothing(root: Node) -> bool:
    return isinstance(root, ScalarNode) and not root.style and root.value in NULLS


def _start(source: Source) -> Mark:
    return Mark(source.name, 1, 1)


def _is_manifest(shape: Shape) -> bool:
    return shape.full_name == _MANIFEST


def _mapping(node: Node, joined: _Joined) -> MappingNode:
    return MappingNode("", list(joined.values()), node.start_mark, node.end_mark)
