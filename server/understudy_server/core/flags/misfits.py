"""Values that a session sets and that do not fit their flag. They are accepted, and the caller is told."""

import math
from enum import StrEnum

from understudy_server.core.flags.model import Flag, FlagKind, JsonValue


class Misfit(StrEnum):
    """Why a value does not fit. The values are codes of the contract."""

    UNKNOWN_FLAG = "unknown_flag"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_VARIANT = "unknown_variant"


def misfit_of(flag: Flag | None, value: JsonValue) -> Misfit | None:
    """Why a value does not fit the flag of its key, ``None`` when it does.

    The name of a variant fits a flag of any kind; a text flag with variants takes no other texts than those, and the
    values that they stand for. A number must be finite; a JSON flag takes everything.
    """
    if flag is None:
        return Misfit.UNKNOWN_FLAG
    if isinstance(value, str) and any(value in (each.key, each.value) for each in flag.variants):
        return None
    if not is_of_kind(flag.kind, value):
        return Misfit.WRONG_TYPE
    is_choice = flag.kind is FlagKind.STRING and flag.variants
    return Misfit.UNKNOWN_VARIANT if is_choice else None


def is_of_kind(kind: FlagKind, value: JsonValue) -> bool:
    """Tell whether a value is of a kind of flag. True and false are no numbers, although Python says so."""
    if kind is FlagKind.JSON:
        return True
    if kind is FlagKind.BOOLEAN:
        return isinstance(value, bool)
    if kind is FlagKind.STRING:
        return isinstance(value, str)
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)
