"""How long a question takes, and what the time is by now."""

import asyncio

from understudy_server.app.call import Call


class Stopwatch:
    """Runs from the moment at which a call came: by the event loop's clock, which is never set back."""

    def __init__(self, call: Call) -> None:
        self._call_ms = call.now_ms
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    @property
    def passed_ms(self) -> int:
        """Since it was made, waiting included."""
        return round((self._loop.time() - self._began) * 1000)

    @property
    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return self._call_ms + self.passed_ms
