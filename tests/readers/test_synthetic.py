from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from ossein.clip import Clip
from ossein.errors import SettingsError
from ossein.readers.body import NUM_CHANNELS, Body, Pose, place, rotation
from ossein.readers.motion import ACTIONS
from ossein.readers.synthetic import SyntheticSettings, synthetic

PERFECT = {"jitter": 0.0, "miss": 0.0, "drop": 0.0, "swap": 0.0}
STIFF = [
    (7, 9),
    (5, 7),
    (8, 10),
    (6, 8),
    (13, 15),
    (11, 13),
    (14, 16),
    (12, 14),
    (5, 6),
    (11, 12),
    (0, 1),
    (1, 3),
    (1, 2),
]
REVERSED = [
    ("raise arm", "lower arm"),
    ("circle clockwise", "circle counter-clockwise"),
    ("push", "pull"),
    ("bow", "rise from a bow"),
    ("sit down", "stand up"),
    ("step left", "step right"),
]


def clips(num, **fields) -> list[Clip]:
    return list(synthetic(SyntheticSettings(clips=num, **fields)).clips)


def same(a: Clip, b: Clip) -> bool:
    return (a.name, a.label, a.subject, a.size) == (b.name, b.label, b.subject, b.size) and (
        np.array_equal(a.x, b.x) and np.array_equal(a.score, b.score)
    )


def body_frames(clip: Clip, num: int = 16) -> np.ndarray:
    """Gaps filled, hips at 0, torso of length 1, resampled: [num V C]."""
    x, seen, t = clip.x[0].astype(float), clip.score[0] > 0, np.arange(clip.num_frames)
    at = np.linspace(0, clip.num_frames - 1, num)
    out = np.zeros((num, *x.shape[1:]))
    for v in range(x.shape[1]):
        if seen[:, v].any():
            for c in range(x.shape[2]):
                out[:, v, c] = np.interp(at, t[seen[:, v]], x[seen[:, v], v, c])
    out -= out[:, 11:13].mean(1, keepdims=True)
    return out / np.linalg.norm(out[:, 5:7].mean(1), axis=-1).max()


@pytest.fixture(scope="module")
def data():
    source = synthetic(SyntheticSettings())
    made = list(source.clips)
    frames = np.stack([body_frames(clip) for clip in made])
    train = np.isin([clip.name for clip in made], source.splits["xsub_train"])
    return source, made, frames, np.array([clip.label for clip in made]), train


def test_what_the_source_says_is_so(data):
    source, made, _, label, _ = data
    assert source.num_clips == len(made) == len({clip.name for clip in made}) == 1200
    assert source.skeleton is not None
    assert source.skeleton.name == "coco-17"
    assert source.classes == tuple(ACTIONS)
    assert set(source.splits) == {"xsub_train", "xsub_val"}
    counts = np.bincount(label, minlength=len(source.classes))
    assert counts.min() >= counts.max() - 1
    for clip in made:
        assert clip.fit(source.skeleton).num_persons == 1
        assert 30 <= clip.num_frames <= 80
        assert clip.size in ((1280, 720), (640, 480))
        assert (clip.score > 0).any()


def test_no_subject_is_on_both_sides_of_the_split(data):
    source, made, *_ = data
    sides = [{clip.subject for clip in made if clip.name in set(names)} for names in source.splits.values()]
    assert not sides[0] & sides[1]
    assert (len(sides[0]), len(sides[1])) == (20, 10)
    assert sorted(n for names in source.splits.values() for n in names) == [clip.name for clip in made]


def test_class_is_not_given_by_the_subject_or_the_length(data):
    _, made, _, label, _ = data
    facts = np.array([[clip.subject, clip.num_frames] for clip in made])
    forest = ExtraTreesClassifier(50, random_state=0).fit(facts[:800], label[:800])
    assert forest.score(facts[800:], label[800:]) < 2 / len(ACTIONS)


def test_absent_joints_are_zero_and_about_as_many_as_asked_for(data):
    _, made, *_ = data
    score = np.concatenate([clip.score.ravel() for clip in made])
    x = np.concatenate([clip.x.reshape(-1, 2) for clip in made])
    assert (x[score == 0] == 0).all()
    assert (x[score > 0] > 0).all()
    assert 0.045 < (score == 0).mean() < 0.075
    frames = np.concatenate([(clip.score == 0).all(2).ravel() for clip in made])
    assert 0.012 < frames.mean() < 0.028


def test_every_joint_is_inside_the_image(data):
    _, made, *_ = data
    for clip in made:
        assert clip.size is not None
        assert clip.x.min() >= 0
        assert (clip.x <= np.array(clip.size)).all()


def test_time_is_needed_and_few_labels_do_not_do(data):
    _, _, frames, label, train = data
    rng = np.random.default_rng(0)
    order = rng.permutation(np.flatnonzero(train))
    few = np.concatenate([order[label[order] == k][:10] for k in range(len(ACTIONS))])
    moves = np.diff(frames, axis=1)
    features = np.concatenate([frames.reshape(len(frames), -1), moves.reshape(len(moves), -1)], 1)
    model = make_pipeline(StandardScaler(), LinearSVC(C=0.01, random_state=0)).fit(features[few], label[few])
    accuracy = model.score(features[~train], label[~train])
    assert 4 / len(ACTIONS) < accuracy < 0.8
    still = frames.mean(1).reshape(len(frames), -1)
    forest = ExtraTreesClassifier(50, random_state=0).fit(still[train], label[train])
    assert forest.score(still[~train], label[~train]) < 0.45


def test_reversed_pairs_cannot_be_told_by_their_poses_but_by_their_order(data):
    source, _, frames, label, train = data
    spread = np.concatenate([frames.mean(1), frames.std(1)], 1).reshape(len(frames), -1)
    order = (frames[:, 8:].mean(1) - frames[:, :8].mean(1)).reshape(len(frames), -1)
    blind, told = [], []
    for pair in REVERSED:
        labels = [source.classes.index(name) for name in pair]
        here, there = np.isin(label, labels) & train, np.isin(label, labels) & ~train
        for features, hits in ((spread, blind), (order, told)):
            forest = ExtraTreesClassifier(50, random_state=0).fit(features[here], label[here])
            hits.extend(forest.predict(features[there]) == label[there])
    # Some 260 clips: the standard error at chance is 0.03.
    assert abs(np.mean(blind) - 0.5) < 0.1
    assert np.mean(told) > 0.75


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), num=st.integers(1, 12), more=st.integers(0, 30))
def test_same_seed_same_clips_and_more_clips_keep_the_earlier_ones(seed, num, more):
    few, many = clips(num, seed=seed), clips(num + more, seed=seed)
    assert all(same(a, b) for a, b in zip(few, many))
    short, long = (synthetic(SyntheticSettings(clips=n, seed=seed)).splits for n in (num, num + more))
    assert all(long[key][: len(short[key])] == short[key] for key in short)


def test_clips_are_made_as_they_are_asked_for():
    source = synthetic(SyntheticSettings(clips=100_000))
    assert [clip.name for clip in islice(source.clips, 2)] == ["synthetic-000000", "synthetic-000001"]


def test_other_seeds_are_other_clips():
    a, b = clips(3, seed=1), clips(3, seed=2)
    assert not any(same(x, y) for x, y in zip(a, b))


def test_bones_keep_their_length_in_space():
    for clip in clips(36, dims=3, **PERFECT):
        assert clip.size is None
        assert (clip.score > 0).all()
        lengths = np.stack([np.linalg.norm(clip.x[0, :, a] - clip.x[0, :, b], axis=-1) for a, b in STIFF], 1)
        np.testing.assert_allclose(lengths, np.broadcast_to(lengths[:1], lengths.shape), atol=1e-4)
        assert 0.15 < lengths[0, :8].min() < lengths[0, :8].max() < 0.65


def test_people_stand_upright_and_in_front_of_the_camera():
    for clip in clips(18, dims=3, **PERFECT):
        if ACTIONS["bow"].move is not list(ACTIONS.values())[clip.label].move:
            assert (clip.x[0, :, 0, 1] > clip.x[0, :, 11:13, 1].mean(1)).all()
        assert (clip.x[0, :, 11:, 1].min(1) < clip.x[0, :, 5, 1]).all()
        assert (clip.x[..., 2] > 1).all()


def test_left_is_left_in_the_image_of_someone_who_faces_the_camera():
    first = [clip for clip in clips(60, **PERFECT) if (clip.score > 0).all()]
    # In pixels the left shoulder of a person who faces the camera is to the right, as is the nose in front of the ears.
    faces = [clip.x[0, 0, 5, 0] > clip.x[0, 0, 6, 0] for clip in first]
    assert np.mean(faces) > 0.75
    assert all(clip.x[0, 0, 0, 1] < clip.x[0, 0, 15:, 1].min() for clip in first)


def test_jitter_drifts_and_is_larger_where_the_score_is_low():
    clean, noisy = clips(40, dims=3, **PERFECT), clips(40, dims=3, **{**PERFECT, "jitter": 0.02})
    error = [b.x[0] - a.x[0] for a, b in zip(clean, noisy)]
    now = np.concatenate([e[1:].ravel() for e in error])
    before = np.concatenate([e[:-1].ravel() for e in error])
    assert np.corrcoef(now, before)[0, 1] > 0.3
    size = np.concatenate([np.abs(e[..., 0]).ravel() for e in error])
    score = np.concatenate([clip.score[0].ravel() for clip in noisy])
    low, high = np.quantile(score, [0.1, 0.9])
    assert size[score < low].mean() > 1.3 * size[score > high].mean()


def test_jitter_none_and_some_have_the_same_scores():
    assert all(
        np.array_equal(a.score, b.score) for a, b in zip(clips(5, dims=3), clips(5, dims=3, jitter=0.05), strict=True)
    )


def test_swaps_exchange_left_and_right_limbs_and_nothing_else():
    true, seen = clips(30, dims=3, **PERFECT), clips(30, dims=3, **{**PERFECT, "swap": 0.2})
    mirror = np.array([0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15])
    changed = []
    for a, b in zip(true, seen):
        differs = (a.x[0] != b.x[0]).any(-1)
        np.testing.assert_array_equal(b.x[0][differs], a.x[0][:, mirror][differs])
        assert not differs[:, :5].any()
        changed.append(differs[:, 5:].mean())
    assert 0.1 < np.mean(changed) < 0.3


def test_bystanders_come_and_go_and_leave_the_performer_alone():
    alone, crowd = clips(40), clips(40, people=2)
    for a, b in zip(alone, crowd):
        assert np.array_equal(a.x[0], b.x[0])
        assert np.array_equal(a.score[0], b.score[0])
    beside = [clip.score[1] for clip in crowd if clip.num_persons == 2]
    assert 10 < len(beside) < 30
    share = [(score > 0).any(1).mean() for score in beside]
    assert 0 < np.mean(share) < 0.8


def test_the_performer_is_never_lost_altogether():
    for clip in clips(60, frames=(8, 8), miss=0.5, drop=0.5):
        assert (clip.score[0] > 0).any()


def test_either_hand_may_act():
    label = list(ACTIONS).index("raise arm")
    raised = [clip for clip in clips(540, dims=3, **PERFECT) if clip.label == label]
    higher = [int(clip.x[0, -1, 10, 1] > clip.x[0, -1, 9, 1]) for clip in raised]
    assert 0.2 < np.mean(higher) < 0.8


def test_a_rotation_turns_left_pitches_forward_and_rolls_right():
    zero, quarter = np.zeros(1), np.full(1, np.pi / 2)
    left, up, ahead = np.eye(3)
    np.testing.assert_allclose(rotation(quarter, zero, zero)[0] @ ahead, left, atol=1e-12)
    np.testing.assert_allclose(rotation(zero, quarter, zero)[0] @ up, ahead, atol=1e-12)
    np.testing.assert_allclose(rotation(zero, zero, quarter)[0] @ up, -left, atol=1e-12)
    angles = np.random.default_rng(0).normal(size=(3, 10))
    turned = rotation(*angles)
    np.testing.assert_allclose(turned @ turned.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (10, 3, 3)), atol=1e-12)


def test_a_neutral_pose_stands_straight_and_symmetric():
    body = Body.draw(np.random.default_rng(0))
    pose = Pose(np.zeros((1, NUM_CHANNELS)))
    pose.arm[..., 2] = 0.95
    joints = place(pose, body)[0]
    np.testing.assert_allclose(joints[5::2] * [-1, 1, 1], joints[6::2], atol=1e-9)
    assert (joints[9:11, 1] < joints[5:7, 1]).all()
    assert joints[0, 2] > joints[3, 2]
    np.testing.assert_allclose(joints[15:, 1], 0.08, atol=0.02)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"clips": 0}, "clips"),
        ({"dims": 4}, "dims"),
        ({"persons": 2}, "persons"),
        ({"people": 0}, "people"),
        ({"frames": (50, 40)}, "frames"),
        ({"frames": (2, 40)}, "frames"),
        ({"miss": 0.9}, "miss"),
        ({"jitter": -1}, "jitter"),
        ({"seed": -1}, "seed"),
        ({"clip": 3}, "Did you mean 'clips'"),
    ],
)
def test_settings_out_of_range_are_told(fields, word):
    with pytest.raises(SettingsError, match=word):
        SyntheticSettings.read(fields)
