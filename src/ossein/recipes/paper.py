"""What the ablation tables of SkeletonMAE say: numbers alone.

Yan et al., "SkeletonMAE: Graph-based Masked Autoencoder for Skeleton Sequence Pre-training", ICCV 2023, arXiv 2307.08476:
tables 4 and 5 and the control from random weights. Numbers are mean class accuracy on FineGym in per cent, of one
training each; the paper gives no seeds and no spread.
"""

from typing import Literal

Kind = Literal["gin", "gcn", "gat"]

PARTS = ("head", "torso", "left_arm", "right_arm", "left_leg", "right_leg")
"""V0 to V5 of the paper."""
RANDOM_WEIGHTS = 86.3
BASE = 91.2
"""The ablation preset: three GIN layers, the right arm hidden, beta 2, three STRL layers."""
DEPTH = (89.6, 90.7, 91.2, 90.9)
"""Table 4a: encoders of 1 to 4 layers."""
LAYERS = (89.1, 90.6, 91.2, 91.0)
"""STRL of 1 to 4 layers."""
ONE_PART: dict[Kind, tuple[float, ...]] = {
    "gin": (88.6, 89.5, 90.2, 91.2, 90.3, 91.2),
    "gcn": (87.6, 88.9, 89.3, 90.6, 89.5, 90.5),
    "gat": (86.8, 88.1, 88.9, 89.5, 89.4, 90.0),
}
"""One part hidden, V0 to V5."""
SHARES = (0.3, 0.5, 0.7, 0.9)
RANDOM_JOINTS = (89.7, 90.3, 89.9, 90.1)
"""Table 5b: single joints drawn for each clip, at SHARES."""
BEST_PARTS = (91.8, 91.2, 91.0, 90.8)
WORST_PARTS = (91.1, 90.1, 91.0, 90.2)
BEST_SETS = (("right_arm", "right_leg"), ("head", "right_arm", "right_leg"), PARTS[1:], None)
"""The parts behind BEST_PARTS; which they are at 90 % could not be read."""
WORST_SETS = (("left_arm", "left_leg"), ("head", "torso"), PARTS[1:], None)
"""The parts behind WORST_PARTS. Twelve joints, 70 %, are one set only: it is the best and the worst."""
