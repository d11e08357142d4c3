"""What tells whether a server takes work."""

from collections.abc import Awaitable, Callable, Mapping

Ready = Callable[[], Awaitable[Mapping[str, str]]]
"""Looks at what it takes to serve: what is wrong with each thing, by its name; the empty text when nothing is."""


async def nothing_to_look_at() -> Mapping[str, str]:
    """Ready as soon as it answers."""
    return {}
