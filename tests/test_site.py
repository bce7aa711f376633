"""The site: it builds from `docs/`, its reference is what the code says, and a link that leads nowhere stops it."""

import os
import re
import runpy
import shutil
import subprocess
import sys

import pytest
from pages import ROOT

from ossein.recipes.presets import PRETRAIN, RECOGNISE, Facts
from ossein.settings import flat
from ossein.skeleton import Skeleton

SETTINGS = ROOT / "docs" / "settings.md"


def build(root, out):
    pytest.importorskip("mkdocs", reason="mkdocs is not installed (pip install -e '.[docs]' -c constraints.txt)")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(root / "mkdocs.yml")]
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run([*words, "--site-dir", str(out)], capture_output=True, text=True, env=env)


@pytest.fixture
def copy(tmp_path):
    """What a site is made of, to break."""
    for name in ("docs", "examples", "scripts"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    return tmp_path


def test_it_builds(tmp_path):
    done = build(ROOT, tmp_path)
    assert done.returncode == 0, done.stderr
    pages = {page.stem for page in (ROOT / "docs").glob("*.md")} - {"index"}
    assert {folder.name for folder in tmp_path.iterdir() if (folder / "index.html").is_file()} >= pages
    for example in (ROOT / "examples").glob("*.py"):
        page = (tmp_path / "examples" / example.stem / "index.html").read_text(encoding="utf-8")
        assert example.name in page
    linked = (tmp_path / "own-keypoints" / "index.html").read_text(encoding="utf-8")
    assert 'href="../examples/01_keypoints/"' in linked
    # A reader's browser asks nobody but the site.
    assert "fonts.googleapis.com" not in linked


@pytest.mark.parametrize("link", ["nowhere.md", "start.md#nowhere", "../examples/07_nowhere.py"])
def test_a_link_that_leads_nowhere_stops_it(copy, link):
    page = copy / "docs" / "start.md"
    page.write_text(f"{page.read_text(encoding='utf-8')}\n[one]({link})\n", encoding="utf-8")
    done = build(copy, copy / "site")
    assert done.returncode != 0
    assert "nowhere" in done.stderr


def test_a_page_that_is_not_in_the_navigation_stops_it(copy):
    (copy / "docs" / "lost.md").write_text("# Lost\n", encoding="utf-8")
    assert build(copy, copy / "site").returncode != 0


def test_the_settings_are_what_the_code_says():
    made = runpy.run_path(str(ROOT / "scripts" / "settings_page.py"))["page"]()
    assert SETTINGS.read_text(encoding="utf-8") == made, "write it anew: python scripts/settings_page.py"


def test_the_settings_are_all_there():
    told = {
        (path, cells) for path, cells in re.findall(r"^\| `([\w.]+)` \| (.+) \|$", SETTINGS.read_text(), re.MULTILINE)
    }
    assert all(len(cells.rsplit(" | ", 1)[1]) > 10 for _, cells in told), "a setting without a sentence"
    facts = Facts(Skeleton.of("ntu-25"), dims=3, persons=2, has_sizes=False, num_train=10)
    made = [make(facts) for make in PRETRAIN.values()] + [make(facts, None) for make in RECOGNISE.values()]
    assert {path for path, _ in told} == {path for one in made for path in flat(one.plain())} - {"teach"}
