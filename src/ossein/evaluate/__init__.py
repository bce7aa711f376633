"""From features or scores to numbers: metrics, linear probe, nearest neighbours, and the floor to beat."""

from ossein.evaluate.floor import FLOOR_FRAMES, extra_trees, floor_features, linear_svm
from ossein.evaluate.knn import knn
from ossein.evaluate.linear import STRENGTHS, cut, linear_probe
from ossein.evaluate.metrics import Scores, Spread, bootstrap, confusion, mean_class, spread, top_k

__all__ = [
    "FLOOR_FRAMES",
    "STRENGTHS",
    "Scores",
    "Spread",
    "bootstrap",
    "confusion",
    "cut",
    "extra_trees",
    "floor_features",
    "knn",
    "linear_probe",
    "linear_svm",
    "mean_class",
    "spread",
    "top_k",
]
