"""How much of what was written has not been taken by the other side."""

import asyncio
import fcntl
import struct
import termios


def unsent_bytes(transport: asyncio.Transport) -> int:
    """Bytes that wait in the transport, and those that wait in the system where it says how many: up to some MB more.

    Costs a system call.
    """
    waiting = transport.get_write_buffer_size()
    sock = transport.get_extra_info("socket")
    if sock is None:
        return waiting
    try:
        queued = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
    except (OSError, ValueError):
        # Closed, or a system that does not say.
        return waiting
    return waiting + int(struct.unpack("i", queued)[0])
