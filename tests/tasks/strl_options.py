"""Small STRL models with every option, alone and all together."""

from typing import Any

import pytest
import torch
from batches import COCO, M, T, stir

from ossein.skeleton import Skeleton
from ossein.tasks import STRL, STRLSettings

D, K = 8, 5
OPTIONS: list[dict[str, Any]] = [
    {},
    {"combine": "add"},
    {"keep_joints": True},
    {"share_encoders": True},
    {"interact": True},
    {"combine": "add", "keep_joints": True, "share_encoders": True, "interact": True},
]
options = pytest.mark.parametrize("option", OPTIONS, ids=lambda option: "+".join(map(str, option)) or "default")
modes = pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])


def settings(kind: str = "gin", **more: Any) -> STRLSettings:
    return STRLSettings.read({"encoder": {"width": D, "depth": 2, "kind": kind}, "layers": 2, **more})


def made(frames: int = T, persons: int = M, skeleton: Skeleton = COCO, **more: Any) -> STRL:
    torch.manual_seed(0)
    model = STRL(skeleton, 2, frames, persons, K, settings(**more))
    stir(model)
    return model
