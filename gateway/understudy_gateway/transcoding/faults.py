"""What was wrong with a request, gathered while it is read, and the refusal that is made of it."""

from dataclasses import dataclass

from google.rpc.code_pb2 import INVALID_ARGUMENT
from google.rpc.status_pb2 import Status
from understudy import status
from understudy.status import Problem

# Where a call acts is judged before anything else about it, so what is wrong there is reported before the rest.
PLACES = ("project", "environment")

_GIVEN_MAX_CHARACTERS = 100
_PATH_MAX_CHARACTERS = 200


class BadValue(Exception):
    """A value does not fit its field. ``wanted`` completes the sentence "… must be"; ``rule`` names what was broken."""

    def __init__(self, wanted: str, rule: str = "type") -> None:
        super().__init__(wanted)
        self.wanted = wanted
        self.rule = rule


@dataclass(frozen=True, slots=True)
class InputFault:
    """One fault. ``reason`` is the stable code, ``field`` a dotted path in proto names, empty for the whole request.

    The message names the field in the same way; both are spelled as over REST when they are shown.
    """

    reason: str
    message: str
    field: str = ""
    rule: str = ""
    given: str = ""

    def refusal(self) -> Status:
        """Return the fault as the status that refuses the call."""
        return status.write(
            INVALID_ARGUMENT,
            Problem(reason=self.reason, message=self.message, field=self.field, rule=self.rule, given=self.given),
        )


def misfit(reason: str, field: str, bad: BadValue, given: object) -> InputFault:
    """Make the fault of a field whose value is not what it must be."""
    path = field[:_PATH_MAX_CHARACTERS]
    return InputFault(reason, f"{path} must be {bad.wanted}.", path, bad.rule, _shown(given))


def unknown(field: str, name: str) -> InputFault:
    """Make the fault of a name that the request does not have. ``field`` is the whole path, ``name`` its last part."""
    path = field[:_PATH_MAX_CHARACTERS]
    message = f"{path} is not a field of this request."
    return InputFault("invalid_field", message, path, "unknown", name[:_GIVEN_MAX_CHARACTERS])


def refuse(faults: list[InputFault]) -> Status | None:
    """Choose the fault to report: one that concerns the place first, else the first found. None when there is none."""
    for place in PLACES:
        for fault in faults:
            if fault.field == place:
                return fault.refusal()
    return faults[0].refusal() if faults else None


def _shown(given: object) -> str:
    return str(given)[:_GIVEN_MAX_CHARACTERS]
