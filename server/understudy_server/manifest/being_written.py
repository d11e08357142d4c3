"""Tells whether a file is being written: half a file must not be taken for a whole one."""

import errno
import fcntl
import os
import signal
import sys
from pathlib import Path


def is_being_written(path: Path) -> bool:
    """True when some process has the file open for writing at this moment.

    Linux says so to whoever asks for a read lease. Where there are no leases (other systems, some file systems, files
    of other users) nobody can know, and the answer is False; so it is when there is no such file.
    """
    if sys.platform != "linux":
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        # Somebody holds a lease for writing, and an open that may not wait is told so.
        return error.errno == errno.EWOULDBLOCK
    try:
        # Whoever opens the file while the lease stands makes the kernel send a signal. The usual one ends the process;
        # this one is ignored by processes that do not ask for it.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    else:
        return False
    finally:
        os.close(descriptor)
