"""Files that a command writes for its user: there whole or not at all, and over nothing that was not meant."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from understudy_server.cli.failures import CommandFailed, ExitCode


def check_is_new(path: Path) -> None:
    """Refuse a file that is there. Raises CommandFailed (usage)."""
    if path.exists():
        raise CommandFailed(ExitCode.USAGE, f"{path} is there already", "Add --force to write over it.")


def write_whole(path: Path, text: str, *, over: bool) -> None:
    """Write a text in one step, as `opened_whole` does. Raises CommandFailed."""
    with opened_whole(path, over=over) as file:
        file.write(text.encode())


@contextmanager
def opened_whole(path: Path, *, over: bool) -> Iterator[BinaryIO]:
    """A file to write: it is there when the block ends well, and nothing is when it does not.

    With ``over`` it takes the place of one that may be there, which keeps its mode. A link is followed: what it leads
    to is written. Raises CommandFailed.
    """
    target = path.resolve()
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            yield file
        if target.exists():
            if not over:
                check_is_new(path)
            partial.chmod(target.stat().st_mode & 0o777)
        partial.replace(target)
    except OSError as error:
        raise CommandFailed(ExitCode.REFUSED, f"cannot write {path}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
