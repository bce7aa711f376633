"""The tables of results are those of the numbers that are kept beside them, and new runs take the place of old ones."""

from pathlib import Path

import pytest

from ossein.files import read_json, write_json

ROOT = Path(__file__).parents[1]
FILES = ("README.md", "docs/results.md", "docs/results.json", "scripts/results_text.md")


@pytest.fixture
def tables(on_copies, tmp_path, monkeypatch):
    """The script that writes the tables."""
    script = on_copies("results_tables", FILES)
    monkeypatch.setattr(script, "NUMBERS", tmp_path / "docs" / "results.json")
    return script


def test_the_pages_show_the_numbers_that_are_kept(tables, tmp_path):
    tables.write(tmp_path / "no runs")
    for file in FILES:
        assert (tmp_path / file).read_text(encoding="utf-8") == (ROOT / file).read_text(encoding="utf-8"), file


def test_a_run_takes_the_place_of_an_older_one_and_leaves_the_others(tables, tmp_path):
    before, out = read_json(tmp_path / "docs" / "results.json"), tmp_path / "runs"
    made = {"commit": "0123456789ab", "versions": {"ossein": "9"}}
    top1 = {"mean": 0.123, "std": 0.004, "n": 3}
    write_json(out / "msr" / "ossein" / "table.json", {"top1": top1, "cost": 60, "made_by": made})
    write_json(out / "msr" / "floor.json", before["msr"]["floor"])
    tables.write(out)
    after, page = read_json(tmp_path / "docs" / "results.json"), (tmp_path / "docs" / "results.md").read_text()
    assert after["msr"]["methods"]["ossein"]["top1"] == top1
    for name in before:
        for key in before[name]["methods"]:
            assert (after[name]["methods"][key] == before[name]["methods"][key]) == ((name, key) != ("msr", "ossein"))
    assert "| MSR-Action3D, cross-subject | 12.3 ± 0.4 (n=3) |" in page
    assert "0123456789ab (msr)" in page


def test_with_nothing_there_is_no_page(tables, tmp_path):
    (tmp_path / "docs" / "results.json").unlink()
    with pytest.raises(SystemExit, match="nothing is done yet"):
        tables.write(tmp_path / "no runs")


def test_kept_numbers_are_not_of_a_machine(tables):
    made = {"commit": "abc", "versions": {}, "command": "run --out /home/me/runs", "machine": "x"}
    assert tables.told({"cost": 1, "made_by": made}) == {"cost": 1, "made_by": {"commit": "abc", "versions": {}}}
    kept = read_json(tables.NUMBERS)
    made = [table["made_by"] for task in kept.values() for table in task["methods"].values()]
    assert all(set(one) - {"gpu"} == {"commit", "versions"} for one in made)


def test_the_page_says_which_numbers_are_of_a_gpu(tables, tmp_path):
    out, before = tmp_path / "runs", read_json(tmp_path / "docs" / "results.json")
    made = {"commit": "abc", "versions": {"torch": "2.9"}, "machine": "x86_64 Linux, AVX512, NVIDIA H300 8GB"}
    top1 = {"mean": 0.123, "std": 0.004, "n": 3}
    for method in ("ossein", "ossein-random"):
        write_json(out / "msr" / method / "table.json", {"top1": top1, "cost": 60, "made_by": made})
    write_json(out / "msr" / "floor.json", before["msr"]["floor"])
    tables.write(out)
    page = " ".join((tmp_path / "docs" / "results.md").read_text().split())
    assert "msr (ossein ossein-random) on an NVIDIA H300 8GB with torch 2.9" in page
    assert "| MSR-Action3D, cross-subject | GPU | GPU |" in page
    assert tables.gpu_of({"msr": before["utd"]["methods"]}) == ""
