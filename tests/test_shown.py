"""What pages show of what is printed: what counts as a change and what does not, and how a page is renewed."""

import runpy

import pytest
from pages import ROOT, blocks, check_outputs, run_page
from shown import comparable, difference, renewed

SHOWN = """\
runs/pre on demo.clips
 run         ┃ protocol ┃ split ┃ top-1 %
━━━━━━━━━━━━━╇━━━━━━━━━━╇━━━━━━━╇━━━━━━━━━━━━━━━━━━━
 pre, seed 0 │ finetune │ xsub  │              91.5
 mean        │ finetune │       │ 90.2 ± 1.3 (n=3)
ssl from pre-trained weights, xsub, 412 clips, seed 0
   10 %  epoch 1.0  loss 2.43  311 clips/s
  ...
  100 %  epoch 9.0  loss 0.43  305 clips/s
  took 95 s
someone.json: squat, then wave
next: ossein evaluate runs/pre demo.clips
"""

AGAIN = """\
runs/pre on demo.clips
 run         ┃ protocol ┃ split ┃    top-1 %
━━━━━━━━━━━━━╇━━━━━━━━━━╇━━━━━━━╇━━━━━━━━━━━━
 pre, seed 0 │ finetune │ xsub  │        1.0
 pre, seed 1 │ finetune │ xsub  │        2.0
 mean        │ finetune │       │ 1.5 (n=1)
ssl from pre-trained weights, xsub, 9 clips, seed 0
  100 %  epoch 0.1  loss 5.43  3 clips/s
  took 0 s

someone.json: wave, then wave
next: ossein evaluate runs/pre demo.clips
"""

CLASSES = ["squat", "wave"]


def test_numbers_progress_and_answers_may_differ():
    assert difference(SHOWN, AGAIN, CLASSES) == ""
    assert difference(AGAIN, SHOWN, CLASSES) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("top-1 %", "top-5 %"),  # a renamed column
        (" ┃ split", ""),  # a column less
        ("xsub  ", "xview "),  # another cell
        ("pre-trained weights", "random weights"),  # another word
        ("runs/pre demo", "runs/few demo"),  # another file
        ("wave, then", "nods, then"),  # no class
        ("9 clips", "9 of 9 clips"),  # one number more
        ("runs/pre on demo.clips\n", ""),  # a line less
        ("next: ossein evaluate runs/pre demo.clips\n", ""),
        ("runs/pre on", "precision\nruns/pre on"),  # a line more
        ("seed 0\n ", "seed 0\nssl from random weights\n "),
        ("demo.clips\n", "demo.clips\nDone.\n"),
    ],
)
def test_words_and_structure_may_not_differ(old, new):
    assert old in AGAIN
    assert difference(SHOWN, AGAIN.replace(old, new, 1), CLASSES)


def test_a_difference_is_told_line_by_line():
    told = difference("one\ntwo 2\nthree\n", "one\nfour 4\nthree\n")
    assert "-two #" in told
    assert "+four #" in told


@pytest.mark.parametrize(
    ("line", "same"),
    [
        ("42 clips", "7 clips"),
        ("24 clips of 8 classes", "1 clip of 1 class"),
        ("Top-1 on 400 unseen clips", "Top-1 on 1 unseen clip"),
        ("loss -1.5e-05", "loss 3"),
        ("1,484 clips", "36 clips"),
        ("gain +2.1 ± 0.4 (n=3)", "gain 0.0 (n=1)"),
        ("content 525a84a7e97ec5ec", "content a10674badfcee515"),
        ("precision bf16: in hardware", "precision fp32: as the settings ask"),
        ("  a  ┃ b", "a│b"),
    ],
)
def test_what_is_the_same_everywhere(line, same):
    assert comparable(line) == comparable(same)


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("split1", "split2"),
        ("top-1", "top-5"),
        ("coco-17", "coco-18"),
        ("2-D", "3-D"),
        ("5-per-class", "10-per-class"),
        ("synthetic-000005", "synthetic-000007"),
        ("42 clips", "clips"),
        ("42 clips", "42 clip files"),
        ("24 classes", "24 clauses"),
        ("a decade", "a facade"),
        ("kick", "push"),
    ],
)
def test_what_is_not(line, other):
    assert comparable(line, CLASSES) != comparable(other, CLASSES)


def test_lines_that_are_left_out_may_be_any():
    shown = "one\n...\nfive\n"
    assert not difference(shown, "one\ntwo\nthree\nfour\nfive\n")
    assert not difference(shown, "one\nfive\n")
    assert not difference("...\n", "one\n")
    assert not difference("one\n...\n", "one\nfive\none\n")
    assert difference(shown, "one\ntwo\n")
    assert difference(shown, "two\nfive\n")
    assert difference(shown, "one\nfive\nsix\n")
    assert difference("...\nfive\n...\nsix\n", "six\nfive\n")


def test_what_was_left_out_stays_out():
    before = "clips 3\n\n...\nmodel in a\n"
    assert renewed(before, "clips 5\n\nloss 3\nloss 4\nmodel in a\n") == "clips 5\n\n...\nmodel in a\n"
    assert renewed(before, "clips 5\n\nloss 3\nmodel in b\n") == "clips 5\n\nloss 3\nmodel in b\n"
    assert renewed("", "clips 5  \n") == "clips 5\n"
    assert renewed("clips 5\n", "") == ""
    # The rule below the head of a table is part of the head.
    assert renewed("a ┃ b\n━━╇━━\n...\n", "a ┃ b\n━━╇━━━\n1 │ 22\n") == "a ┃ b\n━━╇━━━\n...\n"


def test_of_progress_the_first_and_the_last_line_are_shown():
    lines = [f"  {10 * i:3d} %  epoch {i}.0" for i in range(1, 11)]
    text = "\n".join(["train", *lines, "  took 3 s", ""])
    assert renewed("", text) == f"train\n{lines[0]}\n  ...\n{lines[-1]}\n  took 3 s\n"
    assert not difference(renewed("", text), text)
    assert difference(renewed("", text), text.replace("train", "test"))


PAGE = """# A page

```sh
ossein data synthetic demo.clips --clips 60
ossein data list
```

```text title="output"
```

```python
print("seen", 3)
```

```text title="output"
```
"""


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page with its outputs, in a working folder of its own."""
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    runpy.run_path(str(ROOT / "scripts" / "outputs.py"))["renew"](path, {})
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return path


def test_a_renewed_page_shows_what_is_printed(page):
    shown = [block.output.text for block in blocks(page) if block.output]
    assert "$ ossein data list\n" in shown[0]
    assert "demo.clips" in shown[0]
    assert shown[1] == "seen 3\n"
    check_outputs(run_page(page))


def test_lines_left_out_come_back_when_they_are_asked_for(page):
    text = page.read_text()
    begin, end = text.index("$ ossein data list"), text.index("```\n\n```python")
    less = f"{text[:begin]}...\n{text[end:]}"
    page.write_text(less)
    renew = runpy.run_path(str(ROOT / "scripts" / "outputs.py"))["renew"]
    renew(page, {})
    assert page.read_text() == less
    renew(page, {}, whole=True)
    assert page.read_text() == text


@pytest.mark.parametrize(("old", "new"), [("Built-in skeletons\n", ""), ("seen 3", "heard 3"), ("seen 3\n", "")])
def test_a_page_that_shows_something_else_is_found(page, old, new):
    text = page.read_text()
    assert old in text
    page.write_text(text.replace(old, new))
    with pytest.raises(AssertionError, match=r"page.md:\d+: prints something else"):
        check_outputs(run_page(page))


def test_commands_that_print_show_it(page):
    before, _, after = page.read_text().partition('```text title="output"\n')
    page.write_text(before + after.partition("```\n")[2])
    with pytest.raises(AssertionError, match=r"page.md:4: prints and does not show it"):
        check_outputs(run_page(page))


def test_an_output_belongs_to_the_block_above_it(page):
    page.write_text(page.read_text().replace('```text title="output"\nseen', 'Look:\n\n```text title="output"\nseen'))
    with pytest.raises(AssertionError, match="an output of no block"):
        blocks(page)
