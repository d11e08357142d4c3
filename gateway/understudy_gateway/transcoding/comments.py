"""Comments of the protos as documentation: a description, and the example that may stand at its end."""

import json
import re
from dataclasses import dataclass
from typing import Any

_EXAMPLE = re.compile(r"\s*\bExample: (.+)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Note:
    """``examples`` has the one example of the comment, or none. An example may be null, so that a list says more."""

    description: str
    examples: list[Any]


def read(comment: str) -> Note:
    """Read a comment. Paragraphs stay, lines are joined. Raises ``ValueError`` when the example is not JSON."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in comment.split("\n\n")]
    text = "\n\n".join(paragraphs)
    found = _EXAMPLE.search(text)
    if found is None:
        return Note(text, [])
    return Note(text[: found.start()], [json.loads(found[1])])
