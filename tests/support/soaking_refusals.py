"""What cannot be had, or cannot be understood, and how each is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from support.http_wire import BROKEN, HttpWire

_NOBODY: Final = "/api/v1/sessions/nobody"
_TOO_LONG: Final = (414, 431)


@dataclass(frozen=True)
class Refused:
    """A request that gets a status. It goes to the API with a key that works, or else to the proxy."""

    status: int
    method: str
    path: str
    body: bytes = b""
    header: str = "x-any: thing"
    is_of_api: bool = True

    async def ask(self, wire: HttpWire, base: str, auth: str) -> list[str]:
        """Ask for it; says what is wrong with the answer, nothing if all is well. ``base`` is that of the proxy."""
        path, lines = (self.path, [auth]) if self.is_of_api else (self.path.replace("BASE", base), [])
        if self.header.startswith("authorization"):
            lines = []
        try:
            said = await wire.ask(self.method, path, *lines, self.header, body=self.body)
        except BROKEN:
            # Who goes on sending what is refused already may lose the connection before it has read the answer.
            return [] if self.status in _TOO_LONG else [f"{self.method} {path[:80]} lost its connection"]
        if said.status == self.status:
            return []
        return [f"{self.method} {path[:80]} was answered {said.status} {said.body[:200]!r}"]


def _proxied(status: int, path: str, header: str = "x-any: thing") -> Refused:
    return Refused(status, "GET", path, header=header, is_of_api=False)


REFUSED: Final[Sequence[Refused]] = (
    Refused(400, "PUT", _NOBODY, b'{"overrides": '),
    Refused(422, "PUT", _NOBODY, b'{"overrides": 7}'),
    Refused(404, "POST", f"{_NOBODY}/calls:verify", b'{"expectations": [{"exactly": 0}]}'),
    Refused(422, "POST", f"{_NOBODY}/calls:count", b'{"matcher": {"body": {"pattern": "("}}}'),
    Refused(401, "GET", _NOBODY, header="authorization: Bearer fmk_wrong"),
    _proxied(404, "/there-is-no/such/place"),
    _proxied(414, f"BASE/{'a' * 40_000}"),
    _proxied(431, "BASE/a", f"x-long: {'a' * 200_000}"),
)
