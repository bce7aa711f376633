"""From a recogniser to one file that other programs run, compared with it before it is written."""

from dataclasses import dataclass
from pathlib import Path

from ossein.deploy import Predictor, check_onnx, check_torch, to_onnx, to_torch, trace
from ossein.errors import SettingsError, did_you_mean
from ossein.files import atomic
from ossein.tasks import Recogniser

_FORMATS = {".onnx": (to_onnx, check_onnx), ".pt2": (to_torch, check_torch)}


@dataclass(frozen=True)
class Exported:
    """What was written.

    Args:
        path: Where.
        size: In bytes.
        difference: The largest difference of a probability from the bundle's, on clips of noise.
    """

    path: Path
    size: int
    difference: float


def check_format(out: Path) -> None:
    """Stop unless the name of a file ends as one of the formats does.

    Raises:
        SettingsError: It does not.
    """
    if out.suffix not in _FORMATS:
        raise SettingsError(f"{out}: ends in '{out.suffix}'. {did_you_mean(out.suffix, _FORMATS)}")


def export(model: Predictor, out: Path) -> Exported:
    """Write a recogniser as ONNX (`.onnx`) or as a program of torch (`.pt2`).

    Args:
        model: The recogniser, as `ossein.load` gives it.
        out: The file to write; its ending names the format.

    Raises:
        SettingsError: The ending is of no format.
        BundleError: No graph can be made of the model, or it differs from it.
        MissingExtra: ONNX is asked for and not installed.
        DataError: The file cannot be written.
    """
    check_format(out)
    write, check = _FORMATS[out.suffix]
    recogniser, card = model.model, model.card
    assert isinstance(recogniser, Recogniser)
    data = write(trace(recogniser, card), card)
    difference = check(data, recogniser, card)
    with atomic(out) as file:
        file.write(data)
    return Exported(out, len(data), difference)
