"""HTML read back to elements: what a page says, apart from how it is written."""

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"br", "input", "link", "meta"})


@dataclass
class Element:
    """An element, its attributes, and all text inside of it."""

    tag: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class ReadPage:
    """The elements of a page in the order in which they begin."""

    elements: list[Element] = field(default_factory=list)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements with a tag and these attributes; ``_`` in their names stands for ``-``."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [each for each in self._tagged(tag) if wanted.items() <= each.attributes.items()]

    def one(self, tag: str, **attributes: str) -> Element:
        """The only such element."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} of {tag} {attributes}"
        return found[0]

    def ids(self) -> list[str]:
        """All ids, in order."""
        return [each.attributes["id"] or "" for each in self.elements if "id" in each.attributes]

    def where(self, holds: Callable[[Element], bool]) -> list[Element]:
        """The elements of which something holds."""
        return [each for each in self.elements if holds(each)]

    def _tagged(self, tag: str) -> list[Element]:
        return [each for each in self.elements if each.tag == tag]


def read(page: str) -> ReadPage:
    """Read a page or a fragment. Raises AssertionError when an element is not ended, or ended twice."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert not reader.open, f"not ended: {[each.tag for each in reader.open]}"
    return reader.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = ReadPage()
        self.open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        assert len(element.attributes) == len(attrs), f"an attribute twice: {attrs}"
        self.page.elements.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"{tag} ends and has not begun"
        assert self.open[-1].tag == tag, f"{tag} ends inside {self.open[-1].tag}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for each in self.open:
            each.text += data
