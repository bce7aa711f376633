"""The floor: what plain classifiers reach on the raw joints. A model that stays below it has no reason to exist."""

import os

import numpy as np

from ossein.clip import Batch
from ossein.errors import DataError
from ossein.evaluate.base import all_columns, check_training, few_labels

FLOOR_FRAMES = 16
"""T at which clips are sampled for the floor, the same for every data set."""


def floor_features(batch: Batch) -> np.ndarray:
    """Joints and their velocities as one flat vector per clip, float32 [N D], D = M (2T - 1) V C.

    Each clip is moved so that the body's centre (of its first person) is at 0 on average over time, and divided by
    the mean distance of its joints from there. Nothing is learnt or tuned. Absent joints are 0.

    Args:
        batch: Clips brought to one length; 16 to 32 frames are plenty.

    Raises:
        DataError: The clips have one frame, which leaves no velocity.
    """
    x, score = batch.x.cpu().numpy().astype(np.float64), batch.score.cpu().numpy() > 0
    if x.shape[2] < 2:
        raise DataError("clips of 1 frame have no velocity. Sample them at 2 frames or more.")
    centred = np.where(score[..., None], x - _centre(x, score, batch.skeleton.centre)[:, None, None, None], 0)
    far = np.linalg.norm(centred, axis=-1).sum((1, 2, 3)) / np.maximum(1, score.sum((1, 2, 3)))
    place = centred / np.where(far > 0, far, 1)[:, None, None, None, None]
    # A joint that appears between two frames has not moved there from 0.
    speed = np.diff(place, axis=2) * (score[:, :, 1:] & score[:, :, :-1])[..., None]
    return np.concatenate([place.reshape(len(x), -1), speed.reshape(len(x), -1)], 1).astype(np.float32)


def extra_trees(
    train: np.ndarray, train_y: np.ndarray, test: np.ndarray, *, num_classes: int, seed: int = 0, trees: int = 500
) -> np.ndarray:
    """Class probabilities [N K] of test clips by extremely randomised trees (Geurts et al. 2006).

    Args:
        train: Features of the training clips, [N D].
        train_y: Their classes from 0, int [N].
        test: Features of the test clips, [N D].
        num_classes: K; a class without training clips scores 0.
        seed: Of the trees.
        trees: How many trees vote.

    Raises:
        DataError: The features or labels do not fit together.
    """
    from sklearn.ensemble import ExtraTreesClassifier

    check_training(train, train_y, test, num_classes)
    with few_labels():
        model = ExtraTreesClassifier(trees, random_state=seed, n_jobs=os.cpu_count()).fit(train, train_y)
    return all_columns(np.asarray(model.predict_proba(test)), model.classes_, num_classes, missing=0.0)


def linear_svm(train: np.ndarray, train_y: np.ndarray, test: np.ndarray, *, num_classes: int) -> np.ndarray:
    """Votes [N K] of test clips by a linear support vector machine, class against class, C = 1.

    The cost grows with the square of the training clips: seconds for thousands, an hour for tens of thousands.

    Args:
        train: Features of the training clips, [N D].
        train_y: Their classes from 0, int [N].
        test: Features of the test clips, [N D].
        num_classes: K; a class without training clips scores -inf.

    Raises:
        DataError: The features or labels do not fit together.
    """
    from sklearn.svm import SVC

    check_training(train, train_y, test, num_classes)
    with few_labels():
        model = SVC(kernel="linear").fit(train, train_y)
    votes = model.decision_function(test)
    if votes.ndim == 1:  # Of two classes scikit-learn gives only the margin of the second.
        votes = np.stack([-votes, votes], 1)
    return all_columns(votes, model.classes_, num_classes, missing=-np.inf)


def _centre(x: np.ndarray, score: np.ndarray, joints: tuple[int, ...]) -> np.ndarray:
    """Where each clip's first person is on average, [N C]: its centre joints, or all of them where those are absent."""
    here = np.zeros_like(score[:, 0])
    here[..., list(joints)] = score[:, 0][..., list(joints)]
    here = np.where(here.any((1, 2), keepdims=True), here, score[:, 0])
    return (x[:, 0] * here[..., None]).sum((1, 2)) / np.maximum(1, here.sum((1, 2)))[:, None]
