"""The verb `reproduce` as a user types it."""

import json
import shlex

import pytest
from two import start

TINY = ["--pretrain-epochs", "0.1", "--epochs", "0.1", "--frames", "4", "--batch", "6", "--seeds", "0"]
ONE = ["--split", "half", "--table", "backbone", "--backbones", "gin", *TINY]


def words_of(done):
    return " ".join((done.out + done.err).replace("│", " ").split())


def test_help_tells_of_every_option(cli):
    told = cli("reproduce", "--help").out
    for word in ("--dataset", "--table", "--split", "--target", "--target-split", "--backbones", "--seeds", "--out"):
        assert word in told
    for word in ("--pretrain-epochs", "--epochs", "--frames", "--batch", "--normalise", "--labels", "--dry-run"):
        assert word in told


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("--dataset finegim", 1, "no data set is called 'finegim'. Did you mean 'finegym'"),
        ("--dataset finegym", 1, "data/gym-hrnet.clips: is not there. Run 'ossein data get gym-hrnet'"),
        ("--dataset diving48 --folder d", 1, "d/diving48"),
        ("--dataset finegym-raw", 1, "data/finegym-raw.clips: is not there. FineGym"),
        ("--dataset nowhere.clips", 1, "nowhere.clips: cannot be read"),
        ("--dataset STORE", 1, "has 3 splits, name one with --split"),
        ("--dataset STORE --split half --table transfer", 1, "Name them with --target"),
        ("--dataset STORE --split half --normalise facing", 1, "Use --normalise centre"),
        ("--dataset STORE --split half --table dept", 2, "dept"),
        ("--dataset STORE --split half --epochs 0", 2, "--epochs: Input should be greater than 0"),
        ("--split half", 2, "--dataset"),
    ],
)
def test_what_cannot_be_run(cli, fixed_store, tmp_path, words, code, told):
    done = cli("reproduce", "skeletonmae", *words.replace("STORE", str(fixed_store.path)).split())
    assert done.code == code
    assert told in words_of(done)
    assert "Traceback" not in done.out + done.err
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_lists_and_runs_nothing(cli, fixed_store, tmp_path):
    done = cli("reproduce", "skeletonmae", "--dataset", fixed_store.path, "--split", "half", "--dry-run")
    assert done.code == 0
    assert "210 trainings: 99 pre-trainings, 111 fine-tunings; 0 done." in done.out
    assert "left out of joints: best parts at 90 % (paper 90.8)" in done.out
    assert "V3 right_arm" in done.out
    assert "0 of 3" in done.out
    assert list(tmp_path.iterdir()) == []


def test_tables_and_a_known_data_set_by_its_name(cli, fixed_store, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "gym-hrnet.clips").symlink_to(fixed_store.path)
    done = cli("reproduce", "skeletonmae", "--dataset", "FineGym", *ONE)
    assert done.code == 0, done.err
    out = tmp_path / "runs" / "reproduce-gym-hrnet"
    assert "1 training done, 1 left" in done.out
    assert "backbone │ the paper draws no conclusion" in done.out
    assert done.out.endswith(f"tables and figures: {out.relative_to(tmp_path) / 'tables.md'}\n")
    assert json.loads((out / "tables.json").read_text())["data"]["data"]["metric"] == "mean_class"
    listed = cli("reproduce", "skeletonmae", "--dataset", "FineGym", *ONE, "--dry-run")
    assert "1 of 1" in listed.out
    assert "2 trainings: 1 pre-training, 1 fine-tuning; 2 done." in listed.out


def test_two_copies_at_once_share_the_trainings(cli, fixed_store, tmp_path):
    tables = ["--split", "half", "--table", "layers", "backbone", *TINY]
    words = ["reproduce", "skeletonmae", "--dataset", fixed_store.path, *tables, "--out"]
    copies = [start(tmp_path, [*words, "both"]) for _ in range(2)]
    said = [copy.communicate(timeout=300) for copy in copies]
    assert [copy.returncode for copy in copies] == [0, 0], said
    begun = [line.split("; now ")[1] for out, _ in said for line in out.splitlines() if "; now " in line]
    assert len(begun) == len(set(begun)) == 9
    assert cli(*words, "alone").code == 0
    both, alone = (json.loads((tmp_path / out / "tables.json").read_text()) for out in ("both", "alone"))
    assert both["tables"] == alone["tables"]


def test_control_c_and_the_same_command_again(cli, fixed_store, tmp_path, monkeypatch):
    from ossein.cli import reproduce, screen

    class Stopping(screen.Terminal):
        def training(self, title):
            raise KeyboardInterrupt

    words = ["reproduce", "skeletonmae", "--dataset", str(fixed_store.path), *ONE]
    with monkeypatch.context() as patch:
        patch.setattr(reproduce, "make_screen", Stopping)
        done = cli(*words)
    assert done.code == 130
    assert "stopped; what was saved is in runs/reproduce-fixed. To go on, the same again:" in done.out
    again = shlex.split(done.out.splitlines()[-1])
    assert again == ["ossein", *words]
    assert cli(*again[1:]).code == 0
    assert (tmp_path / "runs" / "reproduce-fixed" / "backbone.png").exists()
