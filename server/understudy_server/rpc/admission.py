"""Who may call, and how often: the first links of the chain."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from understudy.options.v1.options_pb2 import ROLE_ADMIN, Access, Role

from understudy_server.app.keys import works
from understudy_server.app.ports import KeyRecord, Store, Transaction
from understudy_server.core import keys, plans
from understudy_server.core.errors import Fault, Forbidden, LimitReached, Unauthenticated
from understudy_server.core.keys import Caller
from understudy_server.core.rates import Rate, SlidingWindow


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store knows of the key in an Authorization value; ``record`` is None for a key that it does not know."""

    record: KeyRecord | None
    caller: Caller
    plan: int


OWNER = Caller(key_id="", role=ROLE_ADMIN)
_WINDOWS_SWEPT_ABOVE = 1_000


class Admission:
    """Authenticates a call, counts it against its key, and checks plan and role, in this order."""

    def __init__(self, store: Store, rate: Rate) -> None:
        self._store = store
        self._rate = rate
        self._windows: dict[str, SlidingWindow] = {}

    async def admit(self, access: Access, metadata: Mapping[str, str], now_ms: int) -> Caller:
        """Let a call pass. Raises Unauthenticated, LimitReached (rate_limited) and Forbidden."""
        authorization = metadata.get("authorization", "")
        question = ("caller", authorization)
        known: _Known | None = self._store.recalled(question)
        if known is None:
            known = await self._store.read(lambda tx: tx.recall(question, lambda: _lookup(tx, authorization)))
        if known is None:
            raise Unauthenticated("a key is needed: send the header 'Authorization: Bearer fmk_...'")
        if known.record is None or not works(known.record, now_ms):
            raise Unauthenticated("the key is unknown, revoked or expired")
        self._count(known.caller.key_id, now_ms)
        _check_plan_and_role(access, known.plan, known.caller.role)
        return known.caller

    def _count(self, key_id: str, now_ms: int) -> None:
        window = self._windows.get(key_id)
        if window is None:
            self._forget_idle(now_ms)
            window = self._windows[key_id] = SlidingWindow(self._rate)
        if wait_ms := window.admit(now_ms):
            seconds = -(-wait_ms // 1000)
            rate = f"{self._rate.calls}/{self._rate.seconds}s"
            message = f"more than {self._rate.calls} calls in {self._rate.seconds} seconds; wait {seconds} seconds"
            raise LimitReached("rate_limited", message, Fault("", "rate", rate), retry_after_seconds=seconds)

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


async def _lookup(tx: Transaction, authorization: str) -> _Known | None:
    text = keys.text_of(authorization)
    if text is None:
        return None
    fingerprint = keys.fingerprint(text)
    record, plan = await tx.key_by_fingerprint(fingerprint), await tx.plan()
    if record is None or not hmac.compare_digest(record.fingerprint, fingerprint):
        return _Known(None, Caller("", 0), plan)
    key = record.message
    return _Known(record, Caller(key.id, key.role, record.project_id, record.environment_id), plan)
