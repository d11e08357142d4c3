"""A process in the place of the one that reads manifests, which does what ``BAD_READER`` says."""

import json
import os
import resource
import signal
from pathlib import Path

from understudy_server.cli import reading_child

# What a process with all modules takes, and too little for a large file.
_MARGIN_BYTES = 24 * 1024 * 1024


def _taken_bytes() -> int:
    pages = Path("/proc/self/statm").read_text().split()[0]
    return int(pages) * resource.getpagesize()


if __name__ == "__main__":
    match os.environ["BAD_READER"]:
        case "silent":
            signal.pause()
        case "dying":
            os.kill(os.getpid(), signal.SIGKILL)
        case "thinking":
            os.kill(os.getpid(), signal.SIGXCPU)
        case "telling":
            print(json.dumps({"size": 1 << 40}), flush=True)
            signal.pause()
        case "hungry":
            reading_child.MEMORY_BYTES_MAX = _taken_bytes() + _MARGIN_BYTES
            reading_child.main()
