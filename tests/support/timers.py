"""A timer that a test brings forward instead of waiting."""

from collections.abc import Callable


class _Pending:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class ManualTimers:
    """Stands where ``call_later`` stands. ``fire`` does what is due, whatever the hour."""

    def __init__(self) -> None:
        self._pending: list[_Pending] = []

    def __call__(self, _seconds: float, callback: Callable[[], None]) -> _Pending:
        pending = _Pending(callback)
        self._pending.append(pending)
        return pending

    @property
    def waiting(self) -> int:
        """How many calls are arranged."""
        return sum(not each.cancelled for each in self._pending)

    def fire(self) -> None:
        due, self._pending = self._pending, []
        for each in due:
            if not each.cancelled:
                each.callback()
