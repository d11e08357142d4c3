"""From the bytes of a body to JSON, with the product's words for what is none."""

import json
from typing import Any, Final

import orjson

from understudy_gateway.dialects.assertive.validation import Invalid, Problems
from understudy_gateway.transcoding.json_text import DEPTH_MAX_LEVELS

_BODY: Final = ("body",)
_NOT_AN_OBJECT: Final = "Input should be a valid dictionary or object to extract fields from"


def read(body: bytes, content_type: str | None) -> Any:
    """Read the body of a call. ``content_type`` is the header as it was sent, or None. Raises Invalid.

    Where no type was sent, the body is read as JSON. A body of another type is no object, and said to be none.
    """
    problems = Problems()
    if not body:
        problems.add("missing", _BODY, "Field required", None)
    elif content_type is not None and not _is_json(content_type):
        problems.add("model_attributes_type", _BODY, _NOT_AN_OBJECT, body.decode("utf-8", "replace"))
    else:
        try:
            return parse(body)
        except json.JSONDecodeError as error:
            problems.add("json_invalid", ("body", error.pos), "JSON decode error", {}, error=error.msg)
    raise Invalid(problems.found)


def parse(body: bytes) -> Any:
    """Read JSON: a key that is there twice has its last value. Raises json.JSONDecodeError.

    Refused are also numbers that are none (NaN, and what is infinite), halves of surrogate pairs, and nesting deeper
    than 96 levels: nothing of it could be kept.
    """
    try:
        text = body.decode(json.detect_encoding(body))
    except UnicodeDecodeError as error:
        raise json.JSONDecodeError("Not UTF-8", "", error.start) from error
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        raise
    except RecursionError as error:
        raise json.JSONDecodeError(_TOO_DEEP, text, 0) from error
    except ValueError as error:
        raise json.JSONDecodeError("A number is too long", text, 0) from error
    # It finds what json lets pass, and where; json in turn keeps whole numbers of any length.
    orjson.loads(text)
    if text.count("[") + text.count("{") > DEPTH_MAX_LEVELS and _is_too_deep(value):
        raise json.JSONDecodeError(_TOO_DEEP, text, 0)
    return value


_TOO_DEEP: Final = f"Nested deeper than {DEPTH_MAX_LEVELS} levels"


def _is_json(content_type: str) -> bool:
    main = content_type.partition(";")[0].strip().lower()
    return main == "application/json" or (main.startswith("application/") and main.endswith("+json"))


def _is_too_deep(value: Any) -> bool:
    layer, levels = [value], 0
    while layer and levels <= DEPTH_MAX_LEVELS:
        layer = [inner for each in layer for inner in _inside(each)]
        levels += 1
    return bool(layer)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values()) or [None]
    return value or [None] if isinstance(value, list) else []
