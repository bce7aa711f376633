"""The sections of a model card, each Markdown read off a bundle's card."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from ossein.deploy.bundle import Card, preset_after
from ossein.evaluate import Spread
from ossein.words import count, noun

SCORES = {"top1": "Top-1 accuracy", "top5": "Top-5 accuracy", "mean_class": "Mean class accuracy"}
"""What is measured of a recogniser, in words."""

_FEW = 12
"""Up to so many classes are all listed; of more, the best and the worst half of so many."""

_NORMALISE = {
    "image": "coordinates in shares of the image, from -1 to 1; a clip must say how large its image is",
    "centre": "body at the origin, of size 1",
    "facing": "body at the origin, turned to face the viewer",
    "none": "coordinates as they are",
}
_STREAM = {
    "joint": "positions of joints",
    "bone": "bones, from joint to joint",
    "joint-motion": "motion of joints from frame to frame",
    "bone-motion": "motion of bones from frame to frame",
}


def opening(card: Card) -> str:
    """What it is, and its picture."""
    skeleton = f"{card.skeleton['name']} ({len(card.skeleton['joints'])} joints, {card.dims}-D)"
    if card.kind == "recogniser":
        what = f"Names what someone does in a clip of a moving skeleton: one of {count(len(card.classes), 'class')}."
    else:
        what = "An encoder of moving skeletons, pre-trained without labels; it names no classes until it is trained on some."
    return (
        f"# {_plain(card.preset)} on {_plain(Path(card.data['store']).stem)}\n\n{what} Skeleton: {_plain(skeleton)}. "
        "Made with ossein; weights in safetensors, settings in JSON, no code.\n\n"
        f"![The skeleton {_plain(card.skeleton['name'])}](skeleton.svg)"
    )


def training(card: Card) -> str:
    """The clips it learned from, and the weights it began with."""
    data = card.data
    labels = f"labels: {_plain(data['labels'])}" if "labels" in data else "labels unseen"
    lines = [f"- {_half(data)}, {labels} (content {_plain(data['hash'][:16])})"]
    if card.kind == "recogniser":
        skeleton = data.get("pretrained_skeleton")
        start = "pre-trained" if data.get("pretrained") else "random"
        lines.append(f"- began with {start} weights{f', brought over from {_plain(skeleton)}' if skeleton else ''}")
    lines += [f"- seen in pre-training: {_half(one)}" for one in stores(card)[1:]]
    return "## What it learned from\n\n" + "\n".join(lines)


def _half(data: dict[str, Any]) -> str:
    part = "all of it" if data["split"] == "all" else f"training half of `{_code(data['split'])}`"
    return f"{_plain(data['store'])}, {count(_plain(data.get('clips', '?')), 'clip')}, {part}"


def scores(card: Card, results: dict[str, Any] | None) -> str:
    """How often it is right, with the spread over its like where there are several."""
    if not measured(card):
        every = not card.metrics and card.data["split"] == "all"
        return "## Scores\n\nIt learned from every clip of its data, which left none to test it on." if every else ""
    runs = results["runs"] if results else []
    rows = []
    for key, label in SCORES.items():
        mean = results.get(key) if results and len(runs) > 1 else None
        spread = [_spread(mean)] if mean else [""] * (len(runs) > 1)
        rows.append([label, f"{100 * card.metrics[key]:.1f} %", *spread])
    heads = ["", "these weights"]
    told = ""
    if len(runs) > 1:
        seeds = sorted({run["seed"] for run in runs})
        splits = list(dict.fromkeys(run["split"] for run in runs))
        over = results["top1"].get("over", "runs") if results else "runs"
        heads.append(f"mean ± standard deviation over {over}")
        told = (
            f" {len(runs)} runs: seeds {', '.join(map(str, seeds))}; splits {', '.join(f'`{one}`' for one in splits)}."
        )
    low, high = card.metrics["interval"]
    clips = count(card.metrics["num_clips"], "test clip")
    return (
        f"## Scores\n\nOn the {clips} of `{_code(card.data['split'])}`, none of which it has seen; 95 % "
        f"interval of top-1: {100 * low:.1f} to {100 * high:.1f} %.{told}\n\n{_table(heads, rows)}"
    )


def classes(card: Card) -> str:
    """How well each class is known, the best first, and what it is taken for most."""
    counts = _confusion(card)
    if counts is None:
        return ""
    tested = np.flatnonzero(counts.sum(1))
    share = np.diag(counts)[tested] / counts[tested].sum(1)
    order = tested[np.argsort(-share, kind="stable")]
    few = len(order) <= _FEW
    shown = list(order) if few else [*order[: _FEW // 2], None, *order[-_FEW // 2 :]]
    rows = [["...", "", "", ""] if k is None else _class(card, counts, int(k)) for k in shown]
    heads = ["class", "test clips", "right", "else mostly taken for"]
    untested = len(counts) - len(tested)
    lacking = f" {untested} of the {count(len(counts), 'class')} {noun(untested, 'has', 'have')} no test clip."
    told = lacking if untested else ""
    which = "All classes" if few else "The best and the worst classes"
    return f"## Classes\n\n{which}, the best first.{told}\n\n{_table(heads, rows)}"


def _confusion(card: Card) -> np.ndarray | None:
    """Counts [K K], rows are the true classes; None where the bundle does not hold them."""
    try:
        counts = np.array(card.metrics.get("confusion"), np.int64)
    except (TypeError, ValueError, OverflowError):
        return None
    return counts if counts.shape == (len(card.classes),) * 2 and counts.min() >= 0 and counts.any() else None


def _class(card: Card, counts: np.ndarray, k: int) -> list[str]:
    wrong = counts[k] * (np.arange(len(counts)) != k)
    taken = f"{card.classes[wrong.argmax()]} ({wrong.max()})" if wrong.any() else "-"
    return [card.classes[k], str(counts[k].sum()), f"{100 * counts[k, k] / counts[k].sum():.0f} %", taken]


def preparation(card: Card) -> str:
    """What becomes of a clip before the model sees it."""
    s = card.input
    views = f", the mean of {s.views} windows" if s.views > 1 else ""
    lines = [
        f"- a clip of any length becomes {count(s.frames, 'frame')} of up to {count(s.persons, 'person')}; a window of "
        f"{100 * s.share:g} % of it is tested{views}",
        f"- {_NORMALISE[s.normalise]}",
        f"- the model sees {_STREAM[s.stream]}",
        "- a joint with score 0 is absent; zero coordinates mean nothing by themselves",
    ]
    return "## How clips are prepared\n\nossein does this by itself.\n\n" + "\n".join(lines)


def use(card: Card, name: str) -> str:
    """How to run it, from Python and from the command line."""
    if card.kind == "pretrained":
        preset = preset_after(card.model) or "PRESET"
        return (
            f"## How to use it\n\n```sh\nossein recognise {preset} mine.clips --from {name} --out runs/mine\n```\n\n"
            "Its joints need not be those of your clips, as long as a third of yours have a counterpart among them."
        )
    return (
        "## How to use it\n\n```python\nimport ossein\n\n"
        f'model = ossein.load("{name}")\nprint(model.predict("someone.json")[0].top)\n```\n\n'
        f"```sh\nossein predict {name} someone.json\n```\n\n"
        "`someone.json` is a clip in any format that ossein reads; `ossein pose` makes one of a video."
    )


def licence(card: Card) -> str:
    """The terms of the data it learned from."""
    lines = []
    for one in stores(card):
        facts = _facts(one)
        source = "; ".join(_plain(facts[key]) for key in ("source", "origin") if facts.get(key))
        lines.append(
            f"- {_plain(one['store'])}: {_plain(licence_of(one)) or 'not known'}{f' ({source})' if source else ''}"
        )
    return (
        "## Licence\n\nossein itself is under the MIT licence. These weights were learned from data whose terms bind their "
        "use too, as far as they do:\n\n" + "\n".join(lines)
    )


def limits(card: Card) -> str:
    """What it cannot do, and must not be used for."""
    lines = [
        "- It knows people as they were recorded in its data: other cameras, pose estimators, ages and ways to move are new to it.",
        f"- It needs the joints of {_plain(card.skeleton['name'])} in {card.dims}-D; errors of the pose estimator become its own.",
        "- Nobody's safety, health, work or freedom should hang on what it says.",
    ]
    if card.kind == "recogniser":
        always = f"It answers with one of its {count(len(card.classes), 'class')} whatever it is shown"
        often = f"Below a probability of {card.sure:.2f} it says that nothing known is happening"
        lines.insert(
            0, f"- {often if card.sure else always}; a high probability is no proof that a class is happening."
        )
    return "## Limits\n\n" + "\n".join(lines)


def provenance(card: Card) -> str:
    """The command, the commit and the versions that made it."""
    made = card.made_by
    known = made.get("versions")
    versions = ", ".join(f"{key} {value}" for key, value in known.items()) if isinstance(known, dict) else ""
    rows = {
        "command": made.get("command"),
        "commit": made.get("commit"),
        "versions": versions,
        "machine": made.get("machine"),
    }
    lines = [f"- {key}: `{_code(str(value))}`" for key, value in rows.items() if value]
    return "## Where it comes from\n\n" + "\n".join(lines) if lines else ""


def stores(card: Card) -> list[dict[str, Any]]:
    """What it has learned from, store by store, its own first."""
    return [card.data, *card.data.get("also", ())]


def measured(card: Card) -> bool:
    """Whether the bundle says how often it is right."""
    metrics, low_high = card.metrics, card.metrics.get("interval")
    interval = isinstance(low_high, list | tuple) and len(low_high) == 2 and all(map(_is_share, low_high))
    return interval and "num_clips" in metrics and all(_is_share(metrics.get(key)) for key in SCORES)


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


def _facts(data: dict[str, Any]) -> dict[str, Any]:
    facts = data.get("facts")
    return facts if isinstance(facts, dict) else {}


def licence_of(data: dict[str, Any]) -> str:
    """The licence of a store, in the words of its facts; empty where it is not known."""
    facts = _facts(data)
    return str(facts.get("licence") or facts.get("license") or "")


def _spread(mean: dict[str, Any]) -> str:
    return str(Spread(mean["mean"], float("nan") if mean["std"] is None else mean["std"], mean["n"]))


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *([_plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: Any) -> str:
    """Text of the data that is no Markdown and no HTML, whatever is in it."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(str(text).split()))


def _code(text: str) -> str:
    return " ".join(text.replace("`", "'").split())
