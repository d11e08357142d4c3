"""A service on a free port, answered by a handler in threads of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Quiet:
    """For a handler that is to say nothing of what it answers."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def threaded_service(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Run it until the block ends; gives its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
