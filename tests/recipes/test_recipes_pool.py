"""Pre-training on several stores: which clips it learns from, what it writes down, and what is refused afterwards."""

import json

import numpy as np
import pytest
import torch

from ossein.clip import Clip
from ossein.deploy import load_pretrained, read_card
from ossein.errors import BundleError, DataError, SettingsError, SkeletonError
from ossein.readers.base import Source
from ossein.recipes.evaluate import evaluate
from ossein.recipes.pool import Also, Pool
from ossein.recipes.presets import Facts, skeletonmae
from ossein.recipes.pretrain import pretrain
from ossein.recipes.recognise import recognise
from ossein.recipes.seen import learned_of, readable, refuse_seen, seen
from ossein.skeleton import Skeleton
from ossein.store import Several, resolve, write_store
from ossein.train import Run

NTU = Skeleton.of("ntu-25")


def walks(num, skeleton, dims=2, seed=0, persons=1, dtype=np.float32):
    """Random walks, the first half of them called a0, a1 ..., the others b0, b1 ..."""
    clips = []
    for n in range(num):
        rng = np.random.default_rng([seed, n])
        x = rng.normal(size=(persons, 5 + n % 4, len(skeleton), dims)).cumsum(1).astype(dtype)
        name = f"a{n}" if n < num // 2 else f"b{n - num // 2}"
        clips.append(Clip(x, np.ones(x.shape[:3]), name, label=n % 2))
    return clips


def stored(path, clips, skeleton):
    """A store whose split `part` trains on clips a0, a1 ..."""
    names = [clip.name for clip in clips]
    splits = {f"part_{side}": tuple(n for n in names if n[0] == a) for side, a in (("train", "a"), ("test", "b"))}
    facts = {"license": f"that of {path.name}"}
    return write_store(Source(iter(clips), skeleton=skeleton, classes=("x", "y"), splits=splits, facts=facts), path)


@pytest.fixture(scope="module")
def ntu(tmp_path_factory):
    """Twelve 2-D clips of NTU's joints, six of them to train on, as float16."""
    store = stored(tmp_path_factory.mktemp("b") / "ntu.clips", walks(12, NTU, dtype=np.float16), NTU)
    assert store.x.dtype == np.float16
    return store


@pytest.fixture(scope="module")
def solid(tmp_path_factory):
    """Four 3-D clips."""
    return stored(tmp_path_factory.mktemp("c") / "solid.clips", walks(4, NTU, dims=3), NTU)


@pytest.fixture(scope="module")
def joined(fixed_store, ntu, solid, tiny_pretrain, tmp_path_factory):
    """A pre-training on the half of one store, the half of another, and all of a third."""
    out = tmp_path_factory.mktemp("runs") / "joined"
    settings = centred(tiny_pretrain(fixed_store, epochs=1))
    also = (Also(ntu, "part"), Also(solid))
    pretrain("skeletonmae", fixed_store, out, splits=["half"], also=also, settings=settings)
    return out


def centred(settings):
    return settings.change(input=settings.input.change(normalise="centre"))


def copies(source, numbers, path, more=()):
    """A store of clips of another one, called a0, b1, a2 ..., and of more clips."""
    same = [source.clip(i) for i in numbers]
    clips = [Clip(c.x, c.score, f"{'ab'[n % 2]}{n}", n % 2, size=c.size) for n, c in enumerate(same)]
    return stored(path, [*clips, *more], source.skeleton)


def test_which_clips_are_learned_from(fixed_store, ntu, solid):
    pool = Pool(fixed_store, (Also(ntu, "part"), Also(solid)))
    assert isinstance(pool.rows, Several)
    names = [pool.rows.names[i] for i in pool.clips(np.arange(12))]
    wanted = [f"fixed.clips:clip {i}" for i in range(12)] + [f"ntu.clips:a{i}" for i in range(6)]
    wanted += [f"solid.clips:{name}@{view}" for view in range(3) for name in ("a0", "a1", "b0", "b1")]
    assert names == wanted
    alone = Pool(fixed_store)
    assert alone.rows is fixed_store
    assert alone.clips(np.arange(3)).tolist() == [0, 1, 2]
    assert alone.lines(np.arange(3)) == []
    assert (
        pool.lines(np.arange(12))[2] == "solid.clips: 4 of 4 clips in 3 pictures each, 13 of the 17 joints of coco-17"
    )


def test_no_test_clip_comes_by_way_of_another_store(fixed_store, tmp_path):
    """Whichever of the two holds it back; and a clip that both train on is learned from once."""
    own = [Clip(c.x, c.score, f"a{5 + i}", 0) for i, c in enumerate(walks(4, fixed_store.skeleton))]
    # a0, a2 and a4 are clips 3, 14 and 5, to train on; b1 and b3 are clips 4 and 15, to test on.
    other = copies(fixed_store, [3, 4, 14, 15, 5], tmp_path / "o.clips", own)
    pool = Pool(fixed_store, [Also(other, "part")])
    names = [pool.rows.names[i] for i in pool.clips(np.arange(12))]
    assert names == [f"fixed.clips:clip {i}" for i in range(12) if i != 4] + [f"o.clips:a{i}" for i in (5, 6, 7, 8)]
    data = pool.record("half", np.arange(12))
    assert (data["clips"], data["seen"]) == (11, "0-11")
    assert (data["also"][0]["clips"], data["also"][0]["seen"]) == (4, "0,2,4-8")
    assert [line.partition(",")[0] for line in pool.lines(np.arange(12))] == [
        "fixed.clips: 11 of 12 clips",
        "o.clips: 4 of 7 clips",
    ]
    # Every clip of the other store: then it tests nothing, and the first store keeps its training half.
    pool = Pool(fixed_store, [Also(other)])
    names = [pool.rows.names[i] for i in pool.clips(np.arange(12))]
    assert names == [f"fixed.clips:clip {i}" for i in range(12)] + [f"o.clips:a{i}" for i in (5, 6, 7, 8)]
    assert pool.record("half", np.arange(12))["also"][0]["seen"] == "0-8"


def test_a_store_that_brings_nothing(fixed_store, tmp_path):
    same = copies(fixed_store, range(6), tmp_path / "same.clips")
    with pytest.raises(DataError, match=r"same.clips: gives no clip"):
        Pool(fixed_store, [Also(same)]).clips(np.arange(12))
    with pytest.raises(DataError, match=r"same.clips: holds the same as"):
        Pool(same, [Also(same)])
    own = walks(2, fixed_store.skeleton)[1:]
    mixed = copies(fixed_store, [14, 2], tmp_path / "mixed.clips", own)
    with pytest.raises(DataError, match=r"mixed.clips: every clip is in another store.*Leave the store out"):
        Pool(fixed_store, [Also(mixed, "part")]).clips(np.arange(12))


def test_words_for_stores(ntu, tmp_path, monkeypatch):
    monkeypatch.chdir(ntu.path.parent)
    for word, split in (("ntu.clips", "all"), ("ntu.clips:part", "part"), (f"{ntu.path}:part_train", "part_train")):
        also = Also.read(word)
        assert (also.store.hash, also.split, str(also)) == (ntu.hash, split, word)
    assert Also.read("ntu.clips:part_train:part_test").split == "part_train:part_test"
    odd = stored(tmp_path / "a:b.clips", walks(4, NTU, seed=3), NTU)
    assert Also.read(f"{odd.path}:part").store.hash == odd.hash
    with pytest.raises(DataError, match=r"nowhere.clips:part: "):
        Also.read("nowhere.clips:part")
    with pytest.raises(DataError, match=r"no split is called 'prat'. Did you mean 'part'"):
        Pool(odd, [Also.read("ntu.clips:prat")])


def test_what_a_run_on_several_writes_down(joined, fixed_store, ntu, solid):
    record, card = Run(joined).read(), read_card(joined)[1]
    assert record["also"] == [f"{ntu.path}:part", str(solid.path)]
    assert json.loads(json.dumps(readable(card.data))) == record["data"]
    assert (card.data["store"], card.data["hash"], card.data["seen"]) == ("fixed.clips", fixed_store.hash, "0-11")
    half, whole = card.data["also"]
    assert readable(half) == {
        "store": "ntu.clips", "hash": ntu.hash, "split": "part", "clips": 6, "seen": "0-5", "views": 1, "joints": 13,
        "facts": {"license": "that of ntu.clips"},
    }  # fmt: skip
    assert (whole["hash"], whole["clips"], whole["seen"], whole["views"]) == (solid.hash, 4, "0-3", 3)
    assert learned_of(card.data, ntu) == half
    assert card.skeleton["name"] == "coco-17"
    assert len(Run(joined).log_lines()) == -(-(12 + 6 + 3 * 4) // 5)


def test_it_learns_from_all_of_them(joined, fixed_store, ntu, tiny_pretrain, tmp_path):
    """Other clips in what it learns from make other weights, other clips in what it leaves out do not."""
    weights = {}
    for name, change in (("one", ()), ("train", (2,)), ("test", (9,))):
        clips = walks(12, NTU)
        fresh = walks(12, NTU, seed=1)
        clips = [fresh[i] if i in change else clip for i, clip in enumerate(clips)]
        other = stored(tmp_path / f"{name}.clips", clips, NTU)
        settings = centred(tiny_pretrain(fixed_store, epochs=1))
        out = tmp_path / name
        pretrain("skeletonmae", fixed_store, out, splits=["half"], also=[Also(other, "part")], settings=settings)
        weights[name] = torch.cat([w.flatten() for w in load_pretrained(out)[0].state_dict().values()])
    assert torch.equal(weights["one"], weights["test"])
    assert not torch.equal(weights["one"], weights["train"])


def test_what_presets_are_told(fixed_store, ntu, solid):
    """Of the whole: no picture of a 3-D clip has a size, and the most persons are those of any store."""

    def facts_of(pool, train):
        return Facts.of(pool.rows, pool.clips(train))

    alone = facts_of(Pool(fixed_store), np.arange(12))
    assert (alone.persons, alone.has_sizes, alone.num_train) == (2, True, 12)
    facts = facts_of(Pool(fixed_store, [Also(ntu), Also(solid)]), np.arange(12))
    assert (facts.skeleton, facts.dims, facts.persons) == (fixed_store.skeleton, 2, 2)
    assert (facts.has_sizes, facts.num_train) == (False, 12 + 12 + 12)
    assert skeletonmae(facts).input.normalise == "centre"
    assert facts_of(Pool(ntu, [Also(fixed_store)]), np.arange(6)).persons == 2


def test_settings_that_do_not_fit_the_others(fixed_store, ntu, tiny_pretrain, tmp_path):
    call = {"splits": ["half"], "also": [Also(ntu)], "settings": tiny_pretrain(fixed_store)}
    with pytest.raises(SettingsError, match=r"fixed.clips\+ntu.clips: not every clip says the size of its image"):
        pretrain("skeletonmae", fixed_store, tmp_path / "run", **call)
    hand = Skeleton.of("hand-21")
    fingers = stored(tmp_path / "hand.clips", walks(4, hand), hand)
    with pytest.raises(SkeletonError, match=r"no joint of 'hand-21' is one of 'coco-17'"):
        pretrain("skeletonmae", fixed_store, tmp_path / "run", **{**call, "also": [Also(fingers)]})
    assert not (tmp_path / "run").exists()


def test_going_on_with_other_stores(joined, fixed_store, ntu, solid, tiny_pretrain):
    settings = centred(tiny_pretrain(fixed_store, epochs=1))
    call = {"splits": ["half"], "settings": settings, "resume": True}
    pretrain("skeletonmae", fixed_store, joined, also=(Also(ntu, "part"), Also(solid)), **call)
    for also in ((), (Also(ntu), Also(solid)), (Also(solid), Also(ntu, "part"))):
        with pytest.raises(SettingsError, match=r"cannot go on, 'data"):
            pretrain("skeletonmae", fixed_store, joined, also=also, **call)


def test_clips_of_every_store_count_as_seen(joined, fixed_store, ntu, solid, synthetic_store):
    data = read_card(joined)[1].data
    assert seen(data, fixed_store).tolist() == list(range(12))
    assert seen(data, ntu).tolist() == list(range(6))
    assert seen(data, solid).tolist() == list(range(4))
    assert seen(data, synthetic_store()).tolist() == []
    refuse_seen(data, ntu, np.arange(6, 12), "the run")
    with pytest.raises(
        DataError, match=r"seen 2 of the 4 test clips, such as 'a4'.*the training half of 'part' of ntu"
    ):
        refuse_seen(data, ntu, np.arange(4, 8), "the run")
    with pytest.raises(DataError, match=r"learned from all clips of solid.clips too.*--also FILE:SPLIT"):
        refuse_seen(data, solid, np.arange(2), "the run")
    with pytest.raises(DataError, match=r"It learned from --split half; choose"):
        refuse_seen(data, fixed_store, np.arange(12), "the run")


def test_what_another_store_gave_is_no_test(joined, fixed_store, ntu, tiny_pretrain, tiny_recognise, tmp_path):
    """Neither of a recogniser nor of a probe, unless its half was left out; then the protocols take that split."""
    settings = centred(tiny_recognise(ntu, epochs=0.3))
    call = {"pretrained": joined, "settings": settings}
    with pytest.raises(DataError, match=r"has seen 6 of the 6 test clips.*of ntu.clips too"):
        recognise("ssl", ntu, tmp_path / "x", splits=["part_test:part_train"], **call)
    recognise("ssl", ntu, tmp_path / "run", splits=["part"], **call)
    assert {row["split"] for row in evaluate(joined, ntu, protocols=("knn",))["rows"]} == {"part"}
    with pytest.raises(DataError, match=r"has seen 6 of the 6 test clips"):
        evaluate(joined, ntu, split="part_test:part_train")
    settings = centred(tiny_pretrain(fixed_store, epochs=0.3))
    pretrain("skeletonmae", fixed_store, tmp_path / "all", splits=["half"], also=[Also(ntu)], settings=settings)
    with pytest.raises(DataError, match=r"learned from every clip of ntu.clips, which leaves none to test on"):
        evaluate(tmp_path / "all", ntu)


def test_a_recogniser_remembers_what_its_start_has_seen(joined, fixed_store, ntu, solid, tiny_recognise, tmp_path):
    settings = centred(tiny_recognise(ntu, epochs=0.3))
    recognise("ssl", ntu, tmp_path, splits=["part"], pretrained=joined, labels="1-per-class", settings=settings)
    data = read_card(tmp_path)[1].data
    assert (data["hash"], data["clips"], data["seen"]) == (ntu.hash, 2, "0-5")
    assert [one["hash"] for one in data["also"]] == [fixed_store.hash, solid.hash]
    assert seen(data, fixed_store).tolist() == list(range(12))
    assert Run(tmp_path).read()["data"] == json.loads(json.dumps(readable(data)))


ENTRY = {"store": "a", "hash": "b", "split": "c", "seen": "0"}


@pytest.mark.parametrize(
    "also",
    [
        *(3, [3], [{}], [ENTRY | {"seen": "-"}], [ENTRY | {"digests": 3}]),
        *([ENTRY | {"digests": "AAAA"}], [ENTRY | {"digests": "?AAAAAAAAAAA"}]),
    ],
)
def test_a_damaged_record(joined, tmp_path, also):
    card = json.loads((joined / "bundle" / "bundle.json").read_text())
    card["data"]["also"] = also
    (tmp_path / "bundle.json").write_text(json.dumps(card))
    with pytest.raises(BundleError, match=r"each entry of 'also'"):
        read_card(tmp_path)


def test_folds_with_other_stores(fixed_store, ntu, tiny_pretrain, tmp_path):
    settings = centred(tiny_pretrain(fixed_store, epochs=0.3))
    runs = pretrain("skeletonmae", fixed_store, tmp_path, splits=["a?"], also=[Also(ntu)], settings=settings)
    for run, split in zip(runs, ("a1", "a2"), strict=True):
        data = read_card(run.folder)[1].data
        train = resolve(fixed_store, split).train
        assert seen(data, fixed_store).tolist() == train.tolist()
        assert data["also"][0]["clips"] == 12
