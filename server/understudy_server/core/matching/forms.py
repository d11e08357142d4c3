"""Forms that anybody may have sent, read for what reading them costs."""

from typing import Final

from understudy_server.core.matching.request import read_form
from understudy_server.core.steps import Steps

# What it costs to read one field of a form, without and with decoding, and one encoded character: more where it stands
# between characters that are not ASCII.
_STEPS_FOR_A_FIELD: Final = 3
_STEPS_FOR_A_DECODED_FIELD: Final = 40
_STEPS_FOR_A_CHARACTER: Final = 2
_STEPS_FOR_A_MIXED_CHARACTER: Final = 10
_SEARCHED_IN_A_STEP: Final = 27


def read(text: str, steps: Steps) -> dict[str, list[str]]:
    """Read the text of a form into values by name, in order, decoded. Raises TooManySteps."""
    steps.take(len(text) // _SEARCHED_IN_A_STEP)
    steps.take(_steps_to_read(text))
    return read_form(text)


def _steps_to_read(form: str) -> int:
    fields, encoded = form.count("&") + 1, form.count("%") + form.count("+")
    if not encoded:
        return fields * _STEPS_FOR_A_FIELD
    character = _STEPS_FOR_A_CHARACTER if form.isascii() else _STEPS_FOR_A_MIXED_CHARACTER
    return fields * _STEPS_FOR_A_DECODED_FIELD + encoded * character
