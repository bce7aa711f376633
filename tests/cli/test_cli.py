"""The command line as a user types it: help, words that are wrong, what is shown."""

import os
import re
import subprocess
import sys

import pytest

from ossein import __version__
from ossein.cli import VERBS

# Help


def test_help_needs_no_heavy_library():
    code = (
        "import sys; from ossein.cli import run; code = run(['--help']);"
        "print([name for name in ('torch', 'numpy', 'tyro', 'rich', 'pydantic', 'yaml') if name in sys.modules], code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[] 0"
    assert all(f"  {verb} " in done.stdout for verb in VERBS)


def test_the_module_is_the_command():
    done = subprocess.run([sys.executable, "-m", "ossein", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"ossein {__version__}\n"


@pytest.mark.parametrize("words", [(), ("-h",), ("--help",)])
def test_help(cli, words):
    done = cli(*words)
    assert done.code == 0
    assert "ossein quickstart" in done.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("quickstart", ["--data", "--labels", "--pretrain-epochs", "--clips"]),
        ("data", ["prepare", "synthetic", "info", "list"]),
        ("data prepare", ["--skeleton", "--classes", "--overwrite"]),
        ("data synthetic", ["--clips", "--miss", "--people"]),
        ("data info", ["store"]),
        ("data check", ["--report", "--json", "--format", "--skeleton"]),
        ("data list", ["folder"]),
        ("pretrain", ["--model.mask.kind", "--split", "--resume"]),
        (
            "pretrain skeletonmae",
            ["--model.mask.kind {parts,random-parts,random-joints}", "--optim.lr", "1.5e-4|0.00015"],
        ),
        ("recognise", ["--from", "--labels", "--seeds"]),
        ("recognise ssl", ["--model.combine", "--smoothing", "--optim.drops", "(paper: 3)"]),
        ("recognise stgcn", ["--model.kind {stgcn}", "--model.widths", "--model.dropout", "--labels STR"]),
        ("evaluate", ["--protocol", "--confusion"]),
        ("predict", ["--output", "--top", "--window", "--timeline"]),
        ("calibrate", ["--split", "--accuracy"]),
        ("stream", ["--every", "--persons", "--strict"]),
    ],
)
def test_help_of_every_verb(cli, words, told):
    done = cli(*words.split(), "--help")
    assert done.code == 0
    for text in told:
        assert any(one in done.out for one in text.split("|")), text


def test_help_shows_the_fields_of_the_presets_own_model(cli):
    assert "--model.widths" not in cli("recognise", "ssl", "--help").out
    assert "--model.encoder" not in cli("recognise", "stgcn", "--help").out


def test_help_shows_what_would_be_used(cli, synthetic_store):
    deep = cli("pretrain", "skeletonmae", synthetic_store(dims=3, clips=18).path, "--help").out
    assert re.search(r"--input\.normalise.*?\(default: facing\)", deep, re.DOTALL)


# Words that are wrong


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("pretrian", "'pretrian' is no verb of ossein. Did you mean 'pretrain'?"),
        ("data prepar", "'prepar' is no verb of ossein data. Did you mean 'prepare'?"),
        ("data", "usage: ossein data {get,prepare,synthetic,info,check,list}"),
        ("pretrain skeltonmae STORE", "'skeltonmae' is no preset of ossein pretrain. Did you mean 'skeletonmae'?"),
        ("recognise sll STORE", "'sll' is no preset of ossein recognise."),
        ("pretrain", "usage: ossein pretrain {skeletonmae"),
        ("recognise ssl", "usage: ossein recognise {ssl,"),
        ("pretrain --out x skeletonmae STORE", "usage: ossein pretrain {skeletonmae"),
        ("pretrain skeletonmae STORE --train.epohcs 3", "--train.epochs"),
        ("pretrain skeletonmae STORE --train.epochs none", "none"),
        ("pretrain skeletonmae STORE --train.epochs -1", "greater than 0"),
        ("pretrain skeletonmae STORE --input.crop 0.9 0.5", "least <= most"),
        ("pretrain skeletonmae STORE --optim.kind adamm", "adamm"),
        ("pretrain skeletonmae STORE --model.mask.share 1", "less than 1"),
        ("recognise ssl STORE --optim.drops 0.5 2", "between 0 and 1"),
        ("recognise ssl STORE --model.kernel 4", "kernel"),
        ("recognise ssl STORE --model.kind stgcn", "Expected one of"),
        ("recognise ssl STORE --model.widths 8", "--model.widths"),
        ("recognise stgcn STORE --model.dropout 1", "less than 1"),
        ("recognise ssl STORE --smoothing 2", "--smoothing: Input should be less than 1, got 2.0."),
        ("quickstart --clips 3", "greater than or equal to 60"),
        ("data synthetic new.clips --miss 0.9", "0.5"),
        ("evaluate", "evaluate"),
        ("predict", "predict"),
        ("predict run", "no file is named. Name files, stores or folders, or - for lines"),
    ],
)
def test_a_wrong_call(cli, fixed_store, tmp_path, words, told):
    done = cli(*words.replace("STORE", f"{fixed_store.path} --split half").split())
    assert done.code == 2
    assert told in " ".join((done.out + done.err).replace("│", " ").split())
    assert "Traceback" not in done.out + done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("pretrain skeletonmae STORE --split halv", "no split is called 'halv'. Did you mean 'half'?"),
        ("pretrain skeletonmae STORE --split z*", "no split matches 'z*'."),
        ("pretrain skeletonmae STORE", "has 3 splits, name one with --split."),
        ("pretrain skeletonmae nowhere.clips", "nowhere.clips: cannot be read"),
        ("pretrain skeletonmae STORE --split half --resume", "--resume needs --out"),
        ("pretrain skeletonmae STORE --split half --config nowhere.yaml", "nowhere.yaml: cannot be read"),
        ("pretrain skeletonmae STORE --split half --model.mask.parts 9", "coco-17 has no part 9."),
        ("recognise ssl STORE --split half --from nowhere", "nowhere: holds no run"),
        ("recognise ssl STORE --split half --labels 10", "Did you mean '10%' or '10-per-class'?"),
        ("evaluate nowhere STORE", "nowhere: holds no run"),
        ("predict nowhere file.csv", "nowhere: holds no bundle"),
        ("data info nowhere.clips", "nowhere.clips: cannot be read"),
        ("data prepare piskl a b", "a: does not exist"),
    ],
)
def test_a_call_that_cannot_work(cli, fixed_store, tmp_path, words, told):
    done = cli(*(fixed_store.path if word == "STORE" else word for word in words.split()))
    assert done.code == 1
    assert told in done.err
    assert done.err.startswith("ossein: ")
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_whole_traceback_where_it_is_asked_for(cli):
    with pytest.raises(ValueError, match=r"holds no bundle"):
        cli("predict", "nowhere", "file.csv", "--traceback")


def test_a_reader_of_the_output_that_has_seen_enough(cli, monkeypatch):
    import ossein.cli

    def full():
        raise BrokenPipeError

    monkeypatch.setattr(ossein.cli, "_print_help", full)
    monkeypatch.setattr(os, "dup2", lambda *_: None)
    monkeypatch.setattr(sys.stdout, "fileno", lambda: 1, raising=False)
    assert cli("--help").code == 0


def test_control_c_anywhere(cli, monkeypatch):
    import ossein.cli

    def stop():
        raise KeyboardInterrupt

    monkeypatch.setattr(ossein.cli, "_print_help", stop)
    done = cli("--help")
    assert (done.code, done.err) == (130, "\nossein: stopped.\n")


# The screen


def test_a_terminal_gets_bars(monkeypatch, tmp_path):
    import io

    from rich.console import Console

    from ossein.cli import screen
    from ossein.train import Progress

    text = io.StringIO()
    monkeypatch.setattr(screen, "console", Console(file=text, force_terminal=True, width=120, markup=False))
    with screen.Terminal().training("title") as report:
        report(Progress(1, 2, 0.5, 12345.0, {"loss": 0.25, "lr": 0.1}))
    with screen.counting("clips") as tell:
        tell(3, None)
    assert "title" in text.getvalue()
    assert "loss 0.25" in text.getvalue()
    assert "12345 clips/s" in text.getvalue()


def test_only_the_first_process_speaks():
    code = "from ossein.cli.screen import *; say('hello'); print(type(make_screen()).__name__)"
    env = {**os.environ, "RANK": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "Silent\n"
