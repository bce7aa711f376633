"""From a pre-training on some joints to data with others: recognisers, probes and the protocol `transfer`."""

import shutil

import numpy as np
import pytest
import torch
import yaml

from ossein.clip import Clip
from ossein.deploy import load_pretrained, load_recogniser, read_card
from ossein.errors import SettingsError, SkeletonError
from ossein.evaluate.model import encoder_features
from ossein.mapping import match_joints
from ossein.readers.base import Source
from ossein.recipes.base import Silent
from ossein.recipes.evaluate import evaluate
from ossein.recipes.finetune import Tuning
from ossein.recipes.joints import bring_over, counterparts
from ossein.recipes.pretrain import pretrain
from ossein.recipes.recognise import recognise
from ossein.skeleton import Skeleton
from ossein.store import resolve, write_store
from ossein.train import Run

SHORT = {
    "input": {"frames": 8},
    "model": {"layers": 1},
    "train": {"epochs": 0.4, "batch": 5, "precision": "fp32", "device": "cpu"},
}


class Lines(Silent):
    """A screen that keeps what is noted."""

    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def made(path, skeleton, dims, num=12):
    """Random walks of two classes; the first half is to train on."""
    clips = []
    for n in range(num):
        rng = np.random.default_rng(n)
        shape = (1 + n % 2, 6 + n % 3, len(skeleton))
        x = rng.normal(size=(*shape, dims)).cumsum(1) * (1 + n % 2)
        clips.append(Clip(x, rng.uniform(0.1, 1, shape), f"clip {n}", label=n % 2))
    names = tuple(clip.name for clip in clips)
    splits = {"mine_train": names[: num // 2], "mine_test": names[num // 2 :]}
    return write_store(Source(iter(clips), skeleton=skeleton, classes=("x", "y"), splits=splits), path)


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Stores by skeleton and dimensions."""
    folder = tmp_path_factory.mktemp("stores")
    kinds = [("coco-17", 2), ("ntu-25", 2), ("kinect-20", 3), ("ntu-25", 3), ("hand-21", 2)]
    return {(name, dims): made(folder / f"{name}-{dims}d.clips", Skeleton.of(name), dims) for name, dims in kinds}


@pytest.fixture(scope="module")
def runs(stores, tiny_pretrain, tmp_path_factory):
    """Pre-trainings on COCO's joints in 2-D and on Kinect's in 3-D, by dimensions."""
    folder = tmp_path_factory.mktemp("runs")
    for name, dims in (("coco-17", 2), ("kinect-20", 3)):
        store = stores[name, dims]
        settings = tiny_pretrain(store, epochs=1)
        pretrain("skeletonmae", store, folder / f"{dims}", splits=["mine"], settings=settings)
    return {dims: folder / f"{dims}" for dims in (2, 3)}


@pytest.mark.parametrize("dims", [2, 3])
def test_every_protocol_goes_to_other_joints(stores, runs, dims, tmp_path):
    target = stores["ntu-25", dims]
    run = shutil.copytree(runs[dims], tmp_path / "run")
    config = tmp_path / "short.yaml"
    config.write_text(yaml.safe_dump(SHORT))
    screen, tuning = Lines(), Tuning(seeds=(0,), control=True, config=config)
    results = evaluate(run, target, protocols=("linear", "knn", "retrieval", "transfer"), tuning=tuning, screen=screen)
    kinds = ["linear", "knn (k=1)", "knn (k=5)", "retrieval", "transfer", "transfer"]
    assert [row["protocol"] for row in results["rows"]] == kinds
    assert {row["split"] for row in results["rows"]} == {"mine"}
    source = read_card(run)[1].skeleton["name"]
    known = sum(j >= 0 for j in match_joints(Skeleton.of(source), target.skeleton))
    line = f"{run}: {known} of the 25 joints of ntu-25-{dims}d.clips (ntu-25) have a counterpart among those of the "
    told = [one for one in screen.notes if not one.startswith("precision ")]
    assert told == [f"{line}pre-training ({source})"] * 2  # of the probes, and of the training
    tuned, control = (read_card(run / row["folder"])[1] for row in results["rows"][-2:])
    assert tuned.data["pretrained_skeleton"] == source
    assert tuned.data["also"][0]["store"] == f"{source}-{dims}d.clips"
    assert not {"pretrained_skeleton", "also"} & set(control.data)
    assert tuned.skeleton["name"] == "ntu-25"
    again = evaluate(run, target, protocols=("transfer",), tuning=tuning)
    assert again["rows"] == results["rows"][-2:]


def test_the_weights_are_the_encoders(stores, runs, tiny_recognise, tmp_path):
    """With a rate of nearly nothing a recogniser on other joints keeps what the pre-training has learned."""
    target = stores["ntu-25", 3]
    s = tiny_recognise(target, epochs=0.3)
    s = s.change(optim=s.optim.change(lr=1e-9))
    recognise("ssl", target, tmp_path, splits=["mine"], pretrained=runs[3], settings=s)
    encoder = load_pretrained(runs[3])[0].encoder.state_dict()
    model, card = load_recogniser(tmp_path)
    torch.testing.assert_close(model.state_dict()["embed.weight"], encoder["embed.weight"], rtol=0, atol=1e-6)
    assert Run(tmp_path).read()["data"]["pretrained_skeleton"] == card.data["pretrained_skeleton"] == "kinect-20"


def test_probes_see_the_encoder_on_the_joints_of_the_data(stores, runs):
    target = stores["ntu-25", 2]
    method, card = load_pretrained(runs[2])
    encoder = bring_over(method.encoder, card, target)
    z = encoder_features(encoder, target, resolve(target, "mine").test, card.input)
    assert z.shape[0] == 6
    assert z.shape[1] % 25 == 0
    assert np.isfinite(z).all()
    assert bring_over(method.encoder, card, stores["coco-17", 2]) is method.encoder


def test_joints_in_another_order(stores, runs, tiny_recognise, tmp_path):
    """The same names in another order are other joints, each of which has its counterpart."""
    coco = Skeleton.of("coco-17")
    order = [*range(16, -1, -1)]
    bones = [(order.index(a), order.index(b)) for a, b in coco.bones]
    turned = made(tmp_path / "turned.clips", Skeleton.make("turned", [coco.joints[i] for i in order], bones), 2)
    screen = Lines()
    settings = tiny_recognise(turned, epochs=0.3)
    recognise("ssl", turned, tmp_path / "run", pretrained=runs[2], settings=settings, screen=screen)
    assert screen.notes[0].endswith("17 of the 17 joints of turned.clips (turned) have a counterpart among those of the "
                                    "pre-training (coco-17)")  # fmt: skip
    card = read_card(runs[2])[1]
    assert counterparts(card, stores["coco-17", 2], "run") is None


@pytest.mark.parametrize("verb", ["recognise", "evaluate"])
def test_what_cannot_be_brought_over(stores, runs, tiny_recognise, tmp_path, verb):
    def call(dims, store):
        if verb == "evaluate":
            return evaluate(runs[dims], store, split="mine")
        return recognise("ssl", store, tmp_path / "run", splits=["mine"], pretrained=runs[dims])

    with pytest.raises(SkeletonError, match=r"the model knows kinect-20 in 3-D, ntu-25-2d.clips holds ntu-25 in 2-D"):
        call(3, stores["ntu-25", 2])
    with pytest.raises(
        SkeletonError, match=r"0 of the 21 joints of hand-21-2d.clips .* there is none for wrist, thumb_"
    ):
        call(2, stores["hand-21", 2])
    assert not (tmp_path / "run").exists()
    assert not (runs[2] / "evaluation.json").exists()


@pytest.mark.parametrize(("known", "fits"), [(3, True), (2, False)])
def test_a_third_is_enough(runs, tmp_path, known, fits):
    names = ["left_wrist", "right_wrist", "nose"][:known] + [f"tail_{n}" for n in range(9 - known)]
    bones = [(n, n + 1) for n in range(8)]
    store = made(tmp_path / "odd.clips", Skeleton.make("odd", names, bones), 2)
    card = read_card(runs[2])[1]
    if fits:
        assert "3 of the 9 joints" in counterparts(card, store, "run")
        return
    with pytest.raises(SkeletonError, match=r"2 of the 9 joints .* a third of them.*none for tail_0, tail_1"):
        counterparts(card, store, "run")


def test_a_recogniser_keeps_to_its_joints(stores, recogniser_run, fixed_store):
    with pytest.raises(SkeletonError, match=r"knows coco-17, ntu-25-2d.clips holds ntu-25. Use a store with the same"):
        evaluate(recogniser_run, stores["ntu-25", 2])


@pytest.mark.parametrize("verb", ["recognise", "evaluate"])
def test_a_way_to_normalise_that_the_data_do_not_allow(stores, pretrained_run, tmp_path, verb):
    """The pre-training went by the size of images, which these data do not say: it has to be done in another way."""
    told = r"not every clip says the size .* the pre-training in .* had it. Pre-train with --input.normalise centre"
    run = shutil.copytree(pretrained_run, tmp_path / "run")
    store = stores["ntu-25", 2]
    calls = {
        "evaluate": lambda: evaluate(run, store, split="mine"),
        "recognise": lambda: recognise("ssl", store, tmp_path / "out", splits=["mine"], pretrained=run),
    }
    with pytest.raises(SettingsError, match=told):
        calls[verb]()
