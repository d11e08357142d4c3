"""From bytes to nodes: well-formed YAML in UTF-8, of bounded depth and size, without tags and cycles.

Nodes are PyYAML's own, composed by its C parser and never constructed: which type a value has is said by its field
alone. A scalar without quotes has an empty style. The name of a node's mark is its Source.
"""

import io
import re
from typing import Any, NoReturn, cast

from yaml import MappingNode, Node, ScalarNode, SequenceNode, YAMLError
from yaml._yaml import CParser
from yaml.error import MarkedYAMLError

from understudy_server.manifest import yaml_errors
from understudy_server.manifest.files import Source
from understudy_server.manifest.limits import DEPTH_MAX_LEVELS, NODES_MAX
from understudy_server.manifest.problems import Mark, Problem

BOM = b"\xef\xbb\xbf"
# Everything that YAML keeps out of a file, and the characters that it takes for ends of lines and editors do not.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
# Behind whatever ends a line for some reader of YAML: LF, CR, NEL, LS, PS.
_TAG_DIRECTIVE = re.compile(rb"(?:\A|[\r\n]|\xc2\x85|\xe2\x80[\xa8\xa9])%TAG")
_MAYBE_TAG = re.compile(rb"(?:^|[\s\[{,:])!", re.MULTILINE)
_TEXT_TAG = "tag:yaml.org,2002:str"
_QUOTED = '"'
NO_TAGS = "tags are not used here"


class Malformed(Exception):
    """The text is not YAML as it is read here."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def mark_of(node: Node) -> Mark:
    """The place where a node begins."""
    start = node.start_mark
    return Mark(source_of(node).name, start.line + 1, start.column + 1)


def source_of(node: Node) -> Source:
    """The text that a node stands in."""
    source: Any = node.start_mark.name
    return cast("Source", source)


def text_of(source: Source) -> str:
    """The text of a source, in which marks count: without the mark of its encoding. Raises UnicodeDecodeError."""
    return source.content.removeprefix(BOM).decode()


def tag_directive(content: bytes) -> int | None:
    """The line (from 0) of the first ``%TAG``, None when there is none; ``content`` is without the encoding's mark.

    To be asked before anything is parsed: many of them take the parser a time that grows with their square.
    """
    # Looking for plain bytes is a hundred times as quick as a pattern that looks at every line.
    found = _TAG_DIRECTIVE.search(content) if b"%TAG" in content else None
    return _counted(content[: found.end() - len(b"%TAG")].decode(errors="replace"))[0] if found else None


def compose(source: Source) -> tuple[Node | None, int]:
    """The root of a text, None when it holds nothing, and how many nodes it has with aliases written out.

    Raises Malformed.
    """
    text = _decoded(source)
    content = source.content.removeprefix(BOM)
    line = tag_directive(content)
    if line is not None:
        raise _malformed(source, line, 0, NO_TAGS, "leave it out")
    parser = _Parser(_Stream(content, source))
    try:
        root: Node | None = parser.get_single_node()
    except _Stop as stop:
        raise _malformed(source, stop.line, stop.column, str(stop), "make the file simpler") from None
    except MarkedYAMLError as error:
        raise _malformed(source, *yaml_errors.said(error, text)) from None
    except YAMLError as error:
        raise _malformed(source, 0, 0, f"this is not YAML ({error})", "") from None
    finally:
        # Frees the copy of the text that the parser holds.
        parser.dispose()
    if root is None:
        return None, 0
    if b"!" in content and _MAYBE_TAG.search(content):
        _refuse_tags(root, source)
    count = _expanded(root, source) if b"*" in content and b"&" in content else parser.counted()
    return root, count


class _Stream(io.BytesIO):
    """What the parser reads. Its ``name`` becomes that of every mark."""

    def __init__(self, content: bytes, name: Source) -> None:
        super().__init__(content)
        self.name = name


class _Stop(Exception):
    """A limit is reached while the text is parsed."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class _Parser(CParser):
    """PyYAML's C parser with limits, and without its guesses at types.

    It calls ``descend_resolver``, ``resolve`` and ``ascend_resolver`` for every node, and as methods these would take a
    fourth of the time. So two of them are functions in C, and the third keeps what it knows in variables of its own.
    """

    # The tag of every node without one, whatever is asked about it.
    resolve = "".format

    def __init__(self, stream: _Stream) -> None:
        super().__init__(stream)
        open_nodes: list[None] = []
        count = 0

        def descend(parent: Any, _index: Any) -> None:
            nonlocal count
            count += 1
            open_nodes.append(None)
            if len(open_nodes) > DEPTH_MAX_LEVELS:
                raise _Stop(f"nested deeper than {DEPTH_MAX_LEVELS} levels", *_place(parent))
            if count > NODES_MAX:
                raise _Stop(f"the file holds more than {NODES_MAX} values", *_place(parent))

        def counted() -> int:
            return count

        self.descend_resolver, self.ascend_resolver, self.counted = descend, open_nodes.pop, counted


def _place(parent: Any) -> tuple[int, int]:
    return (parent.start_mark.line, parent.start_mark.column) if parent is not None else (0, 0)


def _decoded(source: Source) -> str:
    """The text without the mark of its encoding. Raises Malformed for what is no text."""
    try:
        text = text_of(source)
    except UnicodeDecodeError as error:
        line, column = _counted(source.content[: error.start].decode(errors="replace"))
        raise _malformed(source, line, column, "the file is not in UTF-8", "save it as UTF-8") from None
    found = _UNPRINTABLE.search(text)
    if found:
        line, column = _counted(text[: found.start()])
        code = f"U+{ord(found[0]):04X}"
        advice = f'in double quotes it can be written as "\\u{ord(found[0]):04x}"'
        raise _malformed(source, line, column, f"the unprintable character {code} stands here", advice)
    return text


def _counted(before: str) -> tuple[int, int]:
    lines = re.split("\r\n|\r|\n", before)
    return len(lines) - 1, len(lines[-1])


def _malformed(source: Source, line: int, column: int, message: str, advice: str) -> Malformed:
    return Malformed(Problem(Mark(source.name, line + 1, column + 1), "", message, advice))


def _refuse_tags(root: Node, source: Source) -> None:
    """Refuse tags; ``!!str``, which only says what quotes say, becomes quotes. Raises Malformed."""
    waiting, seen = [root], {id(root)}
    while waiting:
        node = waiting.pop()
        if node.tag == _TEXT_TAG and isinstance(node, ScalarNode):
            node.tag, node.style = "", _QUOTED
        elif node.tag:
            mark = node.start_mark
            advice = "leave it out, or put text that begins with '!' in quotes"
            raise _malformed(source, mark.line, mark.column, NO_TAGS, advice)
        for child in _children(node):
            if id(child) not in seen:
                seen.add(id(child))
                waiting.append(child)


def _expanded(root: Node, source: Source) -> int:
    """How many nodes there are when every alias is written out. Raises Malformed for too many, too deep, and cycles."""
    known: dict[int, tuple[int, int]] = {}
    open_nodes: set[int] = set()

    def refuse(node: Node, message: str, advice: str) -> NoReturn:
        raise _malformed(source, node.start_mark.line, node.start_mark.column, message, advice)

    def measure(node: Node) -> tuple[int, int]:
        if isinstance(node, ScalarNode):
            return 1, 1
        key = id(node)
        if key in known:
            return known[key]
        if key in open_nodes:
            refuse(node, "an alias within what it stands for", "a value cannot hold itself")
        open_nodes.add(key)
        # What an alias stands for comes before it, so that this is as deep as the text, not as what it stands for.
        sizes = [measure(child) for child in _children(node)]
        open_nodes.discard(key)
        count = 1 + sum(size for size, _ in sizes)
        depth = 1 + max((depth for _, depth in sizes), default=0)
        if count > NODES_MAX:
            refuse(node, f"with its aliases written out, this is more than {NODES_MAX} values", "use fewer aliases")
        if depth > DEPTH_MAX_LEVELS:
            refuse(node, f"nested deeper than {DEPTH_MAX_LEVELS} levels", "use fewer aliases")
        known[key] = count, depth
        return known[key]

    return measure(root)[0]


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [each for pair in node.value for each in pair]
    return node.value if isinstance(node, SequenceNode) else []
