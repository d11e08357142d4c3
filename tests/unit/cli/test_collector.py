"""What the garbage collector looks through, in processes of their own: what is frozen here would stay so."""

import subprocess
import sys

_IMPORTING = """
import gc
from understudy_server.cli.collector import for_good
looked = []
gc.callbacks.append(lambda phase, info: looked.append(phase))
try:
    with for_good():
        kept = [[] for _ in range(100_000)]
        raise ImportError
except ImportError:
    print(len(looked), gc.get_freeze_count() >= len(kept), gc.isenabled())
"""


def test_what_is_imported_for_good_is_never_looked_through() -> None:
    ran = subprocess.run([sys.executable, "-c", _IMPORTING], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["0", "True", "True"]
