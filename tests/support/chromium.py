"""Chromium without a window: a page of an origin of its own plays calls with ``fetch``, so that CORS is in force."""

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support.calls import CALL_SECONDS_MAX, Answer, Call, answer_of
from support.program_clients import SOURCES

_START_SECONDS_MAX = 60
_POLL_SECONDS = 5
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
)


class Chromium:
    """A browser with one page open, until it is closed. ``origin`` is the page's."""

    def __init__(self) -> None:
        self._pages = _Pages(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self._pages.serve_forever, daemon=True)
        self._thread.start()
        self.origin = f"http://127.0.0.1:{self._pages.server_address[1]}"
        self._profile = tempfile.mkdtemp(prefix="understudy-chromium-")
        self._output = Path(self._profile, "output")
        with self._output.open("wb") as output:
            # A session of its own: all of the browser's processes end together. What it leaves goes with its profile.
            self._process = subprocess.Popen(
                ["chromium", *FLAGS, f"--user-data-dir={self._profile}", f"{self.origin}/"],
                env=os.environ | {"TMPDIR": self._profile},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def play(self, calls: Sequence[Call]) -> Sequence[Answer]:
        return [self._send(call) for call in calls]

    def _send(self, call: Call) -> Answer:
        self._pages.calls.put(call.line())
        try:
            return answer_of(self._pages.answers.get(timeout=_START_SECONDS_MAX + CALL_SECONDS_MAX))
        except queue.Empty:
            raise AssertionError(f"the browser said nothing:\n{self._output.read_text()}") from None

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._pages.shutdown()
        self._pages.server_close()
        self._thread.join()
        shutil.rmtree(self._profile, ignore_errors=True)


class _Pages(ThreadingHTTPServer):
    """The page, the calls it fetches and the answers it brings back."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.calls: queue.Queue[str] = queue.Queue()
        self.answers: queue.Queue[str] = queue.Queue()

    def handle_error(self, *_: object) -> None:
        """A browser that is killed leaves broken connections behind."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Pages

    def do_GET(self) -> None:
        if self.path == "/":
            self._answer(200, (SOURCES / "page.html").read_bytes(), "text/html")
        else:
            self._answer(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/done":
            self.server.answers.put(body.decode())
            self._answer(200)
            return
        try:
            self._answer(200, self.server.calls.get(timeout=_POLL_SECONDS).encode())
        except queue.Empty:
            self._answer(204)

    def _answer(self, status: int, body: bytes = b"", kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""
