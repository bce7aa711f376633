"""Photograph what ossein draws: a report, a player and the page in the browser, light, dark and on a phone.

    python scripts/screenshots.py quickstart shots
    python scripts/screenshots.py quickstart shots --readme docs/page.png

The first folder is what `ossein quickstart` left. Needs Chromium, and onnxruntime-web for the page (`ossein serve` fetches it).
With `--readme` one picture more is written: the page in the browser while it plays.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from browser import CHROMIUM, Page

import ossein
from ossein.deploy import find_runtime
from ossein.recipes.report import report
from ossein.recipes.serve import served
from ossein.store import resolve
from ossein.view import Film, write_player

LOOKS = {"light": (1100, False), "dark": (1100, True), "narrow": (360, False), "narrow-dark": (360, True)}
"""Width of the window, and whether it is dark."""

CLIP = 5
"""Which of the test clips is played."""

SEEK = """for (const range of document.querySelectorAll('#scrub, .controls input')) {
  range.value = Math.floor(range.max / 2); range.dispatchEvent(new Event('input')); }"""
"""Goes to the middle of every clip, where it stays."""

DRAWN = "new Promise((done) => requestAnimationFrame(() => setTimeout(done, 300)))"
"""Waits until what depends on the size of the window is drawn again."""


def main() -> None:
    """Photograph all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("quickstart", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--readme", type=Path)
    asked = parser.parse_args()
    if CHROMIUM is None:
        parser.error("there is no Chromium")
    asked.out.mkdir(parents=True, exist_ok=True)
    store = ossein.Store.open(asked.quickstart / "synthetic.clips")
    run = sorted((asked.quickstart / "pretrained").glob("**/run.yaml"))[0].parent
    clip = int(resolve(store, "xsub").test[CLIP])
    with TemporaryDirectory() as folder, browser(Path(folder) / "profile") as page:
        report(run, store, asked.out / "report.html")
        write_player(Film.of(store.clip(clip), store.skeleton), asked.out / "player.html")
        for name in ("report", "player"):
            page.tell("Page.navigate", url=(asked.out / f"{name}.html").absolute().as_uri())
            page.until("document.readyState === 'complete' && Boolean(document.querySelector('canvas, svg'))")
            photograph(page, asked.out, name)
        with served(ossein.load(run), find_runtime(), store.path, clip=clip) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            page.tell("Page.navigate", url=f"http://127.0.0.1:{server.server_port}/")
            page.until("document.body?.classList.contains('ready')")
            photograph(page, asked.out, "page")
            if asked.readme:
                show(page, asked.readme)
            server.shutdown()


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """A browser that is closed again."""
    page = Page(profile)
    try:
        yield page
    finally:
        page.close()


def photograph(page: Page, out: Path, name: str) -> None:
    """The whole page in every look, at a moment in the middle of the clip."""
    page.run(SEEK)
    for look, (width, dark) in LOOKS.items():
        page.size(width, 900)
        page.dark(dark)
        page.run(DRAWN)
        page.picture(out / f"{name}-{look}.png")
        wide = page.run("document.documentElement.scrollWidth")
        print(f"{name}-{look}.png{'' if wide <= width else f': {wide - width} pixels wider than the window'}")


def show(page: Page, path: Path) -> None:
    """The picture for the README, in few colours so that it is small."""
    page.size(960, 620)
    page.dark(False)
    page.run(DRAWN)
    page.picture(path)
    with Image.open(path) as image:
        image.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
