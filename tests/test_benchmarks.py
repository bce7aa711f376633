"""The arithmetic of the benchmarks, on tiny sizes: what is compared is the same, and pages say what was found. Nothing is timed."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

FOLDER = Path(__file__).parents[1] / "benchmarks"
# ruff: noqa: E402 - scripts find each other beside themselves
sys.path.insert(0, str(FOLDER))

import allocator
import clips
import field_loader
import gpu
import growth
import inference
import loader
import memory
import page
import training
from found import Result, Table
from timing import Rates, Timing, device_rates

from ossein.store import Store
from ossein.store.resident import Resident


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return clips.store_of(tmp_path_factory.mktemp("bench"), 40, frames=(5, 60), absent=0.1)


def timing(cpu: float, ratio: float) -> Timing:
    times = dict.fromkeys(("cpu", "wall", "least", "least_wall"), cpu)
    return Timing(**times, ratio=ratio, spread=(ratio, ratio), wall_ratio=ratio, wall_spread=(ratio, ratio))


def test_clips_have_the_sizes_asked_for(tmp_path):
    made = clips.store_of(tmp_path, 7, frames=(6, 9), persons=2, skeleton="ntu-25", dims=3, absent=0.5)
    assert (len(made), made.max_persons, made.dims, len(made.skeleton)) == (7, 2, 3, 25)
    assert 6 <= made.frames.min() <= made.frames.max() <= 9
    assert 0.3 < (np.asarray(made.score) == 0).mean() < 0.7
    assert made.x.dtype == np.float16


def test_many_clips_are_as_small_in_the_store(tmp_path):
    wandering = clips.wander(20_001, frames=(4, 4))
    assert all((clip.x == clip.x.astype(np.float16)).all() for clip, _ in zip(wandering, range(5)))


@pytest.mark.parametrize("transitions", [True, False])
def test_both_loaders_give_the_same_batch(store, transitions):
    feed = loader.own_feed(store)
    dataset = loader.field_dataset(store, feed, transitions=transitions)
    assert loader.difference(feed, dataset) < 1e-4
    assert not np.allclose(dataset[0][0], dataset[0][0])  # what is not given is drawn


def test_batches_of_the_field_have_every_clip_once(store):
    feed = loader.own_feed(store)
    dataset = loader.field_dataset(store, feed, transitions=True)
    found = list(field_loader.batches(dataset, 16, 0, range(40)))
    assert [tuple(x.shape) for x, _ in found] == [(16, 1, 48, 17, 3)] * 2 + [(8, 1, 48, 17, 3)]
    assert torch.cat([label for _, label in found]).tolist() == store.labels.tolist()


def test_a_frame_in_which_a_person_comes_is_not_interpolated():
    keypoint = np.ones((2, 6, 17, 2), np.float16)
    keypoint[1, :3] = 0
    info = {"keypoint": keypoint, "keypoint_score": np.ones((2, 6, 17)), "total_frames": 6}
    numbers = {"share": 1.0, "place": 0.0}
    for transitions, whole in ((True, {2, 3}), (False, set())):
        window = field_loader.SampleWindow(11, (0.5, 1.0), transitions=transitions)
        places = window({**info, "numbers": numbers})["frame_inds"]
        assert {int(at) for at in places if at != int(at)} == {0, 1, 2, 3, 4} - whole


def test_the_limit_of_a_clip():
    limit = loader.limit(frames=2, joints=3, dims=2, persons=1)
    # 6 places: two neighbours of 3 halves, 2 numbers drawn (written and read), 3 singles written.
    assert limit.bytes == 6 * (2 * 3 * 2 + 2 * 2 * 4 + 3 * 4)
    assert loader.limit(4, 3, 2, 1).flops == 2 * limit.flops


def test_goals_of_the_loader_are_judged():
    timings = {
        "the same without PYSKL's loop over frames": timing(1, 2.0),
        "ossein, batches of 32": timing(1, 24.0),
    }
    assert [row[2:] for row in loader.goals(timings, 0.2).rows] == [["24.0", "yes"], ["12.0", "no"], ["20.0%", "no"]]


def test_a_training_tells_of_itself(store):
    said = training.train(store.path, training.SKIPPED + 3, 4)
    assert 0 < said["idle"] <= said["private"]
    assert min(said["cpu"], said["cpu_whole"], said["wall"]) > 0


def test_a_watched_feed_gives_the_same_batches(store):
    s = training.preset(store, 4)
    one = training.Watched(store, np.arange(40), s.input, s.augment, 4, 0)
    other = training.Feed(store, np.arange(40), s.input, s.augment, 4, 0)
    assert torch.equal(one.at(3)[0].x, other.at(3)[0].x)
    assert len(one.notes) == 1


def test_frames_fill_a_store_of_a_size(tmp_path):
    frames = memory.frames_for(300_000, 10, 17, 2)
    made = clips.store_of(tmp_path, 10, frames=(frames, frames))
    assert made.path.stat().st_size == pytest.approx(300_000, rel=0.03)


def test_memory_is_judged_by_the_process_that_holds_most(store):
    said = {1: [{"idle": 2e8, "private": 4e8}], 2: [{"idle": 2e8, "private": 4e8}, {"idle": 2e8, "private": 2e9}]}
    assert [row[-1] for row in memory.goals(said).rows] == ["yes", "no"]
    assert [row[0] for row in memory.describe(store, said, "").rows][-1] == "2 processes, number 1"


def test_pairs_are_compared_within_a_round():
    assert allocator.compare([(2.0, 1.0), (30.0, 10.0), (4.0, 2.0)]).rows[1][2] == "2.00 (2.00-2.50)"


def test_a_bundle_answers_the_same_every_way(tmp_path):
    pytest.importorskip("onnxruntime")
    inference.bundle(tmp_path / "bundle")
    some = list(clips.wander(2, frames=(20, 30)))
    to = inference.ways(tmp_path / "bundle", some)
    assert to.model().shape == (2, clips.CLASSES)
    np.testing.assert_allclose(to.model(), to.onnx(), atol=1e-4)
    assert to.whole().shape == (2, clips.CLASSES)
    assert to.flops > 2 * 1e6


def test_a_clip_as_a_table_is_read_back(tmp_path):
    from ossein.readers import reader_for

    clip = next(iter(clips.wander(1)))
    inference.write_table(clip, tmp_path / "clip.csv")
    (read,) = reader_for(tmp_path / "clip.csv").read(tmp_path / "clip.csv").clips
    np.testing.assert_allclose(read.x, clip.x, atol=0.01)


def test_growth_is_told_in_times_of_the_first(store):
    places = [growth.Place("1", 0.5, 1.0, 10), growth.Place("2", 1.0, 3.0, 20)]
    drawn = growth.panels({"frames": places}, {1: (1.0, 2.0, 100), 2: (1.5, 1.0, 150)})
    assert drawn["frames"][1].mean == (1.0, 3.0)
    assert drawn["processes"][0].mean == (1.0, 1.5)
    assert growth.count(store, "joints", {}) == "17"
    assert growth.table_of("clips", places).rows[1] == ["2", "1000.00", "3000.0", "0.0"]


RATES = Rates(1e9, 1e9)


@pytest.fixture
def not_compiled(monkeypatch):
    """Compilation is tested elsewhere (tests/train/test_compiled.py), and takes its time."""
    monkeypatch.setattr(gpu, "compiled", lambda model: model)


def test_steps_of_the_gpu_benchmark_on_a_cpu(not_compiled, monkeypatch):
    monkeypatch.setattr(gpu.importlib.util, "find_spec", lambda name: None)
    made, timings = gpu.pretraining("cpu", 2, 2, RATES)
    assert list(timings) == [f"ossein, {kind}{quick}" for kind in ("fp32", "bf16") for quick in ("", ", compiled")]
    for preset in ("ossein", "ssl"):
        tuned, timings = gpu.finetuning(preset, "cpu", 2, 2, RATES)
        assert len(timings) == len(tuned.rows) == 4
        assert all(len(row) == len(tuned.columns) == len(made.columns) for row in tuned.rows)


def test_what_a_gpu_has_given_is_kept_at_once(monkeypatch, tmp_path):
    def cut_off(device, rounds):
        yield Table("First", ["", "ms"], [["a", "1"]]), None
        raise KeyboardInterrupt

    monkeypatch.setattr(gpu.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(gpu.torch.cuda, "get_device_name", lambda: "X1")
    monkeypatch.setattr(gpu, "found", cut_off)
    monkeypatch.setattr("sys.argv", ["gpu.py", "--out", str(tmp_path)])
    with pytest.raises(KeyboardInterrupt):
        gpu.main()
    (kept,) = page.read(tmp_path)
    assert [table["title"] for table in kept["tables"]] == ["First"]


def test_shares_of_what_the_gpu_can_do():
    limit = gpu.Limit(flops=5e8, bytes=1e8)
    made, _ = gpu.steps_table("", {"a step": timing(1, 1)}, 1000, limit, RATES)
    assert made.rows == [["a step", "1000.00", "1.00 (1.00-1.00)", "1,000", "50.0%", "10.0%"]]


def test_a_whole_pretraining_is_estimated(not_compiled, monkeypatch, tmp_path):
    store = gpu.corpus(tmp_path, 12, 9)
    near, s = Resident.of(store, "cpu"), gpu.preset(store, 4, "cpu")
    s = s.change(input=s.input.change(frames=4), train=s.train.change(epochs=50))
    assert len(gpu.feeding(store, near, s, 2)[1]) == 2
    monkeypatch.setattr(gpu, "measured", lambda store, settings, steps: {"start": 7.0, "step": 2.0})
    made, numbers = gpu.whole(store, near, s, 2)
    assert {took["whole"] for took in numbers.values()} == {7.0 + (150 - gpu.SKIPPED) * 2.0}
    assert "0.0 M frames" in made.note
    assert [row[1:] for row in gpu.goals(numbers).rows] == [["< 600", "301", "yes"]]


def test_the_loop_is_measured_and_its_operations_named(not_compiled, tmp_path):
    store = gpu.corpus(tmp_path, 12, 9)
    near, s = Resident.of(store, "cpu"), gpu.preset(store, 4, "cpu")
    s = s.change(input=s.input.change(frames=4))
    took = gpu.measured(near, s, 2)
    assert took["start"] > 0 < took["step"]
    made, _ = gpu.where(near, s, quick=False, steps=1)
    assert 0 < len(made.rows) <= gpu.ROWS


def test_rates_of_a_device():
    rates = device_rates("cpu", size=32, copied=1 << 12, rounds=2)
    assert min(rates.flops, rates.copy) > 0


def test_without_a_gpu_nothing_is_written(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(gpu.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--out", str(tmp_path / "out")])
    gpu.main()
    assert capsys.readouterr().out == "There is no GPU here that torch can use: nothing was measured.\n"
    assert not (tmp_path / "out").exists()


def test_the_page_says_whether_a_gpu_has_been_seen(tmp_path):
    result = Result("loader", "About loader")
    result.write(tmp_path)
    assert "A GPU has been seen once" in page.page(page.read(tmp_path))
    Result("gpu", "On a GPU").write(tmp_path)
    text = page.page(page.read(tmp_path))
    assert "A GPU has been seen once" not in text
    assert text.count("## On a GPU") == 1


def test_the_page_has_every_result_and_every_goal(tmp_path):
    for name, met in (("loader", "no"), ("inference", "yes"), ("another", "yes")):
        result = Result(name, f"About {name}")
        result.add(Table("Times", ["", "ms"], [["a", "1"]]))
        result.add(Table("Goals", ["", "goal", "reached", "met"], [["fast", "1", "2", met]]))
        result.write(tmp_path)
    text = page.page(page.read(tmp_path))
    assert text.index("## About loader") < text.index("## About inference") < text.index("## About another")
    assert text.count("**Goals**") == 0
    assert "1 of 3 were missed" in text
    assert "Ten million clips" in text
    assert "{" not in text
    assert json.loads((tmp_path / "loader.json").read_text())["title"] == "About loader"


def test_make_bench_runs_every_script():
    target = (FOLDER.parent / "Makefile").read_text().partition("\nbench:")[2].partition("\n\n")[0]
    programs = {path.stem for path in FOLDER.glob("*.py") if "arguments(__doc__" in path.read_text()}
    assert programs - {"found", "timing"} <= set(target.replace(";", " ").split())
