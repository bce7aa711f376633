"""A browser without a window, told what to do over a pipe: the little of Chromium's DevTools protocol that tests need."""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
]


class Page:
    """One page; close it with `close`."""

    def __init__(self, folder: Path) -> None:
        assert CHROMIUM
        theirs, self.into = os.pipe()
        self.out, ours = os.pipe()

        def wire() -> None:
            # The browser reads commands from descriptor 3 and writes to 4.
            for number, target in ((theirs, 103), (ours, 104)):
                os.dup2(number, target)
            os.dup2(103, 3)
            os.dup2(104, 4)

        words = [CHROMIUM, *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={folder}"]
        self.process = subprocess.Popen(
            words, preexec_fn=wire, pass_fds=(3, 4), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for number in (theirs, ours):
            os.close(number)
        self.number, self.heard, self.session = 0, b"", ""
        target = self.tell("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.tell("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.tell("Page.enable")

    def tell(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its result."""
        self.number += 1
        said = {"id": self.number, "method": method, "params": params}
        os.write(self.into, json.dumps(said | ({"sessionId": self.session} if self.session else {})).encode() + b"\0")
        while True:
            answer = self.hear()
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]

    def hear(self, timeout: float = 60) -> dict[str, Any]:
        while b"\0" not in self.heard:
            assert select.select([self.out], [], [], timeout)[0], "the browser says nothing"
            more = os.read(self.out, 1 << 16)
            assert more, "the browser has gone"
            self.heard += more
        one, self.heard = self.heard.split(b"\0", 1)
        return json.loads(one)

    def run(self, code: str) -> Any:
        """The value of an expression in the page; promises are waited for."""
        done = self.tell("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def until(self, code: str, seconds: float = 90) -> Any:
        """The value of an expression as soon as it is true."""
        end = time.monotonic() + seconds
        while not (value := self.run(code)):
            assert time.monotonic() < end, f"never true: {code}; the page says: {self.run('document.body.innerText')}"
            time.sleep(0.1)
        return value

    def size(self, width: int, height: int) -> None:
        self.tell(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )

    def picture(self, path: Path) -> None:
        whole = self.tell("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(whole["data"]))

    def drag(self, start: tuple[float, float], by: tuple[float, float]) -> None:
        """Press the mouse button at a place of the window, move, and let go."""
        end = (start[0] + by[0], start[1] + by[1])
        steps = [("mousePressed", start), ("mouseMoved", end), ("mouseReleased", end)]
        self.tell("Input.dispatchMouseEvent", type="mouseMoved", x=start[0], y=start[1])
        for kind, (x, y) in steps:
            held = kind != "mouseReleased"
            self.tell("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=int(held), clickCount=1)

    def dark(self, dark: bool) -> None:
        """What the page is told of the reader's taste."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setEmulatedMedia", features=[scheme])

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        for number in (self.into, self.out):
            os.close(number)
