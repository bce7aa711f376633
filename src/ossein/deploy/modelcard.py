"""The model card: what a bundle is, learned from, is worth and must not be used for, as a README.md in the hub's form.

All of it is read off the bundle and the results of its run, so that the same files give the same card.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from ossein.deploy import sections
from ossein.deploy.bundle import Card
from ossein.deploy.figure import draw_skeleton
from ossein.deploy.sections import SCORES, licence_of, measured, stores
from ossein.files import read_json, read_text, write_json, write_text
from ossein.skeleton import Skeleton

BESIDE = ("README.md", "skeleton.svg", "results.json")
"""What lies beside the two files of a bundle that is to be shared: the card, its picture, the numbers of other seeds."""

_ON_HUB = (
    "mit",
    "apache-2.0",
    "bsd-3-clause",
    "cc0-1.0",
    "cc-by-4.0",
    "cc-by-sa-4.0",
    "cc-by-nc-4.0",
    "cc-by-nc-sa-4.0",
)
"""Licences that the hub knows by these words."""


def write_model_card(
    folder: Path, card: Card, *, origin: Path | None = None, name: str | None = None, fresh: bool = False
) -> None:
    """Write the files of `BESIDE` into the folder of a bundle.

    Args:
        folder: The folder.
        card: What the bundle says of itself.
        origin: Where the bundle was loaded from: the folder in which its card or the results of its run may lie.
        name: What the model is called on the hub.
        fresh: Write a new README.md also where `origin` has one.

    Raises:
        DataError: The folder cannot be written to, or the results cannot be read.
    """
    results = find_results(origin, card) if origin else None
    if results:
        write_json(folder / "results.json", results)
    write_text(folder / "skeleton.svg", draw_skeleton(Skeleton.from_plain(card.skeleton)))
    written = origin / "README.md" if origin else None
    kept = read_text(written) if written and written.is_file() and not fresh else None
    write_text(folder / "README.md", kept or model_card(card, results, name=name))


def find_results(bundle: Path, card: Card) -> dict[str, Any] | None:
    """What the run of a bundle, and its like with other seeds and on other folds, came to; None where that is not known.

    Args:
        bundle: The folder of the bundle; results lie in it, or in the folder of its run or of all runs.
        card: What the bundle says of itself.

    Raises:
        DataError: A file of results is damaged.
    """
    # The run's folder wins over a copy in the bundle, which knows nothing of seeds that came later.
    above = [bundle.parent.parent, bundle.parent] if bundle.name == "bundle" else []
    for file in (place / "results.json" for place in (*above, bundle)):
        data: dict[str, Any] = read_json(file) if file.is_file() else {}
        if _is_of(data, card):
            kept = [{key: run[key] for key in ("split", "seed", "num_clips", *SCORES)} for run in data["runs"]]
            return {"runs": kept, **{key: data[key] for key in SCORES}}
    return None


def _is_of(data: Any, card: Card) -> bool:
    """Whether a file of results is that of the run of a bundle; beside it may lie results of anything."""
    runs = data.get("runs") if isinstance(data, dict) and data.keys() >= SCORES.keys() else None
    wanted = {"split", "seed", "num_clips", *SCORES}
    if not isinstance(runs, list) or not all(isinstance(run, dict) and wanted <= run.keys() for run in runs):
        return False
    own = {"split": card.data["split"], **{key: card.metrics.get(key) for key in ("num_clips", *SCORES)}}
    return any({key: run[key] for key in own} == own for run in runs)


def model_card(card: Card, results: dict[str, Any] | None = None, *, name: str | None = None) -> str:
    """The text of a model card: YAML for the hub, then Markdown for people.

    Args:
        card: What the bundle says of itself.
        results: The numbers of its run and its like, see `find_results`.
        name: What the model is called on the hub.
    """
    header = yaml.safe_dump(_header(card, results, name), sort_keys=False, allow_unicode=True, width=120)
    blocks = [sections.opening(card), sections.training(card)]
    if card.kind == "recogniser":
        blocks += [sections.scores(card, results), sections.classes(card)]
    blocks += [sections.preparation(card), sections.use(card, name or "USER/NAME"), sections.licence(card)]
    blocks += [sections.limits(card), sections.provenance(card)]
    return f"---\n{header}---\n\n" + "\n\n".join(block for block in blocks if block) + "\n"


def _header(card: Card, results: dict[str, Any] | None, name: str | None) -> dict[str, Any]:
    licence = licence_of(card.data)
    word = re.sub(r"[^a-z0-9.]+", "-", licence.lower()).strip("-")
    if not licence:
        terms = {"license": "unknown"}
    elif word in _ON_HUB:
        terms = {"license": word}
    else:
        terms = {"license": "other", "license_name": "terms-of-the-data"}
    tags = ["ossein", "skeleton", "pose", "action-recognition", card.model.plain()["kind"], card.skeleton["name"]]
    out: dict[str, Any] = {"library_name": "ossein", **terms, "tags": list(dict.fromkeys(tags))}
    out["datasets"] = [Path(one["store"]).stem for one in stores(card)]
    if card.kind == "recogniser" and measured(card):
        out["metrics"] = ["accuracy"]
        out["model-index"] = [{"name": _title(card, name), "results": [_result(card, results)]}]
    return out


def _result(card: Card, results: dict[str, Any] | None) -> dict[str, Any]:
    metrics = [
        {"type": "accuracy", "name": label, "value": round(card.metrics[key], 4)} for key, label in SCORES.items()
    ]
    if results and len(results["runs"]) > 1 and "top1" in results:
        mean = results["top1"]
        label = f"Top-1 accuracy, mean of {len(results['runs'])} runs"
        metrics.append({"type": "accuracy", "name": label, "value": round(mean["mean"], 4)})
    data = card.data
    stem = Path(data["store"]).stem
    return {
        "task": {"type": "skeleton-based-action-recognition", "name": "Skeleton-based action recognition"},
        "dataset": {"type": stem, "name": stem, "split": f"test half of {data['split']}"},
        "metrics": metrics,
    }


def _title(card: Card, name: str | None) -> str:
    return name.partition("/")[2] if name else f"{card.preset}-{Path(card.data['store']).stem}"
