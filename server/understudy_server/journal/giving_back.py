"""Giving memory back to the system.

What a large backlog took is free once it is written, but stays with the process: among what was freed lies here and
there something that lives, and the C library gives back only what is free at the end.
"""

import ctypes


def give_back() -> None:
    """Let the system have what is free, where the C library can do that (glibc). Takes up to a tenth of a second.

    Meanwhile a thread that asks for more than a little memory may wait.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        # Another C library; on Windows, none without a name.
        return
    trim(ctypes.c_size_t(0))
