"""Several things done in one transaction: when one of them fails, all of it does, with that one's error."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from understudy_server.app.call import Call
from understudy_server.app.ports import Transaction
from understudy_server.core.errors import Fault, InvalidInput, Refusal

UseCase = Callable[[Transaction, Call, Any], Awaitable[Any]]


class Operation(Protocol):
    """One of several kinds of request, in a oneof ``operation``."""

    def WhichOneof(self, name: str, /) -> str | None: ...  # noqa: N802 - as messages spell it


async def run_all(
    tx: Transaction,
    call: Call,
    operations: Sequence[Operation],
    use_cases: Mapping[str, UseCase],
    places: Sequence[str] = ("project", "environment"),
) -> list[tuple[Any, Any]]:
    """Do one after the other; returns each request with its response. Raises what one raises, naming its field.

    ``places``: the fields of requests that name where the batch is, or nothing.
    """
    if not operations:
        raise InvalidInput("operations are required", Fault("operations", "required"))
    done = []
    for number, operation in enumerate(operations):
        kind = operation.WhichOneof("operation")
        if kind is None:
            path = f"operations[{number}]"
            raise InvalidInput(f"{path} says nothing to do", Fault(path, "required"))
        path = f"operations[{number}].{kind}"
        request = getattr(operation, kind)
        _check_place(call, request, path, places)
        try:
            response = await use_cases[kind](tx, call, request)
        except Refusal as refusal:
            raise _within(refusal, path) from None
        done.append((request, response))
    return done


def _check_place(call: Call, request: Any, path: str, places: Sequence[str]) -> None:
    for name in places:
        given, here = getattr(request, name), getattr(call.place, name)
        if given not in ("", here):
            fault = Fault(f"{path}.{name}", "same", here, given[:100])
            raise InvalidInput(f"{path}.{name} is another one than that of the batch; leave it empty", fault)


def _within(refusal: Refusal, path: str) -> Refusal:
    """The refusal, with the path to the operation before that of its field, and before what it says."""
    field = f"{path}.{refusal.fault.field}" if refusal.fault.field else path
    refusal.fault = replace(refusal.fault, field=field)
    refusal.message = f"{path}: {refusal.message}"
    return refusal
