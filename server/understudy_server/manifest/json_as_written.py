"""JSON that stands in a file as it would stand in any other: taken as it is, and not put together from its nodes.

Most bodies of large manifests are written so, and have more nodes than all the rest of the file.
"""

import re

from yaml import CollectionNode, Node

from understudy_server.core import strict_json
from understudy_server.core.strict_json import MalformedJson
from understudy_server.manifest.composing import source_of, text_of

_WHITE_SPACE = re.compile(r"[ \t\r\n]")
# A string without a backslash, which is kept, or white space between tokens, which is not.
_STRING_OR_SPACE = re.compile(r'("[^"]*")|[ \t\r\n]+')


class JsonAsWritten:
    """Knows the texts of sources, so that each is decoded once."""

    def __init__(self) -> None:
        # By the id of their sources, which all nodes keep alive.
        self._texts: dict[int, str] = {}

    def of(self, node: Node) -> str | None:
        """The JSON text of a list or mapping, without white space; None for what is not written in JSON.

        What both JSON and YAML can read is the same to both, within what is taken for text and for one key here. A
        backslash would be: but the text then depends on who writes it.
        """
        if not (isinstance(node, CollectionNode) and node.flow_style):
            return None
        text = self._text(node)[node.start_mark.index : node.end_mark.index]
        if "\\" in text:
            return None
        try:
            strict_json.parse(text)
        except MalformedJson:
            return None
        return _STRING_OR_SPACE.sub(r"\1", text) if _WHITE_SPACE.search(text) else text

    def _text(self, node: Node) -> str:
        source = source_of(node)
        if id(source) not in self._texts:
            self._texts[id(source)] = text_of(source)
        return self._texts[id(source)]
