"""Bundles: exact, free of code, and plain about what is wrong with one."""

import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch

from ossein.deploy import load, load_pretrained, load_recogniser, read_card, write_bundle
from ossein.errors import BundleError
from ossein.train import read_tensors, write_tensors


@pytest.fixture
def bundle(recogniser_run, tmp_path) -> Path:
    """A bundle to spoil."""
    return Path(shutil.copytree(recogniser_run / "bundle", tmp_path / "bundle"))


def test_all_comes_back_to_the_bit(recogniser_run, pretrained_run, tmp_path):
    for number, (run, read) in enumerate(((recogniser_run, load_recogniser), (pretrained_run, load_pretrained))):
        model, card = read(run)
        write_bundle(tmp_path / str(number), card, model)
        again, same = read(tmp_path / str(number))
        assert same == card
        assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values()))
        assert not again.training
        for name in ("model.safetensors", "bundle.json"):
            assert (tmp_path / str(number) / name).read_bytes() == (run / "bundle" / name).read_bytes()


def test_what_a_card_says(recogniser_run, fixed_store):
    folder, card = read_card(recogniser_run)
    assert folder == recogniser_run / "bundle"
    assert read_card(folder) == (folder, card)
    assert (card.kind, card.preset, card.dims) == ("recogniser", "ssl", 2)
    assert card.classes == ("rest", "walk", "run", "jump")
    assert card.skeleton["joints"] == list(fixed_store.skeleton.joints)
    assert (card.data["hash"], card.data["split"], card.data["seen"]) == (fixed_store.hash, "half", "0-11")
    assert 0 <= card.metrics["top1"] <= 1
    assert card.made_by["versions"]["torch"]


def test_there_is_no_code_in_it(recogniser_run, bundle):
    assert sorted(path.name for path in (recogniser_run / "bundle").iterdir()) == ["bundle.json", "model.safetensors"]
    raw = (bundle / "model.safetensors").read_bytes()
    head = int.from_bytes(raw[:8], "little")
    json.loads(raw[8 : 8 + head])  # a header of JSON, and behind it numbers alone
    json.loads((bundle / "bundle.json").read_text())


def test_a_pickle_beside_it_is_never_opened(bundle, tmp_path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    for name in ("model.pt", "pytorch_model.bin", "model.pkl", "checkpoint.safetensors", "bundle.pkl", "model.ckpt"):
        (bundle / name).write_bytes(pickle.dumps(Evil()))
    load(bundle)
    assert not (tmp_path / "ran").exists()
    (bundle / "model.safetensors").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(BundleError, match=r"cannot be read"):
        load(bundle)
    assert not (tmp_path / "ran").exists()


def change_card(bundle, **fields):
    card = json.loads((bundle / "bundle.json").read_text())
    (bundle / "bundle.json").write_text(json.dumps({k: v for k, v in {**card, **fields}.items() if v is not ...}))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"format": "other"}, "format"),
        ({"version": 2}, "version"),
        ({"kind": "teacher"}, "kind"),
        ({"kind": ...}, "kind"),
        ({"classes": ()}, "recogniser model with 0 classes"),
        ({"dims": 4}, "dims"),
        ({"skeleton": {"name": "x"}}, "joints"),
        ({"skeleton": {"name": "x", "joints": 3, "bones": [[0, 1]]}}, "skeleton"),
        ({"skeleton": {"name": "x", "joints": ["a", "b"], "bones": []}}, "hangs on no bone"),
        ({"input": {"frames": -1}}, "input.frames"),
        ({"input": {"framez": 8}}, "Did you mean 'frames'"),
        ({"model": {"kind": "strl", "layers": 0}}, "field 'model.layers'"),
        ({"model": {"kind": "strl", "kernel": 4}}, "field 'model.kernel'"),
        ({"model": {"kind": "strl", "layerz": 4}}, "unknown field 'model.layerz'. Did you mean 'layers'"),
        ({"model": {"kind": "stlr"}}, "field 'model.kind': no recogniser is called 'stlr' here. Did you mean 'strl'?"),
        ({"model": {"kind": "skeletonmae"}}, "no recogniser is called 'skeletonmae' here. Known: strl, stgcn, reader"),
        ({"model": {"layers": 4}}, "field 'model.kind' is missing"),
        ({"model": []}, "model"),
        ({"data": {}}, "'seen'"),
        ({"data": {"store": "a", "hash": "b", "split": "c", "seen": "0-x"}}, "'seen'"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_damaged_card(bundle, fields, told):
    change_card(bundle, **fields)
    with pytest.raises(BundleError, match=r"bundle\.json") as error:
        load(bundle)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '"text"', "\x00\xff"])
def test_a_card_that_is_none(bundle, text):
    (bundle / "bundle.json").write_text(text, encoding="latin1")
    with pytest.raises(BundleError, match=r"bundle\.json"):
        load(bundle)


def test_no_bundle(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(BundleError, match=r"holds no bundle \(bundle.json is missing\)"):
            load(path)


def test_a_folder_of_runs_names_them(bundle, tmp_path):
    runs = tmp_path / "runs"
    for subject in (3, 1, 2, 5, 4):
        shutil.copytree(bundle, runs / f"loso-{subject}-seed0" / "bundle")
    with pytest.raises(BundleError) as error:
        load(runs)
    assert str(error.value) == (
        f"{runs}: holds no bundle but 5 runs: loso-1-seed0, loso-2-seed0, loso-3-seed0, loso-4-seed0 and 1 more. "
        f"Name one of them, such as {runs / 'loso-1-seed0'}."
    )
    load(runs / "loso-1-seed0")


@pytest.mark.parametrize(
    ("names", "fuses"), [(("a-seed0", "a-seed1"), True), (("a-seed0", "b-seed0"), False), (("a", "b"), False)]
)
def test_seeds_of_one_split_can_be_fused(bundle, tmp_path, names, fuses):
    for name in names:
        shutil.copytree(bundle, tmp_path / "runs" / name / "bundle")
    with pytest.raises(BundleError, match=rf"holds no bundle but 2 runs: {names[0]}, {names[1]}\.") as error:
        read_card(tmp_path / "runs")
    assert (f"ossein fuse STORE {tmp_path / 'runs'}" in str(error.value)) == fuses


@pytest.mark.parametrize("keep", [0, 7, 200, -4])
def test_weights_cut_short(bundle, keep):
    file = bundle / "model.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(BundleError, match=r"model\.safetensors: cannot be read"):
        load(bundle)


def test_no_weights(bundle):
    (bundle / "model.safetensors").unlink()
    with pytest.raises(BundleError, match=r"model\.safetensors: cannot be read"):
        load(bundle)


def spoil(bundle, change):
    tensors, metadata = read_tensors(bundle / "model.safetensors")
    change(tensors)
    write_tensors(bundle / "model.safetensors", tensors, metadata)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda w: w.pop("embed.bias"), "weight 'embed.bias' is missing"),
        (lambda w: w.update(more=torch.ones(1)), "weight 'more' is unknown"),
        (lambda w: w.update({"embed.bias": torch.ones(3)}), r"weight 'embed.bias' has shape \[3\], expected \[8\]"),
        (lambda w: w["head.0.weight"][2].fill_(torch.nan), "weight 'head.0.weight' is not finite"),
        (lambda w: w["position"][0, 0].fill_(-torch.inf), "weight 'position' is not finite"),
    ],
)
def test_damaged_weights(bundle, change, told):
    spoil(bundle, change)
    with pytest.raises(BundleError, match=rf"model\.safetensors: {told}"):
        load(bundle)


def test_the_wrong_kind(recogniser_run, pretrained_run):
    with pytest.raises(BundleError, match=r"holds a pre-trained encoder, which names no classes yet"):
        load(pretrained_run)
    with pytest.raises(BundleError, match=r"holds a recogniser, expected a pre-trained encoder"):
        load_pretrained(recogniser_run)
