"""The row of what is installed: how large our own wheels are."""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.memory import MB
from benchmarks.method import Length, Spread
from benchmarks.row import Row

_ROOT = Path(__file__).parents[1]
_SOURCES = (_ROOT, _ROOT / "clients" / "python")
_SECONDS_MAX = 300
_NAME = "wheels, both together"


def wheels(_length: Length) -> list[Row]:
    """Both distributions, built as a release would build them. What they depend on is not counted."""
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder:
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--wheel-dir", folder, *map(str, _SOURCES)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS_MAX)
        if ran.returncode:
            return [Row(_NAME, None, None, f"not measured, since they could not be built: {_last_line(ran.stderr)}")]
        sizes = {each.name.partition("-")[0]: each.stat().st_size / MB for each in Path(folder).glob("*.whl")}
    detail = ", ".join(f"{name} {size:.2f} MB" for name, size in sorted(sizes.items()))
    return [Row(_NAME, Spread.of([sum(sizes.values())]), None, detail, " MB")]


def _last_line(text: str) -> str:
    """What an error says, as it fits into a table."""
    lines = [line.strip().replace("|", "/") for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "pip did not say why"
