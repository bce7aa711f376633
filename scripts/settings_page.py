"""Write docs/settings.md, the reference of all settings, from the classes that hold them and the presets that fill them.

    python scripts/settings_page.py

Each preset is asked in several situations (data and machines), since a preset is a function of both.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin
from unittest.mock import patch

from pydantic.fields import FieldInfo

from ossein.pretrain import METHODS
from ossein.recipes.presets import PRETRAIN, RECOGNISE, Facts, PretrainSettings, RecogniseSettings
from ossein.settings import Settings, flat
from ossein.skeleton import Skeleton
from ossein.tasks import RECOGNISERS

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"

DATA = (
    Facts(Skeleton.of("coco-17"), dims=2, persons=1, has_sizes=True, num_train=1000),
    Facts(Skeleton.of("coco-17"), dims=2, persons=2, has_sizes=False, num_train=100_000, handed=0.9),
    Facts(Skeleton.of("ntu-25"), dims=3, persons=2, has_sizes=False, num_train=1000),
)
MACHINES = ((False, "fp32"), (False, "bf16"), (True, "bf16"))
"""Whether there is a GPU, for which steps are compiled, and which precision is fast."""

SHARED = {
    "input": "How clips become batches.",
    "augment": "What is done to clips in training, in this order; 0 leaves one out.",
    "optim": "The optimiser and its learning rate.",
    "train": "How long, and on what.",
}
ALONE = "A preset with `-` learns from labels alone; `--teach.beside 0` keeps only the moving average of the others."
WORDS = {int: "whole number", float: "number", bool: "yes or no", str: "text", type(None): "none"}
HEAD = """# Settings

Every setting of `ossein pretrain` and `ossein recognise`, with the value that each preset gives it. Any of them can be given by
its path: `--optim.lr 0.05`, `--input.stream bone`, and `--model.no-detach` for one that is yes. They are written down in a run's
`run.yaml`, from which `--config` takes them again.

A preset is a function of the data and of the machine. Where several values stand, separated by "or", the first is that of COCO-17
clips in 2-D that say the size of their image, on a machine without GPU; `ossein pretrain PRESET STORE --help` shows which one your
data get. `-` is a setting that the preset's model does not have.

This page is made from the code by `scripts/settings_page.py`.
"""

Row = tuple[str, str, str]
"""Path, type, sentence."""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page."""
    presets = _presets()
    parts = [HEAD]
    for name, told in SHARED.items():
        rows = list(_rows(PretrainSettings.model_fields[name].annotation, f"{name}."))
        parts.append(f"## {name}\n\n{told}\n\n{_table(rows, presets)}")
    own = [row for row in _rows(RecogniseSettings, "") if row[0].partition(".")[0] not in SHARED]
    several = {title: values for title, values in presets.items() if title.startswith("recognise")}
    parts.append(f"## Recognition alone\n\n{ALONE}\n\n{_table(own, several)}")
    for family, kind in ((one, kind) for one in (METHODS, RECOGNISERS) for kind in one):
        users = {title: values for title, values in presets.items() if values["model.kind"] == [kind]}
        if not users:
            continue  # made of others by `ossein fuse`, and not set
        said = (sys.modules[family[kind].__module__].__doc__ or "").strip().splitlines()[0]
        rows = list(_rows(family.settings(kind), "model."))
        parts.append(f"## model: {kind}\n\n{said}\n\n{_table(rows, users)}")
    return "\n".join(parts)


def _presets() -> dict[str, dict[str, list[Any]]]:
    """By the words for a preset: the distinct values of every setting, that of the first situation first."""
    calls: dict[str, Callable[[Facts], Settings]] = {f"pretrain {name}": make for name, make in PRETRAIN.items()}
    calls |= {f"recognise {name}": lambda facts, make=make: make(facts, None) for name, make in RECOGNISE.items()}
    out: dict[str, dict[str, list[Any]]] = {}
    for title, make in calls.items():
        values: dict[str, list[Any]] = {}
        for facts, (gpu, precision) in product(DATA, MACHINES):
            with ExitStack() as stack:
                stack.enter_context(patch("torch.cuda.is_available", return_value=gpu))
                stack.enter_context(patch("ossein.recipes.presets.fast_precision", return_value=precision))
                stack.enter_context(patch("ossein.recipes.presets.compiles", return_value=gpu))
                plain = make(facts).plain()
            for path, value in flat(plain).items():
                known = values.setdefault(path, [])
                known += [value] if value not in known else []
        out[title] = values
    return out


def _rows(settings: Any, prefix: str) -> Iterator[Row]:
    """A row for each setting, those of groups of settings under their paths."""
    for name, field in settings.model_fields.items():
        inner = next(
            (one for one in _parts(field.annotation) if isinstance(one, type) and issubclass(one, Settings)), None
        )
        if inner is None:
            yield prefix + name, _type(field), " ".join((field.description or "").split())
        elif name != "model":
            yield from _rows(inner, f"{prefix}{name}.")


def _parts(annotation: Any) -> tuple[Any, ...]:
    return (annotation,) if isinstance(annotation, type) else get_args(annotation)


def _type(field: FieldInfo) -> str:
    """What may be given, in words."""
    limits = _limits(field.metadata)
    return _word(field.annotation) + (f", {limits}" if limits else "")


def _word(annotation: Any) -> str:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in args)
    if origin is Annotated:
        limits = _limits(args[1].metadata)
        return _word(args[0]) + (f", {limits}" if limits else "")
    if origin is tuple and get_origin(args[0]) is Literal:
        return f"one or more of {_word(args[0])}"
    if origin is tuple:
        what, _, limits = _word(args[0]).partition(", ")
        return f"{'' if Ellipsis in args else f'{len(args)} '}{what}s" + (f", {limits}" if limits else "")
    if args:
        return " or ".join(_word(one) for one in args)
    return WORDS[annotation]


def _limits(metadata: list[Any]) -> str:
    """A range as it is said: `from 0 to 1`, `above 0`, `from 0 to below 1`."""
    said = {"gt": "above", "ge": "from", "le": "to", "lt": "to below", "multiple_of": "in steps of"}
    found = {name: getattr(one, name) for one in metadata for name in said if hasattr(one, name)}
    return " ".join(f"{said[name]} {_number(found[name])}" for name in said if name in found)


def _table(rows: list[Row], presets: dict[str, dict[str, list[Any]]]) -> str:
    head = ["setting", *presets, "may be", "what it is"]
    lines = [head, ["---"] * len(head)]
    for path, kind, told in rows:
        values = [_values(known.get(path)) for known in presets.values()]
        lines.append([f"`{path}`", *values, kind, told])
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _values(values: list[Any] | None) -> str:
    return "-" if values is None else " or ".join(f"`{_value(value)}`" for value in values)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list):
        return " ".join(_value(one) for one in value) or "none"
    return "none" if value is None else str(value)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.4g}"


if __name__ == "__main__":
    main()
