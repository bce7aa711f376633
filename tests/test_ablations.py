"""The page of ablations is what is kept beside it says, and new runs take the place of old ones."""

from pathlib import Path

import pytest

from ossein.files import read_json, read_text, write_json, write_text

ROOT = Path(__file__).parents[1]
FILES = ("docs/ablations.md", "docs/ablations.json", "scripts/ablations_text.md")


@pytest.fixture
def script(on_copies, tmp_path, monkeypatch):
    """The script that writes the page."""
    ablations = on_copies("ablations", FILES)
    monkeypatch.setattr(ablations, "TABLES", tmp_path / "docs" / "ablations.json")
    return ablations


def ran(folder: Path, store: str) -> Path:
    """A folder of `ossein reproduce` with one table of two conclusions, of which one could not be looked at."""
    claims = [
        {"text": "3 are better than 1", "holds": "no", "mean": -0.0125, "n": 3},
        {"text": "3 are better than 4", "holds": "cannot be told", "mean": None, "n": 0},
    ]
    record = {
        "data": {"data": {"store": f"somewhere/{store}.clips", "splits": ["half"]}},
        "tables": {"layers": {"title": "Layers of STRL", "claims": claims}},
        "made_by": {"commit": "0123456789ab", "versions": {"torch": "9.9"}, "command": f"ossein reproduce {store}"},
    }
    page = "# Title\n\nChanged in the paper's recipe:\n\n- less\n\n## Layers of STRL\n\n![](layers.svg)\n\n| a | b |\n"
    write_json(folder / "tables.json", record)
    write_text(folder / "tables.md", page)
    return folder


def test_the_page_shows_what_is_kept(script, tmp_path):
    script.write([])
    for file in FILES:
        assert read_text(tmp_path / file) == read_text(ROOT / file), file


def test_a_data_set_takes_the_place_of_its_older_run_and_leaves_the_others(script, tmp_path):
    before = read_json(tmp_path / "docs" / "ablations.json")
    script.write([ran(tmp_path / "one", "hands")])
    script.write([ran(tmp_path / "two", "hands"), ran(tmp_path / "three", "feet")])
    after, page = read_json(tmp_path / "docs" / "ablations.json"), read_text(tmp_path / "docs" / "ablations.md")
    assert list(after) == [*before, "hands, half", "feet, half"]
    assert {name: after[name] for name in before} == before
    row = next(line for line in page.splitlines() if line.startswith("| Layers of STRL: 3 are better than 1 |"))
    assert row.endswith("| no (-1.2) | no (-1.2) |")
    part = page.partition("## hands, half\n")[2].partition("\n## feet")[0]
    assert "Commit 0123456789ab, torch 9.9:" in part
    assert "### Layers of STRL" in part
    assert "svg" not in part


def test_with_nothing_there_is_no_page(script, tmp_path):
    (tmp_path / "docs" / "ablations.json").unlink()
    with pytest.raises(SystemExit, match="nothing is done yet"):
        script.write([])
