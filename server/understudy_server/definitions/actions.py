"""Actions, compiled.

A fixed response after a fixed time, which is what most mocks do, is told by its shape and costs next to nothing; all
else becomes an `Answerer`.
"""

from collections.abc import Collection
from typing import Final, NamedTuple

from understudy.v1 import actions_pb2 as pb
from understudy.v1.actions_pb2 import Action

from understudy_server.core import delays
from understudy_server.core.delays import Delay
from understudy_server.core.profiles import Profile
from understudy_server.core.responding.answerer import Acting, Answerer
from understudy_server.core.responding.faults import FaultRule
from understudy_server.core.responding.files import Files, no_files
from understudy_server.core.responding.making import Maker
from understudy_server.core.responding.plan import FaultKind
from understudy_server.core.responding.response import Response
from understudy_server.core.responding.sequences import Order, Turn, Turns
from understudy_server.definitions.extractions import ExtractionCompiler
from understudy_server.definitions.forwards import compile_forward
from understudy_server.definitions.responds import compile_maker, compile_response, is_fixed
from understudy_server.definitions.streams import compile_stream
from understudy_server.definitions.templates import TemplateCompiler
from understudy_server.definitions.unusable import Unusable

DELAY_MAX_MS: Final = 120_000

_KINDS: Final = {
    pb.FAULT_KIND_RESET: FaultKind.RESET,
    pb.FAULT_KIND_EMPTY_REPLY: FaultKind.EMPTY_REPLY,
    pb.FAULT_KIND_CUT: FaultKind.CUT,
    pb.FAULT_KIND_GARBAGE: FaultKind.GARBAGE,
    pb.FAULT_KIND_MALFORMED_CHUNK: FaultKind.MALFORMED_CHUNK,
}
_ORDERS: Final = {
    pb.SEQUENCE_ORDER_UNSPECIFIED: Order.IN_ORDER,
    pb.SEQUENCE_ORDER_IN_ORDER: Order.IN_ORDER,
    pb.SEQUENCE_ORDER_CYCLIC: Order.CYCLIC,
    pb.SEQUENCE_ORDER_RANDOM: Order.RANDOM,
}
_NOTHING_SAID: Final = Response()
_NO_FILES: Final = frozenset[str]()


class CompiledAction(NamedTuple):
    """What a mock does: ``answer`` is ``None`` for ``response`` after ``delay_ms`` and nothing else."""

    response: Response
    delay_ms: int
    answer: Answerer | None


def compile_action(
    action: Action,
    path: str,
    files: Files = no_files,
    *,
    chain: str = "",
    parameters: Collection[str] = (),
    profile: Profile = Profile.FLOWMOCK,
) -> CompiledAction:
    """Compile an action. ``path`` is that of the message. Raises Unusable.

    ``files`` is asked when a request is answered. ``chain`` is the mock's, and ``parameters`` are the names in the path
    of its matcher: what refers to others is refused. ``profile`` is that of the environment.
    """
    if is_plain(action):
        return CompiledAction(compile_response(action.respond), action.delay.fixed_ms, None)
    templates = TemplateCompiler(profile)
    answer = Acting(
        turns=_turns(action, path, files, parameters, templates),
        extractions=ExtractionCompiler(chain, parameters, templates).compile(action.extract, f"{path}.extract"),
        bytes_per_second=action.bytes_per_second,
    )
    return CompiledAction(_NOTHING_SAID, 0, answer)


def check_action(
    action: Action,
    path: str,
    file_names: Collection[str],
    *,
    chain: str = "",
    parameters: Collection[str] = (),
    profile: Profile = Profile.FLOWMOCK,
) -> None:
    """Raise Unusable for what cannot be compiled, or names a file that is not among those. Plain ones cost nothing."""
    if is_plain(action):
        return
    compile_action(action, path, chain=chain, parameters=parameters, profile=profile)
    for name, respond_path in _files_of(action, path):
        if name not in file_names:
            raise Unusable(f"{respond_path}.file", "file", f"there is no file {name!r} in the environment", name)


def file_names_of(action: Action) -> frozenset[str]:
    """The names of the files that an action answers with."""
    if action.WhichOneof("kind") in (None, "respond") and action.respond.WhichOneof("body") != "file":
        return _NO_FILES
    return frozenset([name for name, _ in _files_of(action, "")])


def is_plain(action: Action) -> bool:
    """Whether it is a fixed response after a fixed time, and nothing else."""
    return (
        is_fixed(action.respond)
        and action.WhichOneof("kind") in (None, "respond")
        and action.delay.WhichOneof("length") in (None, "fixed_ms")
        and not (action.HasField("fault") or action.bytes_per_second or action.extract)
    )


def _files_of(action: Action, path: str) -> list[tuple[str, str]]:
    """The files of all responses, each with the path to the response."""
    responds = [(action.respond, f"{path}.respond")]
    responds += [
        (step.respond, f"{path}.sequence.steps[{place}].respond") for place, step in enumerate(action.sequence.steps)
    ]
    return [(respond.file, where) for respond, where in responds if respond.WhichOneof("body") == "file"]


def _turns(action: Action, path: str, files: Files, parameters: Collection[str], templates: TemplateCompiler) -> Turns:
    delay = _delay(action.delay, f"{path}.delay")
    fault = _fault(action.fault, f"{path}.fault") if action.HasField("fault") else None
    match action.WhichOneof("kind"):
        case "sequence":
            return _sequence(action.sequence, f"{path}.sequence", files, templates, delay, fault)
        case "events":
            maker: Maker = compile_stream(action.events, f"{path}.events", templates)
        case "forward":
            maker = compile_forward(action.forward, f"{path}.forward", parameters)
        case _:
            maker = compile_maker(action.respond, f"{path}.respond", files, templates)
    return Turns([Turn(maker, delay, fault)])


def _sequence(
    message: pb.Sequence,
    path: str,
    files: Files,
    templates: TemplateCompiler,
    delay: Delay,
    fault: FaultRule | None,
) -> Turns:
    if not message.steps:
        raise Unusable(f"{path}.steps", "required", f"{path}.steps needs at least one response")
    turns = []
    for place, step in enumerate(message.steps):
        where = f"{path}.steps[{place}]"
        turns.append(
            Turn(
                compile_maker(step.respond, f"{where}.respond", files, templates),
                _delay(step.delay, f"{where}.delay") if step.HasField("delay") else delay,
                _fault(step.fault, f"{where}.fault") if step.HasField("fault") else fault,
            )
        )
    if message.order not in _ORDERS:
        raise Unusable(f"{path}.order", "unknown", f"{path}.order is none that there is", str(message.order))
    return Turns(turns, _ORDERS[message.order], [step.weight or 1 for step in message.steps])


def _delay(message: pb.Delay, path: str) -> Delay:
    match message.WhichOneof("length"):
        case "uniform":
            uniform = message.uniform
            if uniform.max_ms < uniform.min_ms:
                raise Unusable(
                    f"{path}.uniform.max_ms", "order", f"{path}.uniform.max_ms is below min_ms", str(uniform.max_ms)
                )
            return delays.Uniform(uniform.min_ms, uniform.max_ms)
        case "log_normal":
            normal = message.log_normal
            if not normal.median_ms:
                raise Unusable(f"{path}.log_normal.median_ms", "required", f"{path}.log_normal.median_ms is required")
            return delays.LogNormal(normal.median_ms, normal.sigma, normal.max_ms or DELAY_MAX_MS)
        case _:
            return delays.Fixed(message.fixed_ms)


def _fault(message: pb.Fault, path: str) -> FaultRule:
    kind = _KINDS.get(message.kind)
    if kind is None:
        raise Unusable(f"{path}.kind", "required", f"{path}.kind does not say what goes wrong")
    return FaultRule(
        kind,
        message.probability if message.HasField("probability") else 1.0,
        message.fraction if message.HasField("fraction") else 0.5,
    )
