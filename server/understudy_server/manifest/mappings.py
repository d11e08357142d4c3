"""The keys and values of a mapping: each key once and text, ``<<`` written out."""

from collections.abc import Sequence

from yaml import MappingNode, Node, ScalarNode, SequenceNode

from understudy_server.manifest.composing import mark_of
from understudy_server.manifest.paths import Path, written
from understudy_server.manifest.problems import Problem, Problems, shown

Pair = tuple[ScalarNode, Node]

_MERGE = "<<"


class Mappings:
    """Reads mappings of nodes and notes what is wrong with them."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        # By the id of their nodes, which their tree keeps alive.
        self._unusual: dict[int, Sequence[Pair]] = {}

    def pairs(self, node: MappingNode, path: Path) -> Sequence[Pair]:
        """What a mapping holds, in order: what is merged into it before its own."""
        pairs: Sequence[Pair] = node.value
        try:
            keys = {key.value for key, _ in pairs}
        except TypeError:
            # A list or a mapping as a key.
            keys = set()
        if len(keys) == len(pairs) and _MERGE not in keys and "" not in keys:
            return pairs
        if id(node) not in self._unusual:
            self._unusual[id(node)] = self._read(node, path)
        return self._unusual[id(node)]

    def _read(self, node: MappingNode, path: Path) -> Sequence[Pair]:
        own: dict[tuple[str, bool], Pair] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._add(key, path, "a key must be text, not a list or a mapping", "write KEY: VALUE")
            elif not key.style and not key.value:
                self._add(key, path, "a key is missing before ':'", "write one, or quotes around text that begins so")
            else:
                self._keep_once(own, key, value, path)
        merged: dict[str, Pair] = {}
        for (text, is_merge), pair in own.items():
            if is_merge:
                for more in self._merged(pair[1], (path, text)):
                    merged.setdefault(more[0].value, more)
        merged.update({text: pair for (text, is_merge), pair in own.items() if not is_merge})
        return list(merged.values())

    def _keep_once(self, own: dict[tuple[str, bool], Pair], key: ScalarNode, value: Node, path: Path) -> None:
        is_merge = key.value == _MERGE and not key.style
        before = own.setdefault((key.value, is_merge), (key, value))[0]
        if before is not key:
            message = f"is given twice: it stands in line {before.start_mark.line + 1} already"
            advice = "write a list behind one '<<'" if is_merge else "leave one of them out"
            self._add(key, (path, key.value), message, advice)

    def _merged(self, value: Node, path: Path) -> Sequence[Pair]:
        """What is merged: of several mappings, the first that has a key counts."""
        sources: Sequence[Node] = value.value if isinstance(value, SequenceNode) else [value]
        found: list[Pair] = []
        for source in sources:
            if isinstance(source, MappingNode):
                found += self.pairs(source, path)
            else:
                given = shown(source.value) if isinstance(source, ScalarNode) else "a list"
                self._add(source, path, f"must be a mapping, not {given}", "write <<: *ANCHOR")
        return found

    def _add(self, node: Node, path: Path, message: str, advice: str) -> None:
        self._problems.add(Problem(mark_of(node), written(path), message, advice))
