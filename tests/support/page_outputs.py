"""What a page shows of a command's output, against what the command printed."""

import re
from collections.abc import Sequence

# What is another one each time: keys, ids that are made, moments, how long something took.
_VARYING = (
    (re.compile(r"fmk_[A-Za-z0-9_-]+"), "fmk_…"),
    (re.compile(r"\b(log|key|ovr|scn)_[0-9A-HJKMNP-TV-Z]{26}\b"), r"\1_…"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z"), "<moment>"),
    (re.compile(r"\b\d+(\.\d+)? (ms|s)\b"), "<time>"),
    # Columns are as wide as what stands in them.
    (re.compile(r" {2,}"), "  "),
)


def difference(shown: Sequence[str], printed: str) -> str:
    """Say where the output differs from what is shown, nothing when it does not.

    A line ``...`` stands for any number of lines, ``...`` within one for any text. What is another one each time is
    taken for the same.
    """
    lines = [_same(line) for line in printed.rstrip().splitlines()]
    if _fits(shown, lines):
        return ""
    wanted = "\n".join(f"    {line}" for line in shown)
    return f"the page shows\n{wanted}\nand the command printed\n" + "\n".join(f"    {line}" for line in lines)


def _fits(shown: Sequence[str], lines: Sequence[str]) -> bool:
    if not shown:
        return not lines
    if shown[0].strip() == "...":
        return any(_fits(shown[1:], lines[skipped:]) for skipped in range(len(lines) + 1))
    return bool(lines) and _is_line(shown[0], lines[0]) and _fits(shown[1:], lines[1:])


def _is_line(shown: str, line: str) -> bool:
    return re.fullmatch(".*".join(re.escape(part) for part in _same(shown).split("...")), line) is not None


def _same(line: str) -> str:
    for varying, same in _VARYING:
        line = varying.sub(same, line)
    return line.rstrip()
