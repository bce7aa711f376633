"""Every command and every program of the README, in its order, as typed."""

import re

import pytest
from pages import ROOT, blocks, check_outputs, run_page
from standins import write_data

from ossein.readers import READERS
from ossein.skeleton import builtin_names

README = ROOT / "README.md"


def test_every_command_works_as_typed_and_prints_what_is_shown(tmp_path, monkeypatch):
    write_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    ran = list(run_page(README))
    assert len(ran) >= 15
    check_outputs(ran, every=False)
    assert (tmp_path / "runs" / "penn-two" / "bundle" / "bundle.json").is_file()


def test_the_table_of_formats_is_complete():
    table = README.read_text(encoding="utf-8").partition("| you have | format |")[2].partition("\n\n")[0]
    assert set(re.findall(r"\| `(\w+)` \|$", table, re.MULTILINE)) == set(READERS)


def test_the_skeletons_are_all_named():
    text = (
        re.sub(r"\s+", " ", README.read_text(encoding="utf-8"))
        .lower()
        .replace("openpose-18 and -25", "openpose-18 openpose-25")
    )
    assert [name for name in builtin_names() if name not in text] == []


def test_results_have_their_place():
    text = README.read_text(encoding="utf-8")
    assert text.count("<!-- results -->") == text.count("<!-- /results -->") == 1
    assert text.index("<!-- results -->") < text.index("<!-- /results -->")


@pytest.mark.parametrize("language", ["sh", "python", "csv", "yaml"])
def test_blocks_are_found(language):
    assert language in {block.language for block in blocks(README)}
