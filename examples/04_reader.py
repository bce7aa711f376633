"""A format and a skeleton of your own in one file: registered, guessed from the file, written to a store.

    python examples/04_reader.py cats.jsonl cats.clips

Each line of the file is a clip: {"name": "tom-1", "action": "stretch", "poses": [[[x, y, score], ...], ...]}, one list a
frame, one triple a joint. With the same lines in `src/ossein/readers` the command line knows the format too.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import ossein
from ossein.errors import DataError
from ossein.readers import READERS, Reader, Source
from ossein.readers.base import make_clip
from ossein.recipes.prepare import prepare

CAT = ossein.Skeleton.make(
    "cat",
    joints=["nose", "neck", "pelvis", "tail", "left_front_paw", "right_front_paw"],
    bones=[("nose", "neck"), ("neck", "pelvis"), ("pelvis", "tail")]
    + [("neck", f"{side}_front_paw") for side in ("left", "right")],
)


class CatLines(Reader):
    """Facts at once, clips one after another; an error names the file and the line."""

    name = "cats"
    help = "JSON lines, a clip a line, of our cat tracker."
    suffixes = (".jsonl",)

    def sniff(self, path: Path) -> bool:
        """Whether it looks like one of ours."""
        return path.is_file() and path.suffix in self.suffixes

    def read(self, path: Path, *, skeleton: ossein.Skeleton | None = None, classes: Sequence[str] = ()) -> Source:
        """All clips of a file."""
        data = {}
        for number, line in enumerate(path.read_text().splitlines(), 1):
            where = f"{path}, line {number}"
            try:
                one = json.loads(line)
                data[where] = str(one["name"]), str(one["action"]), np.array(one["poses"], np.float32)
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f"{where}: is no clip ({error}). Write name, action and poses.") from None
        names = tuple(classes) or tuple(sorted({action for _, action, _ in data.values()}))
        clips = (
            make_clip(where, x[None, ..., :2], x[None, ..., 2], CAT, names, name=name, label=names.index(action))
            for where, (name, action, x) in data.items()
        )
        return Source(clips, len(data), CAT, names)


READERS[CatLines.name] = CatLines()

if __name__ == "__main__":
    store = prepare("auto", Path(sys.argv[1]), Path(sys.argv[2]))
    print(f"{store.path}: {len(store)} clips of a {store.skeleton.name}, classes {', '.join(store.classes)}")
