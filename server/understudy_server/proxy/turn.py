"""A request that could not be answered at once has its turn: it is in hand until its answer is written.

A turn is in one state at a time, each of which is a class named for what it does: `CatchingUp`, `Collecting`,
`Considering`, `Held`, `Noted`, `Deferred`, `Relay`, `Forwarded`, `HandedOver`, `Slowed`, `Spoiled`, `Streaming`,
`Tunnel`. The connection tells the state what happens at the client, and the state tells the connection what to do. None
of them knows of sockets.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar, cast

from understudy_server.proxy.messages import BodyPart, ClientRequest, Refused


class Turn:
    """What is done about the request in hand. A state overrides what concerns it; the rest does not matter to it."""

    __slots__ = ()

    @property
    def takes_body(self) -> bool:
        """True when the next part of the request's body can be handed over. Else it waits with the client."""
        return False

    @property
    def begun(self) -> bool:
        """True once anything of the answer is written, so that no other one can be."""
        return False

    def start(self) -> None:
        """Begin. Called once, when the connection has taken note of the turn."""

    def body(self, part: BodyPart) -> None:
        """The next part of the request's body."""

    def spoiled(self, refused: Refused) -> None:
        """The rest of the request cannot be read: the client is told so, if it was told nothing yet."""

    def half_closed(self) -> None:
        """The client has sent all it will ever send; it may still be reading, and cannot be told from one that left."""

    def gone(self) -> None:
        """The client is gone. Nothing can be told to it any more."""

    def stopping(self) -> None:
        """No more is answered here soon: what has no end of its own is ended."""

    def drop(self) -> None:
        """Something of ours went wrong: let go of all that runs, without a word and without a record."""

    def full(self) -> None:
        """The client reads slower than it is written to: write no more."""

    def ready(self) -> None:
        """The client has caught up."""


class Tunnel(Turn):
    """A turn after a switch of protocols. ``takes_body`` says that the next bytes can be handed over."""

    __slots__ = ()

    def from_client(self, data: bytes) -> None:
        """Bytes of the client."""


class Client(Protocol):
    """The connection, as a turn sees it."""

    @property
    def writable(self) -> bool:
        """False while the client reads slower than it is written to: after `Turn.full`, until `Turn.ready`."""

    def proceed(self, turn: Turn | bytes) -> None:
        """The turn goes on in another state, or ends with these bytes, a whole answer (see `Service.begin`)."""

    def invite(self) -> None:
        """Tell a client that waits for it to send the body. Does nothing the second time."""

    def write(self, data: bytes) -> None:
        """Write bytes of an answer."""

    def pump(self) -> None:
        """`takes_body` has changed."""

    def conclude(self, data: bytes, *, keep_alive: bool) -> None:
        """Write the last bytes of an answer."""

    def finish_answer(self, *, keep_alive: bool) -> None:
        """The answer is written whole."""

    def fault(self) -> None:
        """Something of ours went wrong, with the exception in hand: that is an answer too, unless one has begun."""

    def cut(self, *, hard: bool) -> None:
        """The answer cannot be finished. ``hard``: its end would look regular, so the client gets a reset."""

    def tunnel(self, turn: Tunnel) -> None:
        """What the client sends is no longer HTTP: it goes to this turn as it is."""


class _OfClient(Protocol):
    client: Client


_T = TypeVar("_T", bound=_OfClient)
_P = ParamSpec("_P")


def guarded(step: Callable[Concatenate[_T, _P], None]) -> Callable[Concatenate[_T, _P], None]:
    """A step of a turn that is not called by its connection: a fault of ours in it is that client's alone."""

    @wraps(step)
    def take(turn: _T, *arguments: _P.args, **options: _P.kwargs) -> None:
        try:
            step(turn, *arguments, **options)
        except Exception:  # noqa: BLE001 - logged by the connection
            turn.client.fault()

    return cast("Callable[Concatenate[_T, _P], None]", take)


def awaits_invitation(request: ClientRequest) -> bool:
    """True when the client holds back the body until it is told to go on, and sent none of it."""
    return request.expects_continue and not (request.complete or request.body or request.http_1_0)
