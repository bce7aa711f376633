"""Small files of synthetic clips that stand in for the data sets that pages speak of."""

import json
import pickle
from pathlib import Path

import numpy as np

from ossein.clip import Clip
from ossein.mapping import joint_matrix
from ossein.readers.synthetic import SyntheticSettings, synthetic
from ossein.skeleton import Skeleton


def write_data(folder: Path) -> None:
    """The files that pages speak of: pickles in `data/`, and a clip of someone as COCO's JSON."""
    source, other = (synthetic(SyntheticSettings(clips=72, persons=6, seed=seed)) for seed in (0, 1))
    halves, folds = ([one.splits["xsub_train"], one.splits["xsub_val"]] for one in (source, other))
    clips, data = list(source.clips), folder / "data"
    data.mkdir()
    (data / "meta.json").write_text(json.dumps({"class_names": source.classes, "license": "none"}))
    _write_pickle(data / "penn_action_coco17.pkl", clips, {"train": list(halves[0]), "val": list(halves[1])})
    lists = {
        f"split{i}_{side}": list(names) for i in (1, 2) for side, names in zip(("train", "val"), folds[:: 3 - 2 * i])
    }
    _write_pickle(data / "jhmdb_coco17.pkl", list(other.clips), lists)
    _write_sensors(data)
    (folder / "someone.json").write_text(json.dumps(_coco(clips[0])))


def _write_sensors(data: Path) -> None:
    """Two files of depth sensors: one as if it had been fetched for the catalogue, one of an older sensor."""
    source = synthetic(SyntheticSettings(clips=36, persons=6, dims=3))
    clips, lists = list(source.clips), {name: list(names) for name, names in source.splits.items()}
    (data / "ntu60-3d").mkdir()
    for file, skeleton in (("ntu60-3d/ntu60_3danno.pkl", "ntu-25"), ("nw_ucla.pkl", "kinect-20")):
        matrix = joint_matrix(Skeleton.of("coco-17"), Skeleton.of(skeleton))
        moved = [Clip(matrix @ c.x, np.minimum(c.score @ (matrix.T > 0), 1), c.name, c.label) for c in clips]
        _write_pickle(data / file, moved, lists)


def _write_pickle(path: Path, clips: list[Clip], splits: dict[str, list[str]]) -> None:
    annotations = [
        {
            "frame_dir": clip.name,
            "label": clip.label,
            "total_frames": clip.num_frames,
            "keypoint": clip.x.astype(np.float16),
            "keypoint_score": clip.score.astype(np.float16),
            **({"img_shape": (int(clip.size[1]), int(clip.size[0]))} if clip.size else {}),
        }
        for clip in clips
    ]
    path.write_bytes(pickle.dumps({"split": splits, "annotations": annotations}))


def _coco(clip: Clip) -> dict[str, object]:
    width, height = clip.size or (0, 0)
    images = [
        {"id": t, "file_name": f"frame_{t:06d}.jpg", "width": width, "height": height} for t in range(clip.num_frames)
    ]
    poses = np.dstack([clip.x[0], 2 * (clip.score[0] > 0)])
    found = [{"image_id": t, "keypoints": pose.ravel().tolist()} for t, pose in enumerate(poses)]
    return {"images": images, "annotations": found}
