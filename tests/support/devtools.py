"""Chromium without a window, told what to do over its pipe: pages are opened, clicked, typed into and looked at.

Each command is JSON and a zero byte, as the DevTools protocol has it; nothing but the browser is needed.
"""

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from support.chromium import FLAGS

PATIENCE_SECONDS = 30.0

# The browser wants its pipe at 3 and 4. Ours are kept clear of these, so that none is overwritten on the way there.
_START = 'in=$1 out=$2; shift 2; exec "$@" 3<&$in 4>&$out {in}<&- {out}>&-'
_FIRST_DESCRIPTOR = 10

_KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "Tab": (9, "")}


class Browser:
    """A browser until it is closed. One thread at a time may use it."""

    def __init__(self) -> None:
        self._profile = tempfile.mkdtemp(prefix="understudy-devtools-")
        theirs_in, self._commands = map(_moved, os.pipe())
        self._answers, theirs_out = map(_moved, os.pipe())
        command = ["chromium", *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={self._profile}", "about:blank"]
        with Path(self._profile, "output").open("wb") as output:
            self._process = subprocess.Popen(
                ["bash", "-c", _START, "bash", str(theirs_in), str(theirs_out), *command],
                env=os.environ | {"TMPDIR": self._profile},
                pass_fds=(theirs_in, theirs_out),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        os.close(theirs_in)
        os.close(theirs_out)
        self._number = 0
        self._read = b""
        self._events: dict[str, list[dict[str, Any]]] = {}

    def open(self, url: str, *, width: int = 1280, height: int = 900, dark: bool = False, before: str = "") -> "Page":
        """Open a page in a tab of its own and wait until it is loaded. ``before`` is a script that runs first."""
        target = self.call("Target.createTarget", {"url": "about:blank", "newWindow": True})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = Page(self, session, target)
        for domain in ("Page", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        page.resize(width, height)
        page.call("Emulation.setScrollbarsHidden", {"hidden": True})
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.call("Emulation.setEmulatedMedia", {"features": [scheme]})
        if before:
            page.call("Page.addScriptToEvaluateOnNewDocument", {"source": before})
        page.go(url)
        return page

    def call(self, method: str, parameters: dict[str, Any] | None = None, session: str = "") -> dict[str, Any]:
        """Give a command and wait for its answer; keep the events before it. Raises RuntimeError if refused."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters or {}}
        if session:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            said = self._next(method)
            if said.get("id") == self._number:
                if "error" in said:
                    raise RuntimeError(f"{method}: {said['error']['message']}")
                result: dict[str, Any] = said["result"]
                return result
            if "method" in said:
                self._events.setdefault(said.get("sessionId", ""), []).append(said)

    def take_events(self, session: str) -> list[dict[str, Any]]:
        """What a page has told since it was last asked."""
        return self._events.pop(session, [])

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)
        shutil.rmtree(self._profile, ignore_errors=True)

    def _next(self, method: str) -> dict[str, Any]:
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._answers], [], [], PATIENCE_SECONDS * 2)
            piece = os.read(self._answers, 1 << 20) if ready else b""
            if not piece:
                output = Path(self._profile, "output").read_text(errors="replace")
                raise AssertionError(f"the browser did not answer {method}:\n{output}")
            self._read += piece
        line, _, self._read = self._read.partition(b"\0")
        said: dict[str, Any] = json.loads(line)
        return said


class Page:
    """A tab. Selectors are those of CSS, expressions are JavaScript."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser = browser
        self._session = session
        self._target = target

    def call(self, method: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._browser.call(method, parameters, self._session)

    def go(self, url: str) -> None:
        """Go to an address and wait until the page and its scripts are loaded."""
        self.call("Page.navigate", {"url": url})
        self.until("document.readyState === 'complete'")

    def resize(self, width: int, height: int = 900) -> None:
        """Give the page another size, in pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", size)

    def run(self, expression: str) -> Any:
        """Evaluate an expression, or what its promise brings. Raises AssertionError with the page's error."""
        parameters = {"expression": expression, "returnByValue": True, "awaitPromise": True, "userGesture": True}
        answer = self.call("Runtime.evaluate", parameters)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise AssertionError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until an expression is true on a page that is whole, over changes of the page.

        Raises AssertionError with the page's text.
        """
        look = f"""new Promise((resolve) => {{
            const last = performance.now() + 1000;
            const look = () => {{
                // Before that scripts have not run, and a click would mean nothing.
                if (document.readyState === "complete" && ({expression})) resolve(true);
                else if (performance.now() > last) resolve(false);
                else setTimeout(look, 15);
            }};
            look();
        }})"""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            # A page that goes elsewhere takes the promise along.
            with contextlib.suppress(RuntimeError):
                if self.run(look):
                    return
        raise AssertionError(f"it never came true: {expression}\n{self.run('document.body.innerText')}")

    def text(self, selector: str = "body") -> str:
        """The text of an element, as it is seen."""
        text: str = self.run(f"document.querySelector({json.dumps(selector)}).innerText")
        return text

    def value(self, selector: str) -> str:
        """What stands in a control."""
        value: str = self.run(f"document.querySelector({json.dumps(selector)}).value")
        return value

    def click(self, selector: str) -> None:
        """Click into the middle of an element with the mouse, as one who sees it does."""
        place = self.run(
            f"""(() => {{
                const element = document.querySelector({json.dumps(selector)});
                element.scrollIntoView({{block: "center", behavior: "instant"}});
                const box = element.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2, box.width * box.height];
            }})()"""
        )
        assert place[2] > 0, f"{selector} cannot be seen"
        for kind in ("mousePressed", "mouseReleased"):
            event = {"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1}
            self.call("Input.dispatchMouseEvent", event)

    def fill(self, selector: str, text: str) -> None:
        """Replace what stands in a control by typing."""
        self.run(f"(e => {{ e.focus(); e.select(); }})(document.querySelector({json.dumps(selector)}))")
        if text:
            self.call("Input.insertText", {"text": text})
        else:
            self.run("document.execCommand('delete')")

    def choose(self, selector: str, value: str) -> None:
        """Choose an option of a list by its value."""
        self.run(
            f"""((list, value) => {{
                list.value = value;
                list.dispatchEvent(new Event("input", {{bubbles: true}}));
            }})(document.querySelector({json.dumps(selector)}), {json.dumps(value)})"""
        )
        assert self.value(selector) == value

    def press(self, key: str) -> None:
        """Press a key where the focus is."""
        code, text = _KEYS[key]
        event = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", {"type": "keyDown", "text": text, **event})
        self.call("Input.dispatchKeyEvent", {"type": "keyUp", **event})

    def screenshot(self, path: Path) -> None:
        """Write the whole page as a PNG."""
        parameters = {"format": "png", "captureBeyondViewport": True}
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", parameters)["data"]))

    def complaints(self) -> list[str]:
        """What the browser said against the page since it was last asked: errors of scripts, its policy, loading."""
        self.run("0")
        found = []
        for event in self._browser.take_events(self._session):
            if event["method"] == "Runtime.exceptionThrown":
                details = event["params"]["exceptionDetails"]
                found.append(details.get("exception", {}).get("description", details["text"]))
            elif event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] in {"error", "warning"}:
                found.append(event["params"]["entry"]["text"])
        return found

    def close(self) -> None:
        self._browser.call("Target.closeTarget", {"targetId": self._target})


def _moved(descriptor: int) -> int:
    """Give a descriptor a higher number."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_DESCRIPTOR)
    os.close(descriptor)
    return moved
