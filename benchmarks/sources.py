"""Which state of the sources something was measured of."""

import subprocess
from pathlib import Path

_ROOT = Path(__file__).parents[1]


def commit_of(*sources: str) -> str:
    """As in ``4f0623b``; ``4f0623b, changed`` when these files and folders were not as committed."""
    commit = _git("rev-parse", "--short", "HEAD").strip()
    if not commit:
        return "no commit"
    return f"{commit}, changed" if _git("status", "--porcelain", "--", *sources) else commit


def _git(*words: str) -> str:
    """What git says; nothing where there is no git, or no repository."""
    try:
        return subprocess.run(["git", *words], cwd=_ROOT, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""
