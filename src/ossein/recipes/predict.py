"""Prediction: files in, class names and probabilities out."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from ossein.deploy import Answer, load


def predict(
    bundle: Path, files: Iterable[Path], *, top: int = 3, format: str = "auto", as_json: bool = False
) -> Iterator[str]:
    """One line for each clip in the files.

    Args:
        bundle: A finished recognition run or its bundle.
        files: Files or folders in any format that ossein reads.
        top: How many classes to name.
        format: The reader to use, or `auto`.
        as_json: Lines of JSON in place of text.

    Raises:
        BundleError: The bundle cannot be used.
        DataError: A file cannot be read.
        SkeletonError: A file has other joints than the model.
    """
    model = load(bundle)
    for file in files:
        for answer in model.predict(file, top=top, format=format):
            yield _json(file, answer) if as_json else _text(answer)


def _text(answer: Answer) -> str:
    return f"{answer.name}: " + ", ".join(f"{name} {100 * p:.1f} %" for name, p in answer.top)


def _json(file: Path, answer: Answer) -> str:
    top = [{"class": name, "probability": round(p, 6)} for name, p in answer.top]
    return json.dumps({"file": str(file), "clip": answer.name, "top": top}, ensure_ascii=False)
