"""Where a request is addressed: `/<project>/<environment>/<rest>`.

Only the rest is matched, forwarded and logged.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """An addressed target, raw. ``path`` begins with a slash; ``query`` is ``None`` without a question mark."""

    project: str
    environment: str
    path: str
    query: str | None


def parse(target: str) -> Target | None:
    """Split a request target in origin form or absolute form; ``None`` when it names no environment."""
    path, mark, query = _origin_form(target).partition("?")
    root, *parts = path.split("/", 3)
    if root or len(parts) < 2:
        return None
    project, environment, *rest = parts
    return Target(project, environment, "/" + "".join(rest), query if mark else None)


def _origin_form(target: str) -> str:
    scheme, mark, rest = target.partition("://")
    if not mark or scheme.lower() not in ("http", "https"):
        return target
    authority_end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    return rest[authority_end:] if rest[authority_end:].startswith("/") else "/" + rest[authority_end:]
