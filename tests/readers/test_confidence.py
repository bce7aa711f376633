import numpy as np
import pytest
from samples import annotation, write_pickle

from ossein.errors import DataError
from ossein.readers.confidence import MANY, refuse_confidence
from ossein.readers.pyskl import PYSKL
from ossein.readers.table import Table
from ossein.skeleton import Skeleton

COCO = Skeleton.of("coco-17")
TOLD = "third number of a joint looks like a confidence"


def pixels(third, clips: int = 1) -> np.ndarray:
    """Bodies of about 100 x 150 pixels somewhere in an image, [N M T V 3], with this third number."""
    rng = np.random.default_rng(0)
    xy = rng.uniform(0, [100, 150], (clips, 2, 4, 17, 2)) + rng.uniform(0, 200, (clips, 2, 1, 1, 2))
    return np.concatenate([xy, np.broadcast_to(third, (*xy.shape[:-1], 1))], -1)


def random(low: float, high: float, clips: int = 1) -> np.ndarray:
    return np.random.default_rng(1).uniform(low, high, (clips, 2, 4, 17, 1))


@pytest.mark.parametrize("third", [random(0, 1), random(0.2, 1.02), 1, 0.5])
@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_pixels_and_a_confidence_are_no_places_in_space(third, kind):
    with pytest.raises(DataError, match=rf"f: the {TOLD}.*to [01]\.?\d*, while .*Put it into 'score' and leave two"):
        refuse_confidence("f", pixels(third).astype(kind), "score")


def test_absent_joints_change_nothing():
    x = pixels(random(0.1, 1))
    x[0, 0, 1:, 3] = 0
    x[0, 1, :, 5] = np.nan
    with pytest.raises(DataError, match=TOLD):
        refuse_confidence("f", x, "score")


@pytest.mark.parametrize("unit", [1, 100, 1000])
def test_bodies_in_space_are_let_pass_in_any_unit(unit):
    rng = np.random.default_rng(2)
    refuse_confidence("f", unit * rng.uniform(0, [0.6, 1.7, 0.4], (1, 2, 4, 17, 3)), "score")
    walk = rng.uniform(0, [60, 80, 0], (1, 2, 4, 1, 3))  # metres of a field, with z up, and heights of less than one
    refuse_confidence("f", unit * (walk + rng.uniform(0, [1, 0.5, 0.9], (1, 2, 4, 17, 3))), "score")


@pytest.mark.parametrize("third", [0, random(-0.1, 1), random(0, 90), random(0, 2)])
def test_other_third_numbers_are_let_pass(third):
    refuse_confidence("f", pixels(third), "score")


def test_one_clip_that_goes_beyond_speaks_for_all():
    refuse_confidence("f", [*pixels(random(0, 1, 3), 3), *pixels(random(0, 50))], "score")


def test_nobody_and_nothing_are_let_pass():
    for x in (np.zeros((1, 2, 4, 17, 3)), np.full((1, 2, 4, 17, 3), np.nan), np.zeros((1, 0, 4, 17, 3)), []):
        refuse_confidence("f", x, "score")


def test_an_archive_says_where_the_confidence_goes(tmp_path):
    x = pixels(random(0, 1, 3), 3)
    for poses in (x, x[:, 0]):
        np.savez(tmp_path / "mine.npz", x=poses)
        with pytest.raises(DataError, match=rf"mine\.npz: the {TOLD}.*'score'"):
            Table().read(tmp_path / "mine.npz", skeleton=COCO)
    np.savez(tmp_path / "mine.npz", x=x[..., :2], score=x[..., 2])
    assert len(list(Table().read(tmp_path / "mine.npz", skeleton=COCO).clips)) == 3


def test_an_annotation_says_where_the_confidence_goes(tmp_path):
    clips = [annotation(f"clip {n}", keypoint=x, keypoint_score=None) for n, x in enumerate(pixels(random(0, 1, 3), 3))]
    with pytest.raises(DataError, match=rf"poses\.pkl: the {TOLD}.*'keypoint_score'"):
        PYSKL().read(write_pickle(tmp_path / "poses.pkl", clips))
    clips[2]["keypoint"] = 50 * clips[2]["keypoint"]
    assert PYSKL().read(write_pickle(tmp_path / "poses.pkl", clips)).num_clips == 3


def test_the_first_clips_are_enough(tmp_path):
    x = pixels(random(0, 1, MANY + 1), MANY + 1)
    x[MANY] *= 50
    np.savez(tmp_path / "mine.npz", x=x)
    with pytest.raises(DataError, match=TOLD):
        Table().read(tmp_path / "mine.npz", skeleton=COCO)
