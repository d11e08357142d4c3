"""Which version of each peer is measured: ``pins.txt``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeGuard

_FILE = Path(__file__).with_name("pins.txt")

Registry = Literal["npm", "pypi"]


@dataclass(frozen=True)
class Pin:
    """One package at one version."""

    registry: Registry
    package: str
    version: str

    @property
    def folder(self) -> str:
        """A name for where it is installed. Another version has another one."""
        return f"{self.package.replace('@', '').replace('/', '-')}-{self.version}"


def pins() -> dict[str, Pin]:
    """All of them by package."""
    return read(_FILE.read_text(encoding="utf-8"))


def read(text: str) -> dict[str, Pin]:
    """A line for each: registry, package, version. Raises ValueError for a line that is something else."""
    found = dict[str, Pin]()
    for line in text.splitlines():
        match line.partition("#")[0].split():
            case []:
                continue
            case [registry, package, version] if _is_registry(registry) and package not in found:
                found[package] = Pin(registry, package, version)
            case _:
                raise ValueError(f"not a registry, a package that was not named yet, and a version: {line!r}")
    return found


def _is_registry(word: str) -> TypeGuard[Registry]:
    return word in ("npm", "pypi")
