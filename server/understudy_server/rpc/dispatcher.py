"""The one dispatcher: a table from RPC to use case, and one chain of checks around every call.

Authenticate, count against the key's rate, check plan and role, read the request, resolve the place, check the fields,
run the use case, write errors. gRPC and the gateway are two callers of it, so that no rule holds at one door alone.
Resolving, checking and the use case share one transaction, so that nothing can change between them.
"""

import logging
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any, cast

from google.protobuf.message import Message
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status
from understudy import request_ids, status

from understudy_server.app.beside import beside
from understudy_server.app.call import Call, Place, World
from understudy_server.app.host import Host, HostFacts
from understudy_server.app.observing import Observe, unobserved
from understudy_server.app.ports import Explainer, Journal, Presence, Store, Transaction
from understudy_server.core.errors import InvalidInput, Refusal
from understudy_server.core.keys import Caller
from understudy_server.core.rates import Rate
from understudy_server.core.state import State
from understudy_server.rpc import errors, fields, places
from understudy_server.rpc.admission import OWNER, Admission
from understudy_server.rpc.late import Late
from understudy_server.rpc.table import Kind, Rpc, rpcs

Decode = Callable[[], tuple[Message, Status | None]]
"""Reads the request: what could be read, and what refuses the rest of it, if anything does."""

# A longer request names more than a few things, each of which is looked up.
_BRIEF_BYTES_MAX = 1_000
_PLACE_FIELDS = ("project", "environment")
_PLACE_UNKNOWN = ("project_required", "environment_required")
# Looked up once: by name an enum is slow.
_OK, _CANCELLED = Code.OK, Code.CANCELLED
_READS, _WRITES_BRIEFLY, _ASKS, _STREAMS = Kind.READS, Kind.WRITES_BRIEFLY, Kind.ASKS, Kind.STREAMS
_log = logging.getLogger(__name__)


class _Unreadable(Exception):
    """The door could not read the request; its status is the answer."""

    def __init__(self, refusal: Status) -> None:
        self.refusal = refusal


class Dispatcher:
    """Answers every call with its response message, or with the status of what refused it. Never raises."""

    def __init__(
        self,
        *,
        store: Store,
        journal: Journal,
        presence: Presence,
        state: State,
        explainer: Explainer,
        clock: Callable[[], int],
        new_id: Callable[[str], str],
        api_rate: Rate,
        host: Host = HostFacts,
        scope_rates: Mapping[str, Rate] | None = None,
        observe: Observe = unobserved,
        table: Mapping[str, Rpc] | None = None,
    ) -> None:
        self._world = World(store, journal, presence, state, new_id, secrets.token_bytes, host, explainer)
        self._clock = clock
        self._observe = observe
        self._admission = Admission(store, api_rate, scope_rates)
        self._table = table if table is not None else rpcs()

    def end_waits(self) -> None:
        """Let all calls go that wait for something to happen: the server is stopping."""
        self._world.waits.end()

    def find(self, method: str) -> Rpc | None:
        """The RPC with a name on the wire."""
        return self._table.get(method)

    async def unary(
        self, method: str, metadata: Mapping[str, str], decode: Decode, *, owner: bool = False
    ) -> Message | Status:
        """Serve a call with one answer. ``metadata`` has lower-case names; the owner needs no key."""
        observation, code = self._observe(method, metadata), _CANCELLED
        try:
            answer: Message | Status = await self._serve(method, metadata, decode, owner=owner)
            code = _code_of(answer)
        except Exception as error:  # noqa: BLE001 - whatever happens, the caller gets an answer and no text of ours
            answer = self._status_of(method, error)
            code = _code_of(answer)
        finally:
            # One that is cancelled, because its caller is gone, ends as such.
            observation.end(code)
        return answer

    async def stream(
        self, method: str, metadata: Mapping[str, str], decode: Decode, *, owner: bool = False
    ) -> AsyncGenerator[Message | Status, None]:
        """Serve a call with many answers. A status, if there is one, is the last."""
        observation, code = self._observe(method, metadata), _CANCELLED
        try:
            answers = await self._serve(method, metadata, decode, owner=owner)
            if isinstance(answers, Status):
                code = _code_of(answers)
                yield answers
                return
            async with aclosing(answers):
                # Closed here and now when nobody listens any more: what it holds is let go of.
                async for message in answers:
                    yield message
            code = _OK
        except Exception as error:  # noqa: BLE001 - as above
            refusal = self._status_of(method, error)
            code = _code_of(refusal)
            yield refusal
        finally:
            observation.end(code)

    async def _serve(self, method: str, metadata: Mapping[str, str], decode: Decode, *, owner: bool) -> Any:
        rpc = self._table.get(method)
        if rpc is None:
            return errors.unknown_method()
        now_ms = self._clock()
        caller = OWNER if owner else await self._admission.admit(rpc.access, metadata, now_ms, method)
        use_case = rpc.use_case
        if isinstance(use_case, Late):
            if use_case.found is None:
                await beside(use_case.load)
            use_case = use_case.found
        request, refusal = await beside(decode) if rpc.reads_long else decode()
        kind = rpc.kind
        if kind is _ASKS or kind is _STREAMS:
            place = await self._placed(rpc, caller, metadata, request, refusal)
            answer = use_case(Call(caller, place, now_ms, self._world), request)
            return answer if kind is _STREAMS else await answer

        async def run(tx: Transaction) -> Message:
            place = await _place(tx, rpc, caller, metadata, request, refusal)
            answer: Message = await use_case(tx, Call(caller, place, now_ms, self._world), request)
            return answer

        if kind is _READS:
            return await self._world.store.read(run)
        brief = kind is _WRITES_BRIEFLY and request.ByteSize() <= _BRIEF_BYTES_MAX
        return await self._world.store.write(run, brief=brief)

    async def _placed(
        self, rpc: Rpc, caller: Caller, metadata: Mapping[str, str], request: Message, refusal: Status | None
    ) -> Place:
        """Where a call acts that asks the store itself: mostly somebody has asked for the same place before."""
        store = self._world.store
        if refusal is None:
            place = places.recalled(store, caller, rpc.access.scope, request, metadata)
            if place is not None:
                # Names that a place was found by are good ones.
                fields.check(request, but=places.named_by(rpc.access.scope))
                return place
        return await store.read(lambda tx: _place(tx, rpc, caller, metadata, request, refusal))

    def _status_of(self, method: str, error: Exception) -> Status:
        if isinstance(error, _Unreadable):
            return error.refusal
        if isinstance(error, Refusal):
            return errors.status_of(error)
        request_id = request_ids.CURRENT.get() or request_ids.make()
        _log.error("%s failed, request %s", method, request_id, exc_info=error)
        return errors.internal(request_id)


async def _place(
    tx: Transaction, rpc: Rpc, caller: Caller, metadata: Mapping[str, str], request: Message, refusal: Status | None
) -> Place:
    """Resolve the place and check the fields: all that stands between a request that was read and its use case."""
    try:
        fields.check(request, only=_PLACE_FIELDS)
        place = await places.resolve(tx, caller, rpc.access.scope, request, metadata)
    except InvalidInput as error:
        # A name that is missing may stand in the part that could not be read: then that is what is wrong.
        if refusal and error.code in _PLACE_UNKNOWN and _hides_a_place(refusal):
            raise _Unreadable(refusal) from None
        raise
    if refusal:
        raise _Unreadable(refusal)
    fields.check(request, but=_PLACE_FIELDS)
    return place


def _code_of(answer: Message | Status) -> "Code.ValueType":
    return cast("Code.ValueType", answer.code) if isinstance(answer, Status) else _OK


def _hides_a_place(refusal: Status) -> bool:
    """True when a project or an environment may stand in what could not be read."""
    return status.read(refusal).field.partition(".")[0] in ("", *_PLACE_FIELDS)
