"""Searching names: part of a text, without regard to case, for all of Unicode."""


def contains(text: str, part: str) -> bool:
    """Tell whether a text contains another, without regard to case. The empty one is part of every text."""
    return part.casefold() in text.casefold()
