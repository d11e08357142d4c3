"""Who asks: found by the key in the Authorization header, or by the token of a login."""

from typing import Final, NamedTuple

from understudy.options.v1.options_pb2 import ROLE_CI
from understudy.v1.key_service_pb2 import GetOwnKeyRequest, GetOwnKeyResponse, Key, KeyScope

from understudy_gateway.dialects.flagbridge.refusals import UNAUTHORIZED, Refusal, unauthorized
from understudy_gateway.dialects.flagbridge.server import Server

_KNOWN_MAX: Final = 10_000
_CHARACTERS_MAX: Final = 256
"""A longer header is not remembered: it has more than a key in it."""
_NO_KEY: Final = "An API key is needed: send 'Authorization: Bearer fb_sk_...'."
_BAD_KEY: Final = "The API key is unknown, malformed or revoked."


class Caller(NamedTuple):
    """``key_id`` tells callers apart; ``project`` and ``environment`` are slugs, empty when the key is for all."""

    key_id: str
    scope: str
    project: str = ""
    environment: str = ""


def bearer(authorization: str) -> str:
    """What stands behind ``Bearer``, the word in any case. Raises Refusal."""
    scheme, _, text = authorization.strip().partition(" ")
    text = text.strip()
    if scheme.lower() != "bearer" or not text:
        raise unauthorized(_NO_KEY)
    return text


class Callers:
    """Remembers who has which key, by the whole header: of a key that works, nothing of that ever changes.

    That it still works is for the server to say, which every request that does anything asks.
    """

    def __init__(self) -> None:
        self._known: dict[str, Caller] = {}

    def remembered(self, authorization: str) -> Caller | None:
        """The caller with a key that worked when it was last looked up."""
        return self._known.get(authorization)

    async def look_up(self, authorization: str, server: Server) -> Caller:
        """The caller with a key, which works. Raises Refusal."""
        try:
            answer = await server.call("KeyService.GetOwnKey", GetOwnKeyRequest(), GetOwnKeyResponse)
        except Refusal as error:
            if error.code == UNAUTHORIZED:
                self.forget(authorization)
                raise unauthorized(_BAD_KEY) from None
            raise
        if len(self._known) >= _KNOWN_MAX:
            self._known.clear()
        caller = _caller(answer.key)
        if len(authorization) <= _CHARACTERS_MAX:
            self._known[authorization] = caller
        return caller

    def forget(self, authorization: str) -> None:
        """Forget a key that works no more."""
        self._known.pop(authorization, None)


def _caller(key: Key) -> Caller:
    if key.scope:
        scope = KeyScope.Name(key.scope).removeprefix("KEY_SCOPE_").lower()
    else:
        # One of Understudy's own keys opens this door too, as the scope that its role comes nearest to.
        scope = "test" if key.role <= ROLE_CI else "full"
    return Caller(key.id, scope, key.project, key.environment)
