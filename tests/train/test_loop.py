"""The training loop: it learns, repeats itself to the bit, goes on where it stopped, and says when it cannot."""

import signal
import threading

import numpy as np
import pytest
import torch
from torch import nn

from ossein.augment import AugmentSettings
from ossein.errors import Diverged, SettingsError
from ossein.objective import Objective, Step
from ossein.train import Feed, InputSettings, OptimSettings, Run, Stopped, TrainSettings, fit, read_tensors, total_steps
from ossein.train.loop import Progress

OPTIM = OptimSettings(kind="adam", lr=0.02, warmup=0.1, schedule="cosine", clip=1.0)


class Toy(Objective):
    """Says from its first frame how far a clip's joints are spread: a linear map of joints can learn it."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.map = nn.Sequential(nn.Linear(34, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 1))
        self.progress = []

    def forward(self, batch, draw):
        x = batch.x[:, 0, 0].flatten(1)
        noise = 0.01 * draw.normal((len(batch), 1)).to(x.device)
        loss = (self.map(x) - x.std(1, keepdim=True) + noise).square().mean()
        return Step(loss, loss.new_tensor(float(len(batch))), {"noise": noise.abs().mean()})

    def after_step(self, progress):
        self.progress.append(progress)


class Forgetful(Toy):
    """Leaves out some of what it reads, which takes no draw."""

    def forward(self, batch, draw):
        x = nn.functional.dropout(batch.x[:, 0, 0].flatten(1), 0.3)
        loss = self.map(x).square().mean()
        return Step(loss, loss.new_tensor(float(len(batch))), {"kept": (x != 0).float().mean()})


class Nan(Toy):
    """Breaks in the third step."""

    def forward(self, batch, draw):
        step = super().forward(batch, draw)
        return Step(step.loss * float("nan"), step.weight) if len(self.progress) == 2 else step


def train(store, folder, report=lambda progress: None, objective=None, optim=OPTIM, **settings):
    settings = TrainSettings(**{"epochs": 4, "batch": 6, "save_every": 1, **settings})
    feed = Feed(
        store, np.arange(20), InputSettings(frames=4), AugmentSettings(jitter=0.01), settings.batch, settings.seed
    )
    folder.mkdir(exist_ok=True)
    return fit(objective or Toy(), feed, settings, optim, Run(folder), report)


def state(folder):
    """Everything that a run left: its checkpoint and its log."""
    return read_tensors(folder / "checkpoint.safetensors")[0], Run(folder).log_lines()


def same(a, b):
    (weights, log), (other_weights, other_log) = state(a), state(b)
    assert log == other_log
    assert weights.keys() == other_weights.keys()
    return all(torch.equal(weights[key], other_weights[key]) for key in weights)


def after(steps, do):
    """A report that does something when so many steps are done."""

    def report(progress):
        if progress.step == steps:
            do()

    return report


def crash():
    raise RuntimeError("power cut")


@pytest.fixture(scope="module")
def whole(fixed_store, tmp_path_factory):
    """A run of 16 steps that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    train(fixed_store, folder)
    return folder


def test_the_loss_goes_down(fixed_store, tmp_path):
    model = train(fixed_store, tmp_path, epochs=30, objective=(toy := Toy()))
    losses = [line["loss"] for line in Run(tmp_path).log_lines()]
    assert np.mean(losses[-8:]) < 0.2 * np.mean(losses[:8])
    assert model is toy
    assert not model.training


def test_the_same_seed_gives_the_same_run(fixed_store, whole, tmp_path):
    train(fixed_store, tmp_path)
    assert same(whole, tmp_path)


def test_another_seed_gives_another(fixed_store, whole, tmp_path):
    train(fixed_store, tmp_path, seed=1)
    assert state(tmp_path)[1][0]["loss"] != state(whole)[1][0]["loss"]


@pytest.mark.parametrize("steps", [2, 3, 7, 14])  # before the first save, right after it, between two, in the end
def test_going_on_after_a_crash_is_exact(fixed_store, whole, tmp_path, steps):
    with pytest.raises(RuntimeError, match=r"power cut"):
        train(fixed_store, tmp_path, after(steps, crash))
    train(fixed_store, tmp_path)
    assert same(whole, tmp_path)


@pytest.mark.parametrize("steps", [1, 7, 14])
def test_control_c_ends_after_the_step_and_going_on_is_exact(fixed_store, whole, tmp_path, steps):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Stopped):
        train(fixed_store, tmp_path, after(steps, lambda: signal.raise_signal(signal.SIGINT)))
    assert signal.getsignal(signal.SIGINT) is before
    assert len(Run(tmp_path).log_lines()) == steps
    train(fixed_store, tmp_path)
    assert same(whole, tmp_path)


def test_a_second_control_c_ends_at_once(fixed_store, whole, tmp_path):
    def twice():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(fixed_store, tmp_path, after(6, twice))
    assert signal.getsignal(signal.SIGINT) is before
    train(fixed_store, tmp_path)
    assert same(whole, tmp_path)


def test_a_thread_trains_without_touching_signals(fixed_store, whole, tmp_path):
    thread = threading.Thread(target=train, args=(fixed_store, tmp_path))
    thread.start()
    thread.join()
    assert same(whole, tmp_path)


def test_a_finished_run_does_nothing_more(fixed_store, whole):
    before, told = state(whole), []
    train(fixed_store, whole, told.append)
    assert told == []
    assert state(whole)[1] == before[1]


def test_what_is_reported(fixed_store, tmp_path):
    told: list[Progress] = []
    toy = Toy()
    train(fixed_store, tmp_path, told.append, toy, epochs=1.5)  # 6 of 20 clips a step
    assert [p.step for p in told] == [1, 2, 3, 4, 5]
    assert {p.total for p in told} == {5}
    assert [p.epoch for p in told] == pytest.approx([0.3, 0.6, 0.9, 1.2, 1.5])
    assert all(p.rate > 0 and set(p.log) == {"loss", "lr", "noise"} for p in told)
    assert toy.progress == pytest.approx([k / 5 for k in range(1, 6)])
    lines = Run(tmp_path).log_lines()
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5]
    assert [line["loss"] for line in lines] == [p.log["loss"] for p in told]


def test_at_least_one_step(fixed_store, tmp_path):
    feed = Feed(fixed_store, np.arange(4), InputSettings(), AugmentSettings(), 100, 0)
    assert total_steps(feed, TrainSettings(epochs=0.01)) == 1


@pytest.mark.parametrize(("steps", "total"), [(0, 8), (7, 8), (8, 8), (31, 31)])
def test_at_least_so_many_steps_however_few_the_clips(fixed_store, steps, total):
    feed = Feed(fixed_store, np.arange(4), InputSettings(), AugmentSettings(), 2, 0)
    assert total_steps(feed, TrainSettings(epochs=4, steps=steps)) == total


def test_a_step_may_leave_out_the_same_when_it_is_done_again(fixed_store, tmp_path):
    """Dropout is named by the step, like all that is random, whatever else has drawn numbers meanwhile."""
    train(fixed_store, tmp_path / "whole", objective=Forgetful())
    with pytest.raises(RuntimeError, match=r"power cut"):
        train(fixed_store, tmp_path / "cut", after(9, crash), Forgetful())
    torch.manual_seed(99)
    train(fixed_store, tmp_path / "cut", lambda progress: torch.rand(3), Forgetful())
    (_, log), (_, other) = state(tmp_path / "whole"), state(tmp_path / "cut")
    assert log == other
    assert len({line["kept"] for line in log}) > 8


@pytest.mark.parametrize("counts", [{}, {"share": torch.tensor(3.0)}])
def test_numbers_are_averaged_over_processes_by_what_they_count(monkeypatch, fixed_store, counts):
    """Two processes: the other has 10 terms of the loss, and of the number 1 of 0.9 where it counts its own."""
    from ossein.train import loop

    sums = iter([20.0, 4.0, 4.0 if counts else 20.0, 0.6])
    told = []

    class Engine:
        num_processes, process_index, device = 2, 0, "cpu"

        def reduce(self, number, how):
            told.append(float(number))
            return torch.tensor(next(sums))

        def backward(self, loss):
            loss.backward()

    class Two(Toy):
        def forward(self, batch, draw):
            step = super().forward(batch, draw)
            return Step(step.loss, torch.tensor(10.0), {"share": torch.tensor(0.5)}, counts)

    toy = Two()
    feed = Feed(fixed_store, np.arange(20), InputSettings(frames=4), AugmentSettings(), 6, 0)
    log = loop._train_step(Engine(), toy, torch.optim.SGD(toy.parameters(), 0.1), feed, 0, 0.1, 0.0)
    assert log == {"loss": 4.0, "share": pytest.approx(0.6)}
    assert told[2:] == pytest.approx([3.0, 0.5 * 3 / 4] if counts else [10.0, 0.5 * 10 / 20])


def test_a_loss_that_is_no_number(fixed_store, tmp_path):
    with pytest.raises(Diverged, match=r"the loss was nan in step 3. Lower --optim.lr, or set --optim.clip 1"):
        train(fixed_store, tmp_path, objective=Nan())
    assert len(Run(tmp_path).log_lines()) == 2
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_a_rate_that_is_far_too_high(fixed_store, tmp_path):
    class Steep(Toy):
        def forward(self, batch, draw):
            loss = sum(p.square().sum() for p in self.parameters()) * 1e4
            return Step(loss, loss.new_tensor(1.0))

    optim = OptimSettings(kind="sgd", lr=10, momentum=0)
    with pytest.raises(Diverged, match=r"the loss was inf in step"):
        train(fixed_store, tmp_path, objective=Steep(), optim=optim)


def test_weights_that_broke_in_the_last_step(fixed_store, tmp_path):
    class Late(Toy):
        def after_step(self, progress):
            if progress == 1:
                nn.init.constant_(self.map[0].bias, float("nan"))

    with pytest.raises(Diverged, match=r"weights are no longer finite"):
        train(fixed_store, tmp_path, objective=Late(), save_every=100)
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_bf16_trains_the_same_weights_nearly(fixed_store, whole, tmp_path):
    model = train(fixed_store, tmp_path, precision="bf16")
    assert all(p.dtype == torch.float32 for p in model.parameters())
    losses, exact = ([line["loss"] for line in state(folder)[1]] for folder in (tmp_path, whole))
    assert losses != exact
    assert losses == pytest.approx(exact, rel=0.1, abs=0.01)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_no_gpu(fixed_store, tmp_path):
    with pytest.raises(SettingsError, match=r"no GPU that torch can use. Use --train.device cpu"):
        train(fixed_store, tmp_path, device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_gpu_and_cpu_in_turn(fixed_store, whole, tmp_path):
    train(fixed_store, tmp_path / "gpu", device="cuda")
    train(fixed_store, tmp_path / "cpu")
    losses, exact = ([line["loss"] for line in state(folder)[1]] for folder in (tmp_path / "gpu", whole))
    assert losses == pytest.approx(exact, rel=1e-3)
    assert same(tmp_path / "cpu", whole)
