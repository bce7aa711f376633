"""Tiny files of every foreign format, for the tests that all readers must pass."""

import csv
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ossein.skeleton import Skeleton

FILES: dict[str, Callable[[Path], Path]] = {}
"""Writes a sample into a folder and returns what a reader is to be given, by the reader's name."""


def annotation(name: str = "wave", persons: int = 1, frames: int = 4, **fields: Any) -> dict[str, Any]:
    """One annotation as PYSKL writes them: HRNet's poses in float16, within an image of 320 x 240."""
    rng = np.random.default_rng(len(name) + persons)
    return {
        "frame_dir": name,
        "label": 1,
        "total_frames": frames,
        "keypoint": rng.uniform(10, 200, (persons, frames, 17, 2)).astype(np.float16),
        "keypoint_score": rng.uniform(0.2, 1, (persons, frames, 17)).astype(np.float16),
        "img_shape": (240, 320),
        "original_shape": (240, 320),
    } | fields


def write_pickle(file: Path, data: Any) -> Path:
    file.write_bytes(pickle.dumps(data, protocol=4))
    return file


def write_pyskl(folder: Path) -> Path:
    clips = [annotation("bow", label=0), annotation("S001C002P003R002A002", persons=2), annotation("still", frames=1)]
    splits = {"train": ["bow", "still"], "val": ["S001C002P003R002A002"]}
    return write_pickle(folder / "poses.pkl", {"split": splits, "annotations": clips})


def ctrgcn_arrays(clips: int = 3, frames: int = 6) -> dict[str, np.ndarray]:
    """CTR-GCN's arrays: clip n has n + 2 frames and then zeros, and a second body where n is odd."""
    x = np.random.default_rng(5).normal(size=(clips, frames, 2, 25, 3)).astype(np.float32)
    for n in range(clips):
        x[n, n + 2 :] = 0
        x[n, :, 1] *= n % 2
    x, y = x.reshape(clips, frames, 150), np.eye(4)[np.arange(clips) % 4]
    return {"x_train": x, "y_train": y, "x_test": x[:1], "y_test": y[:1]}


def write_ctrgcn(folder: Path) -> Path:
    np.savez(folder / "NTU60_CS.npz", **ctrgcn_arrays())
    return folder / "NTU60_CS.npz"


def kinetics_clip(frames: int = 3, persons: int = 2, first: int = 1, label: int = 0) -> dict[str, Any]:
    """One clip as ST-GCN's Kinetics-skeleton has it."""
    rng = np.random.default_rng(frames + persons)
    return {
        "data": [
            {
                "frame_index": first + t,
                "skeleton": [
                    {
                        "pose": rng.uniform(0.1, 0.9, 36).round(3).tolist(),
                        "score": rng.uniform(0.1, 1, 18).round(3).tolist(),
                    }
                    for _ in range(persons)
                ],
            }
            for t in range(frames)
        ],
        "label": ["abseiling", "yoga"][label],
        "label_index": label,
    }


def write_kinetics(folder: Path) -> Path:
    for side, names in {"train": ["a", "b"], "val": ["c"]}.items():
        inside = folder / "kinetics" / f"kinetics_{side}"
        inside.mkdir(parents=True)
        clips = {name: kinetics_clip(label=i) for i, name in enumerate(names)}
        for name, clip in clips.items():
            (inside / f"{name}.json").write_text(json.dumps(clip))
        labels = {
            name: {"has_skeleton": True, **{k: c[k] for k in ("label", "label_index")}} for name, c in clips.items()
        }
        (inside.parent / f"kinetics_{side}_label.json").write_text(json.dumps(labels))
    return folder / "kinetics"


def table_rows(skeleton: str = "coco-17") -> list[dict[str, Any]]:
    """Two clips of three frames as rows of a table, joints by name."""
    return [
        {
            "clip": clip,
            "frame": t,
            "person": "me",
            "joint": joint,
            "x": 10.5 * v + t,
            "y": 7.25 * v,
            "label": clip,
            "split": split,
        }
        for clip, split in (("wave", "train"), ("bow", "val"))
        for t in (5, 6, 7)
        for v, joint in enumerate(Skeleton.of(skeleton).joints)
    ]


def write_rows(file: Path, rows: list[dict[str, Any]]) -> Path:
    with file.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


def write_table(folder: Path) -> Path:
    return write_rows(folder / "mine.csv", table_rows())


FILES |= {"pyskl": write_pyskl, "npz": write_ctrgcn, "kinetics": write_kinetics, "table": write_table}


def write_ntu(folder: Path) -> Path:
    rng = np.random.default_rng(7)
    for name in ("S001C001P001R001A001", "S001C002P003R002A050"):
        lines = ["4"]
        for t in range(4):
            bodies = 1 if name.endswith("A001") else min(t, 2)
            lines.append(str(bodies))
            for body in range(bodies):
                joints = [f"{x:.6f} {y:.6f} {z:.6f} 0 0 0 0 0 0 0 0 2" for x, y, z in rng.normal(size=(25, 3))]
                lines += [f"7205759403793110{body} 0 1 1 0 1 0 0.02 -0.1 2", "25", *joints]
        (folder / f"{name}.skeleton").write_text("\n".join(lines))
    return folder


def write_openpose(folder: Path) -> Path:
    rng = np.random.default_rng(8)
    for clip in ("bow/a", "wave/a", "wave/b"):
        (folder / clip).mkdir(parents=True)
        for t in range(3):
            people = [{"person_id": [-1], "pose_keypoints_2d": rng.uniform(0.1, 1, 75).tolist()}]
            file = folder / clip / f"clip_{t:012d}_keypoints.json"
            file.write_text(json.dumps({"version": 1.3, "people": people}))
    return folder


def write_coco(folder: Path) -> Path:
    rng = np.random.default_rng(9)
    found = [
        {
            "image_id": f"{t}.jpg",
            "category_id": 1,
            "keypoints": rng.uniform(0.1, 1, 51).tolist(),
            "score": 2.7,
            "idx": idx,
        }
        for t in range(3)
        for idx in (1, 2)
    ]
    (folder / "alphapose-results.json").write_text(json.dumps(found))
    return folder / "alphapose-results.json"


def write_mediapipe(folder: Path) -> Path:
    frames = [
        [dict(zip(("x", "y", "z", "visibility"), mark)) for mark in pose]
        for pose in np.random.default_rng(10).uniform(0.1, 1, (3, 33, 4)).tolist()
    ]
    (folder / "landmarks.json").write_text(json.dumps([*frames, None]))
    return folder / "landmarks.json"


FILES |= {"ntu": write_ntu, "openpose": write_openpose, "coco": write_coco, "mediapipe": write_mediapipe}
