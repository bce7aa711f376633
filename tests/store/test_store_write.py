import json
import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors import safe_open

from ossein.clip import UNKNOWN, Clip
from ossein.errors import DataError, SkeletonError
from ossein.readers.base import Source
from ossein.store import Store, write_store

FIELDS = ("name", "label", "subject", "camera", "setup", "size", "rate")
NUMBERS = st.integers(UNKNOWN, 60)
LINES = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=6)


@st.composite
def clip_lists(draw):
    dims, clips = draw(st.sampled_from([2, 3])), []
    exact = (
        st.sampled_from([0.0, -0.0, 0.5, 1.0, -2.25])
        if draw(st.booleans())
        else st.floats(-(2.0**99), 2.0**99, width=32)
    )
    for name in draw(st.lists(LINES, min_size=1, max_size=4, unique=True)):
        shape = (draw(st.integers(1, 3)), draw(st.integers(1, 4)), 3)
        score = draw(hnp.arrays(np.float32, shape, elements=st.sampled_from([0, 0.5, 1]) | st.floats(0, 1, width=32)))
        x = draw(hnp.arrays(np.float32, (*shape, dims), elements=exact))
        numbers = {key: draw(NUMBERS) for key in ("label", "subject", "camera", "setup")}
        size = draw(st.none() | st.tuples(st.floats(1, 9e9), st.floats(1, 9e9)))
        clips.append(Clip(x, score, name, **numbers, size=size, rate=draw(st.none() | st.floats(0.1, 1e5))))
    return clips


def same(a: Clip, b: Clip) -> bool:
    return all(getattr(a, key) == getattr(b, key) for key in FIELDS) and all(
        getattr(a, key).shape == getattr(b, key).shape and getattr(a, key).tobytes() == getattr(b, key).tobytes()
        for key in ("x", "score")
    )


@settings(max_examples=40, deadline=None)
@given(clip_lists())
def test_what_is_read_is_what_was_written(build, clips):
    store = Store.open(build(clips).path)
    assert len(store) == len(clips)
    assert store.max_persons == max(clip.num_persons for clip in clips)
    for i, clip in enumerate(clips):
        assert same(store.clip(i), clip)
        assert store.find(clip.name) == i


@pytest.mark.parametrize(("value", "dtype"), [(0.5, "F16"), (2049.0, "F32"), (1e6, "F32"), (6e-8, "F32")])
def test_half_precision_only_where_nothing_is_lost(build, value, dtype):
    clip = Clip(np.full((1, 2, 3, 2), value), np.full((1, 2, 3), 0.1), "a")
    store = build([Clip(np.ones((1, 1, 3, 2)), np.ones((1, 1, 3)), "b"), clip])
    with safe_open(store.path, "numpy") as file:
        assert (file.get_slice("x").get_dtype(), file.get_slice("score").get_dtype()) == (dtype, "F32")
    assert (store.clip(1).x == clip.x).all()


def test_any_safetensors_reader_opens_it(build, random_clip):
    clips = [random_clip(i, persons=i, frames=2 * i + 1, label=i) for i in (1, 2, 3)]
    store = build(clips, splits={"é_train": ("clip 1",)}, classes=tuple("wxyz"), facts={"unit": "metre ½"})
    with safe_open(store.path, "numpy") as file:
        meta, arrays = file.metadata(), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    assert meta["format"] == "ossein-store"
    assert json.loads(meta["classes"]) == list("wxyz")
    assert json.loads(meta["facts"]) == {"unit": "metre ½"}
    assert arrays["names"].tobytes() == b"clip 1\nclip 2\nclip 3"
    assert arrays["split/é_train"].tolist() == [0]
    assert arrays["start"].tolist() == [0, 3, 13]
    rows = np.concatenate([clip.x.reshape(-1, 3, 2) for clip in clips])
    np.testing.assert_array_equal(arrays["x"], rows)
    np.testing.assert_array_equal(arrays["frames"], [3, 5, 7])


def test_every_array_starts_at_a_multiple_of_its_element_size(build):
    store = build([Clip(np.ones((1, 1, 3, 3)), np.ones((1, 1, 3)), "odd")], splits={"all": ("odd",)})
    header = json.loads(store.path.read_bytes()[8 : 8 + int.from_bytes(store.path.read_bytes()[:8], "little")])
    del header["__metadata__"]
    assert len(header) == 14
    for entry in header.values():
        assert entry["data_offsets"][0] % (int(entry["dtype"][1:]) // 8) == 0


def test_the_hash_names_the_content_and_not_the_file(build, random_clip, triangle):
    def made(seed=0, **more):
        return build([random_clip(seed, name="a", label=0), random_clip(9, name="b")], **more)

    same_content = {made().hash, made(facts={"licence": "none"}).hash}
    other = [made(1), made(classes=("wave",)), made(splits={"train": ("a",)}), made(splits={"val": ("a",)})]
    other += [made(splits={"train": ("b",)}), made(skeleton=triangle.permuted([2, 1, 0]))]
    assert len(same_content) == 1
    assert len(same_content | {store.hash for store in other}) == 7


def test_classes_are_numbered_where_nobody_names_them(build, random_clip):
    assert build([random_clip(1, label=2), random_clip(2)]).classes == ("class_00", "class_01", "class_02")
    assert build([random_clip(1)]).classes == ()


def test_what_the_caller_says_wins(tmp_path, random_clip, triangle):
    source = Source(clips=iter([random_clip(1, label=0)]), num_clips=7, classes=("nod",))
    seen = []
    store = write_store(
        source, tmp_path / "a", skeleton=triangle, classes=["wave"], progress=lambda *now: seen.append(now)
    )
    assert (store.classes, store.skeleton, seen) == (("wave",), triangle, [(1, 7)])


def test_splits_keep_known_names_and_tell_what_they_lost(build, random_clip):
    store = build(
        [random_clip(i) for i in range(3)],
        splits={
            "train": ("clip 2", "gone", "clip 0", "lost"),
            "val": ("clip 1",),
            "none": (),
            "lost": ("x",),
            "twice": ("clip 1",) * 3,
        },
        facts={"unit": "metre"},
    )
    assert {name: members.tolist() for name, members in store.splits.items()} == {
        "train": [2, 0],
        "val": [1],
        "twice": [1],
    }
    assert store.facts == {
        "unit": "metre",
        "split train": "2 names without a clip",
        "split none": "left out, it lists no clip",
        "split lost": "1 names without a clip, left out, it lists no clip",
        "split twice": "2 names listed twice",
    }


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ({}, {"name": "clip 0"}, "two clips are called 'clip 0'"),
        ({}, {"dims": 3}, "clip 'clip 1' has 3 coordinates a joint, those before it 2"),
        ({"name": "a\nb"}, {}, "not one line of text"),
        ({"name": "\udc80"}, {}, "not one line of text"),
        ({}, {"label": -2}, "clip 'clip 1' has label -2"),
        ({}, {"subject": 2**31}, "has subject 2147483648"),
        ({}, {"label": 2}, "clip 'clip 1' has label 2, but there are 2 class names"),
    ],
)
def test_clips_that_do_not_go_together(build, random_clip, first, second, words):
    with pytest.raises(DataError, match=re.escape(words)):
        build([random_clip(0, **first), random_clip(1, **second)], classes=("nod", "wave"))


def test_other_sources_that_cannot_be_stored(build, random_clip, tmp_path, triangle):
    with pytest.raises(DataError, match="no clip to store"):
        build([])
    with pytest.raises(SkeletonError, match=r"--skeleton NAME or --skeleton FILE.yaml"):
        build([random_clip(0)], skeleton=None)
    with pytest.raises(SkeletonError, match="clip 'four': 4 joints, expected 3"):
        build([Clip(np.ones((1, 1, 4, 2)), np.ones((1, 1, 4)), "four")])
    with pytest.raises(DataError, match="label 100000, but there are 0 class names"):
        build([random_clip(0, label=100_000)])
    with pytest.raises(DataError, match="not text that a file can hold"):
        build([random_clip(0)], classes=("\ud800",))
    with pytest.raises(DataError, match="is a folder"):
        write_store(Source(clips=iter([random_clip(0)]), skeleton=triangle), tmp_path)


@pytest.mark.parametrize("failure", [DataError("torn"), KeyboardInterrupt(), ZeroDivisionError()])
def test_an_interrupted_write_leaves_the_old_store_and_nothing_else(tmp_path, random_clip, triangle, failure):
    def torn():
        yield random_clip(1)
        raise failure

    path = tmp_path / "set.clips"
    with pytest.raises(type(failure)):
        write_store(Source(clips=torn(), skeleton=triangle), path)
    assert list(tmp_path.iterdir()) == []
    old = write_store(Source(clips=iter([random_clip(0)]), skeleton=triangle), path)
    before = path.read_bytes()
    with pytest.raises(type(failure)):
        write_store(Source(clips=torn(), skeleton=triangle), path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before
    write_store(Source(clips=iter([random_clip(5)]), skeleton=triangle), path)
    assert same(old.clip(0), random_clip(0))  # what was mapped stays readable
    assert same(Store.open(path).clip(0), random_clip(5))


def test_a_full_disk_is_said_in_words(tmp_path, random_clip, triangle, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ossein.store.write.encode_header", full)
    with pytest.raises(DataError, match="No space left on device"):
        write_store(Source(clips=iter([random_clip(1)]), skeleton=triangle), tmp_path / "set.clips")
    assert list(tmp_path.iterdir()) == []


def test_writing_holds_a_few_clips_in_ram_and_no_more(tmp_path, triangle):
    x, score = np.random.default_rng(0).normal(size=(1, 20_000, 3, 3)).astype(np.float32), np.ones((1, 20_000, 3))
    clips = (Clip(x, score, str(i)) for i in range(40))
    tracemalloc.start()
    store = write_store(Source(clips=clips, skeleton=triangle), tmp_path / "large.clips")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert store.path.stat().st_size > 32e6
    assert peak < 16e6
