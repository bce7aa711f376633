"""ossein learns from unlabelled skeleton sequences and recognises actions, gestures and people from few labels.

>>> import ossein
>>> ossein.Skeleton.of("coco-17").joints[0]
'nose'
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ossein.clip import Batch, Clip
    from ossein.deploy import Predictor, Stream, load
    from ossein.skeleton import Skeleton
    from ossein.store import Store

_HOMES = {
    "Batch": "ossein.clip",
    "Clip": "ossein.clip",
    "Predictor": "ossein.deploy",
    "Skeleton": "ossein.skeleton",
    "Store": "ossein.store",
    "Stream": "ossein.deploy",
    "load": "ossein.deploy",
}

__all__ = ["Batch", "Clip", "Predictor", "Skeleton", "Store", "Stream", "__version__", "load"]


def __getattr__(name: str) -> Any:
    # Loaded when first asked for, so that `import ossein` and `ossein --help` need no torch.
    if name not in _HOMES:
        raise AttributeError(f"module 'ossein' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
