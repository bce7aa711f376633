"""From features or scores to numbers: metrics, linear probe, nearest neighbours, retrieval, and the floor to beat."""

from ossein.evaluate.floor import FLOOR_FRAMES, extra_trees, floor_features, linear_svm
from ossein.evaluate.knn import knn
from ossein.evaluate.linear import STRENGTHS, choose_strength, cut, linear_probe
from ossein.evaluate.metrics import Ranks, Scores, Spread, confusion, mean_class, spread, top_k, wilson
from ossein.evaluate.propagate import propagate
from ossein.evaluate.retrieval import retrieve

__all__ = [
    "FLOOR_FRAMES",
    "STRENGTHS",
    "Ranks",
    "Scores",
    "Spread",
    "choose_strength",
    "confusion",
    "cut",
    "extra_trees",
    "floor_features",
    "knn",
    "linear_probe",
    "linear_svm",
    "mean_class",
    "propagate",
    "retrieve",
    "spread",
    "top_k",
    "wilson",
]
