"""The values that a session gives to flags: a JSON object by key, kept as text in the order in which they were set."""

import json
from collections.abc import Sequence
from typing import Any, Final

from understudy.v1.flags_pb2 import FlagWarning

from understudy_server.app.call import Call
from understudy_server.app.ports import Transaction
from understudy_server.app.session_values import Values, read_kept
from understudy_server.core import strict_json
from understudy_server.core.errors import Fault, InvalidInput, LimitReached
from understudy_server.core.flags.misfits import Misfit, misfit_of
from understudy_server.core.flags.model import Flag
from understudy_server.core.strict_json import MalformedJson
from understudy_server.definitions.flags import flag_of, written

FLAGS_MAX: Final = 1000
KEY_CHARACTERS_MAX: Final = 256
VALUE_CHARACTERS_MAX: Final = 65_536
ALL_CHARACTERS_MAX: Final = 1_048_576

# A warning names so many variants.
_VARIANTS_TOLD: Final = 5


def read_given(text: str, *, with_null: bool = False) -> dict[str, Any]:
    """Values that a caller gives, in the field ``flags``. Raises InvalidInput.

    ``with_null``: null takes a flag away; otherwise it is no value.
    """
    try:
        values = strict_json.parse(text) if text not in ("", "null") else {}
    except MalformedJson as error:
        raise InvalidInput(f"flags is not JSON: {error}", Fault("flags", "json", given=text[:100])) from None
    if not isinstance(values, dict):
        raise InvalidInput("flags must be a JSON object", Fault("flags", "type", given=text[:100]))
    if len(values) > FLAGS_MAX:
        complaint = f"flags has {len(values)} members, more than {FLAGS_MAX}"
        raise InvalidInput(complaint, Fault("flags", "max_items", str(FLAGS_MAX)))
    for key, value in values.items():
        _check(key, value, with_null=with_null)
    return values


def kept_text(values: Values) -> str:
    """Values as they are kept. Raises LimitReached (flags_full)."""
    if len(values) > FLAGS_MAX:
        message = f"a session sets at most {FLAGS_MAX} flags"
        raise LimitReached("flags_full", message, Fault("flags", "max_items", str(FLAGS_MAX)))
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    if len(text) > ALL_CHARACTERS_MAX:
        message = f"the flags of a session have at most {ALL_CHARACTERS_MAX} characters together"
        raise LimitReached("flags_full", message, Fault("flags", "max_length", str(ALL_CHARACTERS_MAX)))
    return text


async def warnings_about(tx: Transaction, call: Call, text: str) -> Sequence[FlagWarning]:
    """What is odd about values that are kept, in their order."""
    values = read_kept(text)
    flags = await tx.flags_named(call.place.project_id, values.keys()) if values else {}
    warnings = []
    for key, value in values.items():
        flag = flag_of(flags[key]) if key in flags else None
        misfit = misfit_of(flag, value)
        if flag is None:
            told = f"project {call.place.project!r} has no flag {key!r}"
            warnings.append(FlagWarning(flag_key=key, code=Misfit.UNKNOWN_FLAG, message=told))
        elif misfit:
            warnings.append(FlagWarning(flag_key=key, code=misfit, message=_told(flag, misfit, written(value)[:100])))
    return warnings


def _told(flag: Flag, misfit: Misfit, value: str) -> str:
    """Why a value does not fit its flag, in a sentence."""
    variants = [each.key for each in flag.variants]
    named = ", ".join(map(repr, variants[:_VARIANTS_TOLD])) + (", ..." if len(variants) > _VARIANTS_TOLD else "")
    if misfit is Misfit.UNKNOWN_VARIANT:
        return f"the flag {flag.key!r} has no variant {value}; it has {named}"
    beside = f", nor the key of a variant ({named})" if variants else ""
    return f"the flag {flag.key!r} is a {flag.kind}, and {value} is none{beside}"


def _check(key: str, value: Any, *, with_null: bool) -> None:
    path = f"flags[{key[:100]!r}]"
    if not key or len(key) > KEY_CHARACTERS_MAX:
        complaint = f"the key of a flag has 1 to {KEY_CHARACTERS_MAX} characters"
        raise InvalidInput(complaint, Fault(path, "max_length" if key else "min_length", str(KEY_CHARACTERS_MAX)))
    if value is None and not with_null:
        raise InvalidInput(f"{path} is null, which is no value of a flag in a session", Fault(path, "null"))
    if not isinstance(value, bool | int | float) and len(written(value)) > VALUE_CHARACTERS_MAX:
        complaint = f"{path} has more than {VALUE_CHARACTERS_MAX} characters"
        raise InvalidInput(complaint, Fault(path, "max_length", str(VALUE_CHARACTERS_MAX)))
