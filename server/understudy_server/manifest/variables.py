"""``${NAME}`` and ``${NAME:-default}`` in values stand for environment variables; ``$${`` is ``${`` itself."""

import re
from collections.abc import Mapping

from understudy_server.manifest.problems import BadValue
from understudy_server.manifest.size import Size

_LITERAL = "$${"
_FOUND = re.compile(r"\$\$\{|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-[^}]*)?\})?")


def substitute(text: str, environ: Mapping[str, str]) -> str:
    """Put in the variables. A default stands for a variable that is unset or empty. Raises BadValue."""
    if "${" not in text:
        return text
    size = Size()

    def value(found: re.Match[str]) -> str:
        put_in = _value(found, environ)
        # Before all of them are joined: a text of many variables may stand for very much.
        size.add(len(put_in))
        return put_in

    return _FOUND.sub(value, text)


def escape(text: str) -> str:
    """Write a text so that ``substitute`` gives it back."""
    return text.replace("${", _LITERAL)


def _value(found: re.Match[str], environ: Mapping[str, str]) -> str:
    if found[0] == _LITERAL:
        return "${"
    name, default = found["name"], found["default"]
    if name is None:
        raise BadValue("'${' begins no variable here", "write ${NAME} or ${NAME:-default}, or $${ for the text itself")
    value = environ.get(name)
    if default is not None and not value:
        return default.removeprefix(":-")
    if value is None:
        advice = f"set it, or write a default: ${{{name}:-value}}; $${{ stands for ${{ itself"
        raise BadValue(f"the environment variable {name} is not set", advice)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadValue(f"the environment variable {name} is not in UTF-8", "set it to text") from None
    return value
