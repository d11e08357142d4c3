"""Who may call, and how often: the first links of the chain."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace

from understudy.options.v1.options_pb2 import ROLE_ADMIN, Access, Role

from understudy_server.app.keys import works
from understudy_server.app.ports import KeyRecord, Store, Transaction
from understudy_server.core import keys, plans
from understudy_server.core.errors import Fault, Forbidden, LimitReached, Unauthenticated
from understudy_server.core.keys import Caller
from understudy_server.core.rates import Rate, SlidingWindow
from understudy_server.rpc import key_scopes


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store knows of a key."""

    record: KeyRecord
    caller: Caller
    plan: int


OWNER = Caller(key_id="", role=ROLE_ADMIN)
_NO_KEY = "a key is needed: send the header 'Authorization: Bearer fmk_...'"
_BAD_KEY = "the key is unknown, revoked or expired"
_WINDOWS_SWEPT_ABOVE = 1_000


class Admission:
    """Authenticates a call, counts it against its key, and checks plan and role, in this order."""

    def __init__(self, store: Store, rate: Rate, scope_rates: Mapping[str, Rate] | None = None) -> None:
        """``scope_rates``: those of keys of the kind flagbridge, by the name of their scope, where they differ."""
        self._store = store
        self._rate = rate
        self._scope_rates = scope_rates or {}
        self._windows: dict[str, SlidingWindow] = {}

    async def admit(self, access: Access, metadata: Mapping[str, str], now_ms: int, method: str = "") -> Caller:
        """Let a call of ``method`` pass. Raises Unauthenticated, LimitReached (rate_limited) and Forbidden."""
        text = keys.text_of(metadata.get("authorization", ""))
        if text is None:
            raise Unauthenticated(_NO_KEY)
        if len(text) > keys.TEXT_CHARACTERS_MAX:
            raise Unauthenticated(_BAD_KEY)
        fingerprint = keys.fingerprint(text)
        question = ("caller", fingerprint)
        known: _Known | None = self._store.recalled(question)
        if known is None:
            known = await self._store.read(lambda tx: tx.recall(question, lambda: _lookup(tx, fingerprint)))
        if not works(known.record, now_ms):
            raise Unauthenticated(_BAD_KEY)
        caller = known.caller
        self._count(caller, now_ms)
        if caller.scope:
            key_scopes.check_scope(method, caller.scope)
            if caller.environment_id and key_scopes.is_of_the_project(method):
                caller = replace(caller, environment_id="")
        _check_plan_and_role(access, known.plan, caller.role)
        return caller

    def _count(self, caller: Caller, now_ms: int) -> None:
        rate = self._scope_rates.get(key_scopes.NAMES[caller.scope], self._rate) if caller.scope else self._rate
        window = self._windows.get(caller.key_id)
        if window is None:
            self._forget_idle(now_ms)
            window = self._windows[caller.key_id] = SlidingWindow(rate)
        if wait_ms := window.admit(now_ms):
            seconds = -(-wait_ms // 1000)
            told = f"{rate.calls}/{rate.seconds}s"
            message = f"more than {rate.calls} calls in {rate.seconds} seconds; wait {seconds} seconds"
            raise LimitReached("rate_limited", message, Fault("", "rate", told), retry_after_seconds=seconds)

    def _forget_idle(self, now_ms: int) -> None:
        """Keep the table as small as the number of keys that are in use."""
        if len(self._windows) > _WINDOWS_SWEPT_ABOVE:
            self._windows = {key: window for key, window in self._windows.items() if not window.is_idle(now_ms)}


def _check_plan_and_role(access: Access, plan: int, role: int) -> None:
    if access.plan_gated and not plans.has_public_api(plan):
        raise Forbidden("plan_required", "the public API is part of the plans team and business")
    if not access.role or role < access.role:
        needed = Role.Name(access.role).removeprefix("ROLE_").lower()
        message = f"this needs a key with the role {needed}"
        raise Forbidden("role_required", message, Fault("", "role", needed))


async def _lookup(tx: Transaction, fingerprint: bytes) -> _Known:
    """What is known of a key. Raises Unauthenticated for one that is unknown: so nothing is remembered of it.

    Whoever guesses keys neither fills the memory nor takes the room of answers that are asked for.
    """
    record = await tx.key_by_fingerprint(fingerprint)
    if record is None or not hmac.compare_digest(record.fingerprint, fingerprint):
        raise Unauthenticated(_BAD_KEY)
    key = record.message
    caller = Caller(key.id, key.role, record.project_id, record.environment_id, key.scope)
    return _Known(record, caller, await tx.plan())
