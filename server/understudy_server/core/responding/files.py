"""Files of an environment, as answers see them."""

from collections.abc import Callable
from typing import NamedTuple


class FileContent(NamedTuple):
    """A file as it is now. ``content_type`` is a header's value: visible ASCII."""

    content: bytes
    content_type: str


Files = Callable[[str], FileContent | None]
"""Finds a file of the mock's environment by its name, without waiting; ``None``: there is none by now."""


def no_files(name: str) -> FileContent | None:  # noqa: ARG001 - whatever it is
    """The files of an environment that has none."""
    return None
