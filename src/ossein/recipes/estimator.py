"""A pose estimator run over a video: a program of its own, started by whatever Python the estimator is installed in.

    python estimator.py {rtmlib|mediapipe} VIDEO MODE DEVICE

It needs nothing but the estimator and the OpenCV that comes with it, so that neither need agree with the packages of
ossein. It writes lines of JSON: what the video is, then for each frame its persons as [x, y, score] of each joint, in
pixels; or {"missing": ...}, or {"error": ..., "where": "model" or "video"}, and ends.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

COMPLEXITY = {"lightweight": 0, "balanced": 1, "performance": 2}
"""MediaPipe's word for the modes."""


def main(name: str, video: str, mode: str, device: str) -> None:
    """Write the lines of one video."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # estimators print what they like
    sys.path.pop(0)  # the folder of this file, whose modules an estimator might take for its own
    where = "model"
    try:
        poses = rtmlib(mode, device) if name == "rtmlib" else mediapipe(mode)
        where = "video"
        for line in lines(poses, video):
            out.write(json.dumps(line) + "\n")
            out.flush()
    except ImportError as error:
        out.write(json.dumps({"missing": str(error)}) + "\n")
    except (OSError, ValueError, RuntimeError, AttributeError) as error:
        out.write(json.dumps({"error": f"{type(error).__name__}: {error}", "where": where}) + "\n")
    out.close()


def lines(poses: Callable[[Any], list[Any]], video: str) -> Iterator[Any]:
    """What the video is, then the persons of each frame."""
    import cv2  # pyright: ignore[reportMissingImports]

    opened = cv2.VideoCapture(video)
    there, image = opened.read()
    if not there:
        raise ValueError("no frame can be decoded; is it a video that OpenCV reads?")
    rate, count = opened.get(cv2.CAP_PROP_FPS), opened.get(cv2.CAP_PROP_FRAME_COUNT)
    height, width = image.shape[:2]
    # NaN, 0 and the like where a container does not say.
    yield {"width": width, "height": height, "fps": rate if 0 < rate < 1000 else None, "frames": max(int(count), 0)}
    while there:
        yield poses(image)
        there, image = opened.read()
    opened.release()


def rtmlib(mode: str, device: str) -> Callable[[Any], list[Any]]:
    """RTMPose on the boxes of YOLOX: COCO's 17 joints of every person."""
    from rtmlib import Body  # pyright: ignore[reportMissingImports]

    body = Body(mode=mode, backend="onnxruntime", device=device)

    def poses(image: Any) -> list[Any]:
        boxes = body.det_model(image)
        if not len(boxes):  # RTMPose would take the whole image for a person
            return []
        keypoints, scores = body.pose_model(image, bboxes=boxes)
        return [[[float(x), float(y), float(s)] for (x, y), s in zip(*person)] for person in zip(keypoints, scores)]

    return poses


def mediapipe(mode: str) -> Callable[[Any], list[Any]]:
    """BlazePose: the 33 landmarks of one person, followed from frame to frame; on the CPU alone."""
    import cv2  # pyright: ignore[reportMissingImports]
    import mediapipe as mp  # pyright: ignore[reportMissingImports]

    if not hasattr(mp, "solutions"):
        raise ImportError(
            f"mediapipe {mp.__version__} has no 'solutions' any more; 0.10.21 has, with models in the wheel"
        )
    solution = mp.solutions.pose.Pose(model_complexity=COMPLEXITY[mode])

    def poses(image: Any) -> list[Any]:
        found = solution.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).pose_landmarks
        height, width = image.shape[:2]
        return [[[one.x * width, one.y * height, one.visibility] for one in found.landmark]] if found else []

    return poses


if __name__ == "__main__":
    main(*sys.argv[1:])
