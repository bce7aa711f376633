"""The page in a real browser: it says what Python says, plays, and says in words what is wrong with a file."""

import json
import os
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from browser import CHROMIUM, Page

from ossein.clip import Clip
from ossein.deploy import Predictor, find_runtime, load, recording
from ossein.deploy.runtime import FILES, runtime_folder
from ossein.recipes.serve import served

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


@pytest.fixture(scope="module")
def runtime() -> dict[str, Path]:
    """The files of onnxruntime-web, where they are on this machine: nothing is fetched for a test."""
    given = os.environ.get("OSSEIN_ORT_WEB")
    if not given and not all((runtime_folder() / name).is_file() for name in FILES):
        pytest.skip("onnxruntime-web is not here (run `ossein serve` once, or set OSSEIN_ORT_WEB to its folder)")
    return find_runtime(Path(given) if given else None)


@pytest.fixture(scope="module")
def model(recogniser_run) -> Predictor:
    return load(recogniser_run)


@pytest.fixture(scope="module")
def page(model, runtime, tmp_path_factory):
    """The page with the model and the example that it ships."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium (see CONTRIBUTING.md)")
    folder = tmp_path_factory.mktemp("browser")
    with served(model, runtime) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        page = Page(folder)
        try:
            page.size(1100, 900)
            page.tell("Page.navigate", url=f"http://127.0.0.1:{server.server_port}/")
            page.until("document.body?.classList.contains('ready')")
            yield page
        finally:
            page.close()
            server.shutdown()
            thread.join()


def drop(page: Page, name: str, text: str) -> None:
    """Drop a file on the page."""
    page.run("document.querySelector('#answer').dataset.probabilities = ''")
    page.run(
        f"(() => {{ const data = new DataTransfer(); data.items.add(new File([{json.dumps(text)}], {json.dumps(name)}));"
        "dispatchEvent(new DragEvent('drop', { dataTransfer: data })); })()"
    )


def answer(page: Page) -> np.ndarray:
    return np.array(json.loads(page.until("document.querySelector('#answer').dataset.probabilities")))


def test_the_page_says_what_python_says(page, model, fixed_store):
    for i in (0, 7, 19):
        clip = fixed_store.clip(i)
        drop(page, f"{i}.json", json.dumps(recording(clip)))
        np.testing.assert_allclose(answer(page), model.scores([clip])[0], atol=1e-4)
        best = model.predict(clip)[0].top[0][0]
        assert page.run("document.querySelector('#answer').textContent").startswith(best)


def test_landmarks_are_read_as_the_reader_reads_them(page, model, fixed_store, tmp_path):
    clip = fixed_store.clip(2)
    frames = [
        [
            {"x": float(x / 640), "y": float(y / 480), "visibility": float(sure)}
            for (x, y), sure in zip(*frame, strict=True)
        ]
        if frame[1].any()
        else None
        for frame in zip(clip.x[0], clip.score[0], strict=True)
    ]
    drop(page, "someone.json", json.dumps({"frames": frames, "width": 640, "height": 480}))
    alone = Clip(clip.x[:1], clip.score[:1], size=clip.size)
    np.testing.assert_allclose(answer(page), model.scores([alone])[0], atol=1e-4)


def test_it_plays_and_the_scores_move(page, fixed_store):
    drop(page, "long.json", json.dumps(recording(fixed_store.clip(11))))
    answer(page)
    seen = set()
    for frame in range(int(page.run("document.querySelector('#scrub').max")) + 1):
        page.run(
            f"(() => {{ const s = document.querySelector('#scrub'); s.value = {frame}; s.dispatchEvent(new Event('input')); }})()"
        )
        seen.add(page.run("[...document.querySelectorAll('.value')].map((one) => one.textContent).join()"))
    assert len(seen) > 1
    page.run("document.querySelector('#play').click()")
    at = page.run("document.querySelector('#scrub').value")
    page.until(f"document.querySelector('#scrub').value !== '{at}'")
    page.run("document.querySelector('#play').click()")
    assert page.run("document.querySelector('#play').textContent") == "Play"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not valid JSON"),
        ("[]", "No frames in it"),
        (json.dumps({"frames": [[[[1, 2, 3, 1]] * 33]]}), "33 joints in 2-D; the model knows 17"),
        (json.dumps({"format": "ossein-recording", "frames": [[None]]}), "Nobody is seen"),
        (
            json.dumps({"format": "ossein-recording", "size": None, "frames": [[[[1, 2, 1]] * 17]]}),
            "does not say the size of its image",
        ),
    ],
)
def test_a_file_that_does_not_do(page, text, told):
    drop(page, "wrong.json", text)
    page.until(f"document.querySelector('#status.wrong')?.textContent.includes({json.dumps(told)})")


@pytest.mark.parametrize("width", [360, 1100])
def test_nothing_is_wider_than_the_screen(page, width):
    page.size(width, 800)
    assert page.run("document.documentElement.scrollWidth") <= width
