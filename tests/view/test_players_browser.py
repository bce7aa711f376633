"""Players in a real browser: bodies in space turn when they are dragged, and one that stands still shows somebody."""

import json
from threading import Thread

import numpy as np
import pytest
from browser import CHROMIUM, Page
from scipy.spatial.transform import Rotation

from ossein.clip import Clip
from ossein.deploy import page_files, recording, serve
from ossein.skeleton import Skeleton
from ossein.view import Film, Reel, write_player
from ossein.view.page import Section, join
from ossein.view.page import page as html

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium (see CONTRIBUTING.md)")

NTU = Skeleton.of("ntu-25")
NOSE, LEFT, RIGHT = 3, NTU.joints.index("left_shoulder"), NTU.joints.index("right_shoulder")

# Notes down where dots are drawn: each joint is one.
SPY = "(() => { const arc = CanvasRenderingContext2D.prototype.arc; window.dots = [];" + (
    "CanvasRenderingContext2D.prototype.arc = function (x, y, ...rest) { dots.push([x, y]); arc.call(this, x, y, ...rest); };"
    "})()"
)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    page = Page(tmp_path_factory.mktemp("turn"))
    page.tell("Page.addScriptToEvaluateOnNewDocument", source=SPY)
    page.size(700, 900)
    yield page
    page.close()


def someone(camera: np.ndarray) -> Clip:
    """One frame of someone who faces a camera and stretches a hand towards it, as a sensor with such axes sees it.

    Args:
        camera: Rows: to the viewer's right, up, and towards the viewer, as axes of the data.
    """
    rng = np.random.default_rng(0)
    x = rng.uniform(-0.2, 0.2, (25, 3))
    x[LEFT], x[RIGHT], x[NOSE] = (0.4, 0.3, 0), (-0.4, 0.3, 0), (0, 0.5, 0)
    for names, at in (("hip", (0.2, -0.3, 0)), ("knee", (0.2, -0.6, 0.1)), ("ankle", (0.2, -0.9, 0))):
        for side, sign in (("left", 1), ("right", -1)):
            x[NTU.joints.index(f"{side}_{names}")] = np.array(at) * (sign, 1, 1)
    x[NTU.joints.index("right_hand")] = (-0.3, 0.3, 0.8)
    return Clip((x @ camera)[None, None], np.ones((1, 1, 25)), "someone")


CAMERAS = {
    "up along y, towards the sensor": np.diag([1.0, 1, 1]),
    "Kinect: away along z": np.diag([-1.0, 1, -1]),
    "up along z": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
}


def joints(page: Page) -> np.ndarray:
    """Where the 25 dots of the last drawing are."""
    return np.array(page.run("dots.slice(-25)"))


def turned(front: np.ndarray, yaw: float, pitch: float) -> np.ndarray:
    """Points [V 3] (right, up, near) from a viewer who turned the body: near points follow the hand right and down."""
    return front @ Rotation.from_euler("yx", [yaw, pitch]).as_matrix().T


@pytest.mark.parametrize("name", CAMERAS)
def test_the_player_of_a_page(page, name, tmp_path):
    clip = someone(CAMERAS[name])
    write_player(Film.of(clip, NTU), tmp_path / "clip.html")
    page.tell("Page.navigate", url=(tmp_path / "clip.html").as_uri())
    page.until("window.dots?.length >= 25")
    left, top, width, height = page.run(
        "(({ x, y, width, height }) => [x, y, width, height])(document.querySelector('canvas').getBoundingClientRect())"
    )
    plain = Film.of(clip, NTU).plain()
    axes = np.array(plain["axes"]) * [[1], [-1], [-1]]  # right, up, near
    front = (clip.x[0, 0] - plain["middle"]) @ axes.T
    scale = 0.44 * min(width / plain["half"][0], height / plain["half"][1])

    def expected(yaw, pitch):
        return scale * turned(front, yaw, pitch)[:, :2] * (1, -1)

    np.testing.assert_allclose(joints(page), expected(0, 0), atol=0.5)
    assert joints(page)[LEFT, 0] > joints(page)[RIGHT, 0]
    page.drag((left + 50, top + 50), (40, 24))
    np.testing.assert_allclose(joints(page), expected(0.5, 0.3), atol=0.5)
    page.drag((left + 50, top + 50), (0, 400))
    np.testing.assert_allclose(joints(page), expected(0.5, 1.5), atol=0.5)  # no further than from above
    page.run("document.querySelector('canvas').dispatchEvent(new MouseEvent('dblclick'))")
    np.testing.assert_allclose(joints(page), expected(0, 0), atol=0.5)


def test_a_small_player_that_stands_still_shows_somebody(page, tmp_path):
    """Where the reader wants no motion: of two people the first comes in the third of four frames, the other never."""
    x = np.random.default_rng(0).normal(size=(2, 4, 25, 3))
    score = np.zeros((2, 4, 25))
    score[0, 2:] = 1
    reel = Reel(NTU)
    players = join([reel.add(Film.of(Clip(x, score, "late"), NTU), small=True), reel.data()])
    (tmp_path / "small.html").write_text(html("small", [Section("", players)], scripts=["player.js"]), encoding="utf-8")
    page.tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    page.tell("Page.navigate", url=(tmp_path / "small.html").as_uri())
    page.until("window.dots?.length >= 25")
    page.dark(False)


@pytest.mark.parametrize("name", ["Kinect: away along z", "up along z"])
def test_the_player_beside_the_model(page, name):
    """The page of `ossein serve`, of which the player alone is wanted here; it takes cameras to look along z."""
    camera = CAMERAS[name]
    clip = someone(camera)
    with serve(page_files()) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            page.tell("Page.navigate", url=f"http://127.0.0.1:{server.server_port}/")
            page.until("document.readyState === 'complete'")
            said = json.dumps(json.dumps(recording(clip)))
            skeleton = json.dumps({"bones": NTU.bones, "pairs": NTU.pairs, "up": NTU.up})
            page.run(
                "(async () => { const { Player } = await import('/player.js'); const { readRecording } = await import('/recording.js');"
                "const canvas = document.createElement('canvas'); document.body.append(canvas);"
                "canvas.style = 'position: fixed; inset: 0 auto auto 0; width: 400px; height: 300px; z-index: 9';"
                f"new Player(canvas).show(readRecording(JSON.parse({said}), 'someone', 3), {skeleton}); }})()"
            )
        finally:
            server.shutdown()
            thread.join()
    points = clip.x[0, 0]
    front = (points - (points.min(0) + points.max(0)) / 2) @ camera.T
    scale = 0.84 * 300 / np.linalg.norm(np.ptp(points, axis=0))

    def expected(yaw, pitch):
        return scale * turned(front, yaw, pitch)[:, :2] * (1, -1) + (200, 150)

    np.testing.assert_allclose(joints(page), expected(0, 0), atol=0.01)
    page.drag((100, 100), (40, 24))
    np.testing.assert_allclose(joints(page), expected(0.4, 0.24), atol=0.01)
    page.drag((100, 250), (0, -400))
    np.testing.assert_allclose(joints(page), expected(0.4, -np.pi / 2), atol=0.01)
    page.run("document.querySelector('canvas[style]').dispatchEvent(new MouseEvent('dblclick'))")
    np.testing.assert_allclose(joints(page), expected(0, 0), atol=0.01)
