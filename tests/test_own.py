"""Code of one's own: imported once, from where it is named, and plain about what is wrong with it."""

import hashlib
import sys

import pytest

from ossein.errors import OsseinError, SettingsError
from ossein.own import use, used
from ossein.settings import Family, Settings


def write(folder, text, name="mine.py"):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def test_a_file_runs_once_however_it_is_named(tmp_path, monkeypatch):
    file = write(tmp_path, "with open('ran', 'a') as file:\n    file.write('x')\n")
    monkeypatch.chdir(tmp_path)
    module = use("mine.py")
    assert use(str(file)) is use("./mine.py") is module
    assert (tmp_path / "ran").read_text() == "x"
    assert used()["mine.py"] == hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def test_files_of_one_name_in_two_folders_are_two(tmp_path):
    one, other = (use(str(write(tmp_path, f"where = {n}", f"{n}/mine.py"))) for n in (1, 2))
    assert (one.where, other.where) == (1, 2)


def test_its_neighbours_can_be_imported_and_hide_nothing(tmp_path):
    write(tmp_path, "raise AssertionError", "json.py")
    write(tmp_path, "value = 3", "neighbour_of_mine.py")
    module = use(str(write(tmp_path, "import json\nfrom neighbour_of_mine import value")))
    assert module.value == 3
    assert module.json.loads("1") == 1


def test_a_module_in_the_working_folder(tmp_path, monkeypatch):
    write(tmp_path, "", "things_of_mine/__init__.py")
    write(tmp_path, "value = 4", "things_of_mine/method.py")
    monkeypatch.chdir(tmp_path)
    assert use("things_of_mine.method").value == 4
    assert "things_of_mine.method" in used()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = 1\nb = undefined\n", r"line 2: NameError: name 'undefined' is not defined. Mend it"),
        ("def f():\n    raise ValueError('two\\nlines')\n\nf()\n", r"line 4: ValueError: two. Mend it"),
        ("a = 1\nb = (\n", r"line 2: SyntaxError: '\(' was never closed. Mend it"),
        ("import not_there_at_all", r"line 1: ModuleNotFoundError: No module named 'not_there_at_all'. Mend it"),
        ("raise SystemExit(3)", r"line 1: SystemExit: 3. Mend it"),
        ("assert False", r"line 1: AssertionError. Mend it"),
    ],
)
def test_a_file_that_fails(tmp_path, text, told):
    file = write(tmp_path, text)
    for _ in range(2):  # the second time as well
        with pytest.raises(SettingsError, match=rf"^--use .*mine\.py: {told}") as error:
            use(str(file))
        assert "\n" not in str(error.value)
    assert error.value.__cause__ is not None
    assert str(file) not in sys.modules
    assert used().get(str(file)) is None


@pytest.mark.parametrize(
    ("word", "told"),
    [("nowhere.py", "there is no such file"), ("no.such.module", "there is no such module"), ("a b", "no such module")],
)
def test_what_is_not_there(word, told):
    with pytest.raises(OsseinError, match=rf"^--use {word}: .*{told}"):
        use(word)


def test_two_files_of_one_kind(tmp_path, monkeypatch):
    shapes = Family[object]("shape")
    monkeypatch.setattr("ossein.settings.shapes_of_a_test", shapes, raising=False)
    text = (
        "from typing import Literal\nfrom ossein.settings import Settings, shapes_of_a_test as shapes\n"
        "class Dot: ...\nclass DotSettings(Settings):\n    kind: Literal['dot'] = 'dot'\nshapes.add(Dot, DotSettings)\n"
    )
    first = use(str(write(tmp_path, text, "a.py")))
    with pytest.raises(
        SettingsError, match=r"line 6: SettingsError: .*b\.py\.Dot: the kind 'dot' is that of .*a\.py\.Dot"
    ):
        use(str(write(tmp_path, text, "b.py")))
    assert shapes["dot"] is first.Dot
    assert isinstance(shapes.read({"kind": "dot"}), Settings)
