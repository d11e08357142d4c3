"""An nginx of our own to measure against: its own folder, configuration and port, nothing of the machine's."""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# One worker with the paths that Debian's build would else look for, no access log, and connections that never end by
# themselves: reconnecting would be measured instead of answering.
_CONFIGURATION = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {upstream}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ {location} }}
  }}
}}
"""
_UPSTREAM = "upstream behind {{ server {address}; keepalive 64; keepalive_requests 1000000000; keepalive_timeout 1h; }}"
_PASS = 'proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection "";'
_START_SECONDS = 10
# Debian keeps it where only root has it on the path.
TOOLS_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Nginx:
    pid: int
    address: str


@contextmanager
def answering(body: bytes, core: int, content_type: str = "application/json") -> Iterator[Nginx]:
    """An nginx that answers everything with one body, as JSON or as what it is."""
    location = f"default_type {content_type}; return 200 '{body.decode()}';"
    with _running(location, "", core) as nginx:
        yield nginx


@contextmanager
def passing_to(address: str, core: int) -> Iterator[Nginx]:
    """An nginx that passes everything to an upstream over kept connections."""
    with _running(_PASS, _UPSTREAM.format(address=address), core) as nginx:
        yield nginx


def nginx_version() -> str:
    """As in ``nginx version: nginx/1.22.1``."""
    said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=False, env={"PATH": TOOLS_PATH})
    return said.stderr.rpartition("/")[2].strip()


@contextmanager
def _running(location: str, upstream: str, core: int) -> Iterator[Nginx]:
    with tempfile.TemporaryDirectory(prefix="understudy-bench-nginx-") as folder:
        port = free_port()
        text = _CONFIGURATION.format(folder=folder, port=port, location=location, upstream=upstream)
        file = Path(folder) / "nginx.conf"
        file.write_text(text, encoding="utf-8")
        # Debian's build would open a log of its own before it has read anything.
        command = ["taskset", "-c", str(core), "nginx", "-p", folder, "-c", str(file), "-e", "stderr"]
        process = subprocess.Popen(command, env={"PATH": TOOLS_PATH})
        try:
            _await_accepting(process, port)
            yield Nginx(process.pid, f"127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_accepting(process: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError("nginx did not start")
