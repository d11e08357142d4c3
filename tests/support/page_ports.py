"""The ports of a page's text and those that a test uses in their place, since the usual ones may be taken."""

import re
import socket
import time
from contextlib import ExitStack

USUAL = (50051, 8000, 8080, 8081, 8082, 8910, 9000)
_WAIT_SECONDS_MAX = 30


class Ports:
    """Maps the ports that pages name to free ones, and back."""

    def __init__(self) -> None:
        with ExitStack() as stack:
            # All held at a time, so that no two are the same.
            taken = [stack.enter_context(socket.socket()) for _ in USUAL]
            for each in taken:
                each.bind(("127.0.0.1", 0))
            self._free: dict[int, int] = dict(zip(USUAL, (each.getsockname()[1] for each in taken), strict=True))
        self._usual = {free: usual for usual, free in self._free.items()}

    def free(self, usual: int) -> int:
        return self._free[usual]

    def to_free(self, text: str) -> str:
        """What a page says, with the ports in use."""
        return self._replace(text, self._free)

    def to_usual(self, text: str) -> str:
        """What a command printed, with the ports of the page."""
        return self._replace(text, self._usual)

    def wait(self, usual: int) -> None:
        """Wait until something listens. Raises ``TimeoutError``."""
        deadline = time.monotonic() + _WAIT_SECONDS_MAX
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._free[usual])) == 0:
                    return
            # A listener of another process can only be asked again.
            time.sleep(0.02)
        raise TimeoutError(f"nothing listens at port {usual} of the page")

    def _replace(self, text: str, ports: dict[int, int]) -> str:
        return re.sub(r"(?<![\w.])\d{4,5}(?![\w.]*\d)", lambda found: str(ports.get(int(found[0]), found[0])), text)
