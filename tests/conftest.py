"""What tests share: shapes checked at run time, the real data sets where they are present, tiny stores and models."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from jaxtyping import install_import_hook

# A screen keeps the width that COLUMNS gives when its module is first imported; tests set their own, so none may be first.
os.environ.pop("COLUMNS", None)

# The shapes in annotations are checked in tests alone, since the checks would keep torch.compile from whole graphs.
# A whole number will do where a float is asked for (PEP 484).
_CHECKED = [f"ossein.{name}" for name in ("augment", "encoders", "nn", "pretrain", "tasks")]
install_import_hook(_CHECKED, "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")

# ruff: noqa: E402 - what is imported before the hook is not checked
from ossein import own
from ossein.cli import run as run_cli
from ossein.cli import screen as _screen  # noqa: F401 - see COLUMNS above
from ossein.clip import Clip
from ossein.encoders import EncoderSettings
from ossein.pretrain import METHODS
from ossein.readers import READERS
from ossein.readers.base import Source
from ossein.readers.synthetic import SyntheticSettings, synthetic
from ossein.recipes.presets import PRETRAIN, RECOGNISE, Facts, PretrainSettings, RecogniseSettings, skeletonmae, ssl
from ossein.recipes.pretrain import pretrain
from ossein.recipes.recognise import recognise
from ossein.skeleton import Skeleton
from ossein.store import Store, write_store
from ossein.tasks import RECOGNISERS

torch.set_num_threads(1)  # sums in one order, and models this small are slower on several cores


ROOT = Path(__file__).parents[1]

# Doctests are looked for in every module, and two conftest.py would be one module.
collect_ignore_glob = ["conftest.py", "*/conftest.py"]


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """The folder of a real data set by name; the test is skipped, and says so, where it is absent."""

    def find(name: str) -> Path:
        root = Path(os.environ.get("OSSEIN_DATA", Path(__file__).parents[2] / "shared" / "data"))
        if not (root / name).is_dir():
            pytest.skip(f"the real data set {name} is not here (set OSSEIN_DATA)")
        return root / name

    return find


@pytest.fixture(scope="session")
def synthetic_store(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Store]:
    """Stores of synthetic clips by the fields of `SyntheticSettings`; each is made once."""
    made: dict[str, Store] = {}

    def make(**fields: Any) -> Store:
        settings = SyntheticSettings(**{"clips": 36, "persons": 6, "frames": (8, 12), **fields})
        if str(settings) not in made:
            path = tmp_path_factory.mktemp("synthetic") / "tiny.clips"
            made[str(settings)] = write_store(synthetic(settings), path)
        return made[str(settings)]

    return make


@pytest.fixture(scope="session")
def fixed_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Twenty clips of four classes that no change of ossein changes: random walks, one or two persons, gaps."""
    rng = np.random.default_rng(7)
    clips = []
    for n in range(20):
        shape = (1 + n % 2, int(rng.integers(6, 14)), 17)
        x = 200 + 40 * rng.normal(size=(shape[0], 1, 17, 2)) + rng.normal(size=(*shape, 2)).cumsum(1) * (1 + n % 4)
        score = rng.uniform(0.2, 1, shape) * (rng.random(shape) > 0.1)
        score[-1, : n % 3] = 0
        clips.append(Clip(x, score, f"clip {n}", label=n % 4, size=(640, 480)))
    names = [clip.name for clip in clips]
    splits = {"half_train": names[:12], "half_test": names[12:], "a_train1": names[:12], "a_test1": names[12:]}
    splits |= {"a_train2": names[8:], "a_test2": names[:8]}
    source = Source(
        clips=iter(clips),
        skeleton=Skeleton.of("coco-17"),
        classes=("rest", "walk", "run", "jump"),
        splits={name: tuple(members) for name, members in splits.items()},
    )
    return write_store(source, tmp_path_factory.mktemp("fixed") / "fixed.clips")


@pytest.fixture(scope="session")
def tiny_pretrain() -> Callable[..., PretrainSettings]:
    """The paper's settings for a store, made small; `train` fields may be given."""

    def make(store: Store, **train: Any) -> PretrainSettings:
        s = skeletonmae(Facts.of(store, np.arange(len(store))))
        return s.change(
            input=s.input.change(frames=8),
            model=s.model.change(encoder=EncoderSettings(width=8, depth=1)),
            train=s.train.change(**{"epochs": 2, "batch": 5, "precision": "fp32", "device": "cpu", **train}),
        )

    return make


@pytest.fixture(scope="session")
def tiny_recognise() -> Callable[..., RecogniseSettings]:
    """The paper's settings for a store, made small; `train` fields may be given."""

    def make(store: Store, **train: Any) -> RecogniseSettings:
        s = ssl(Facts.of(store, np.arange(len(store))))
        return s.change(
            input=s.input.change(frames=8),
            model=s.model.change(encoder=EncoderSettings(width=8, depth=1), layers=1),
            train=s.train.change(**{"epochs": 2, "batch": 5, "precision": "fp32", "device": "cpu", **train}),
        )

    return make


@pytest.fixture(scope="session")
def pretrained_run(
    fixed_store: Store, tiny_pretrain: Callable[..., PretrainSettings], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A finished pre-training on the training half of `half`; read it, do not write to it."""
    out = tmp_path_factory.mktemp("runs") / "pretrained"
    pretrain("skeletonmae", fixed_store, out, splits=["half"], settings=tiny_pretrain(fixed_store))
    return out


@pytest.fixture(scope="session")
def recogniser_run(
    fixed_store: Store,
    pretrained_run: Path,
    tiny_recognise: Callable[..., RecogniseSettings],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A finished recogniser from that pre-training on the same half; read it, do not write to it."""
    out = tmp_path_factory.mktemp("runs") / "recogniser"
    settings = tiny_recognise(fixed_store)
    recognise("ssl", fixed_store, out, splits=["half"], pretrained=pretrained_run, settings=settings)
    return out


@pytest.fixture(autouse=True)
def only_in_this_test() -> Iterator[None]:
    """Methods, recognisers, presets and readers that a test adds are known in that test alone."""
    places = (METHODS._members, RECOGNISERS._members, PRETRAIN, RECOGNISE, READERS, own._used)
    before = [dict(place) for place in places]
    path = list(sys.path)
    yield
    for place, old in zip(places, before, strict=True):
        place.clear()
        place.update(old)
    sys.path[:] = path


@dataclass(frozen=True)
class Done:
    """What a command left: its exit status and what it wrote to the screen."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Runs `ossein` with the given words in a folder of the test's own (`tmp_path`)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object) -> Done:
        capsys.readouterr()
        code = run_cli([str(word) for word in words])
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture
def on_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Sequence[str]], ModuleType]:
    """A module of `scripts/` by its name, which reads and writes copies of some files of the repository."""

    def load(name: str, files: Sequence[str]) -> ModuleType:
        monkeypatch.syspath_prepend(str(ROOT / "scripts"))
        module = import_module(name)
        for file in files:
            (tmp_path / file).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / file, tmp_path / file)
        monkeypatch.setattr(module, "ROOT", tmp_path)
        return module

    return load
