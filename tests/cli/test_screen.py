"""Tables and progress as they stand on the screen."""

import pytest

from ossein.cli import screen


@pytest.mark.parametrize(
    ("cells", "justify"),
    [
        (("91.5", "8"), "right"),
        (("+4.2 ± 1.0 (n=3)", "-1.3"), "right"),
        (("-4.5 [-6.0, -3.0] (n=3)", "-", ""), "right"),
        (("-", ""), "right"),
        (("1.0", "not known"), "left"),
        (("-o", "+x"), "left"),
        (("± 1.0",), "left"),
    ],
)
def test_columns_of_numbers_are_set_to_the_right(cells, justify):
    made = screen.table("title", ("3", "what"), [("3", cell) for cell in cells])
    assert [column.justify for column in made.columns] == ["left", justify]


def test_a_note_is_shown_once_and_a_line_whenever_it_is_said(capsys):
    terminal = screen.Terminal()
    for text in ("bf16", "fp32", "bf16"):
        terminal.note(text)
        terminal.say("a training")
    assert capsys.readouterr().out.split("\n")[:-1] == ["bf16", "a training", "fp32", "a training", "a training"]


def test_a_table_breaks_words_only_where_a_screen_is_too_narrow(capsys, monkeypatch):
    name = "a" * 90
    made = screen.table("title", ("file", "what"), [(name, "b " * 60)])
    monkeypatch.delenv("COLUMNS", raising=False)
    screen.show(made)
    assert name in capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "100")
    screen.show(made)
    told = capsys.readouterr().out
    assert name not in told
    assert max(map(len, told.splitlines())) <= 100


def test_what_is_done_is_counted(capsys):
    with screen.counting("read a.json") as tell:
        tell(1, 2)
        tell(2, 2)
    with screen.counting("fetch", "MB") as tell:
        tell(3, 3)
    said = [line.split("%  ")[1] for line in capsys.readouterr().out.splitlines()]
    assert said == ["read a.json: 1 clip", "read a.json: 2 clips", "fetch: 3 MB"]
