"""Your own keypoints to a store: arrays in folders, one folder for each class.

    python examples/01_keypoints.py gestures gestures.clips

`gestures/wave/anna-1.npy` holds x, y and score of every joint in every frame: [T V 3] of one person, [M T V 3] of several.
Score 0, or a coordinate that is not finite, is a joint that was not seen. What stands before the dash is who it is.
"""

import sys
from pathlib import Path

import numpy as np

import ossein
from ossein.readers import Source
from ossein.store import write_store

SKELETON = ossein.Skeleton.of("coco-17")  # or Skeleton.of("mine.yaml"), or Skeleton.make(...)
RATE = 25.0


def read(path: Path, label: int, subject: int) -> ossein.Clip:
    """One clip; what is wrong with it is said with its name."""
    pose = np.load(path).astype(np.float32)
    pose = pose if pose.ndim == 4 else pose[None]
    seen = np.isfinite(pose).all(-1)
    score = np.where(seen, pose[..., 2], 0).clip(0, 1)
    name = f"{path.parent.name}/{path.stem}"
    return ossein.Clip(pose[..., :2], score, name, label, subject=subject, rate=RATE).fit(SKELETON)


def main(folder: Path, out: Path) -> None:
    """Write the store: clips of every fourth person test, those of all others train."""
    files = sorted(folder.glob("*/*.npy"))
    classes = sorted({file.parent.name for file in files})
    people = sorted({file.stem.partition("-")[0] for file in files})
    subject = {file: people.index(file.stem.partition("-")[0]) for file in files}
    halves = {"people_train": lambda who: who % 4 != 3, "people_test": lambda who: who % 4 == 3}
    source = Source(
        clips=(read(file, classes.index(file.parent.name), subject[file]) for file in files),
        num_clips=len(files),
        skeleton=SKELETON,
        classes=tuple(classes),
        splits={
            half: tuple(f"{file.parent.name}/{file.stem}" for file in files if keeps(subject[file]))
            for half, keeps in halves.items()
        },
    )
    store = write_store(source, out)
    print(f"{out}: {len(store)} clips of {len(people)} people, classes {', '.join(store.classes)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
