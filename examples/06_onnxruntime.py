"""Name what happens in a clip with an exported model: numpy and onnxruntime, no ossein and no torch.

    ossein export RUN model.onnx
    python examples/06_onnxruntime.py model.onnx clip.npz

clip.npz holds `x` [M T V C] and `score` [M T V] (0 = absent), and `size` (width, height) for models that need it.
"""

import json
import sys

import numpy as np
import onnxruntime


def resample(x, score, start, width, frames):
    """T positions evenly from start to start + width - 1: between two frames, or from the one that has the joint."""
    place = start + (np.linspace(0, 1, frames) if frames > 1 else np.array([0.5])) * (width - 1)
    place = np.where(np.abs(place - np.rint(place)) < 1e-6, np.rint(place), place)
    low = np.clip(np.floor(place).astype(int), 0, x.shape[1] - 1)
    high, share = np.minimum(low + 1, x.shape[1] - 1), (place - low)[:, None]
    a = np.where(score[:, low] > 0, share, 1) * (score[:, high] > 0) * (share > 0)
    return x[:, low] + a[..., None] * (x[:, high] - x[:, low]), score[:, low] + a * (score[:, high] - score[:, low])


session, clip = onnxruntime.InferenceSession(sys.argv[1]), np.load(sys.argv[2])
said = json.loads(session.get_modelmeta().custom_metadata_map["ossein"])
how, x, score = said["input"], np.where(clip["score"][..., None] > 0, clip["x"], 0), clip["score"]

width = max(1.0, how["share"] * x.shape[1])
places = np.linspace(0, 1, how["views"]) if how["views"] > 1 else np.array([0.5])
windows = [resample(x, score, place * (x.shape[1] - width), width, how["frames"]) for place in places]

# The first M persons of the clip; missing ones are absent.
persons = min(how["persons"], len(x))
shape = (len(windows), how["persons"], how["frames"], *x.shape[2:])
given = {"x": np.zeros(shape, np.float32), "score": np.zeros(shape[:-1], np.float32)}
for n, (one, sure) in enumerate(windows):
    given["x"][n, :persons], given["score"][n, :persons] = one[:persons], sure[:persons]
if "size" in said["inputs"]:
    given["size"] = np.tile(clip["size"].astype(np.float32), (len(windows), 1))

probability = session.run([said["output"]], given)[0].mean(0)
for k in np.argsort(-probability)[:5]:
    print(f"{said['classes'][k]} {probability[k]:.6f}")
