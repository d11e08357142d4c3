"""Where the tests keep files: in memory where the system offers it, since a test waits for a disk that it is not about.

Nothing is proved less: a process that dies takes neither with it. ``make prove`` stays on the disk.
"""

import os
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
_BYTES_MIN = 4 << 30


def keep_files_in_memory() -> None:
    """Make temporary folders of this process, and of those that it starts, in memory, unless TMPDIR says where."""
    if "TMPDIR" not in os.environ and _is_fit():
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None


def _is_fit() -> bool:
    """True where there is room, and programs may be built and run: containers often have neither."""
    if not os.access(_MEMORY, os.W_OK | os.X_OK):
        return False
    found = os.statvfs(_MEMORY)
    return found.f_bavail * found.f_frsize >= _BYTES_MIN and not found.f_flag & os.ST_NOEXEC
