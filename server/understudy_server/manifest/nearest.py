"""What somebody may have meant by a word that is not known."""

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that comes nearest, empty when none is near. Other spelling (``json_paths``) is nearest of all."""
    by_letters = {_letters(each): each for each in known}
    letters = _letters(word[:100])
    if letters in by_letters:
        return by_letters[letters]
    found = difflib.get_close_matches(letters, by_letters, n=1)
    return by_letters[found[0]] if found else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The advice that names it, or nothing."""
    found = nearest(word, known)
    return f"did you mean {found}?" if found else ""


def _letters(word: str) -> str:
    return word.replace("_", "").replace("-", "").lower()
