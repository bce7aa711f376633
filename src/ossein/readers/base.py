"""The contract of readers: a foreign file in, clips and what is known about them out."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ossein.clip import Clip
from ossein.skeleton import Skeleton


@dataclass(frozen=True)
class Source:
    """A data set as a reader sees it: facts at once, clips one after another.

    Args:
        clips: The clips, read when iterated; each has a unique name.
        num_clips: How many there will be, where it is known beforehand (for progress).
        skeleton: The skeleton that the format or a `meta.json` beside the file names, if any.
        classes: Class names in the order of labels; empty where not known.
        splits: Names of clips by the name of the split, such as `xsub_train`; names that no clip has are reported.
        facts: What else is known, as text: unit, sensor, licence, where it came from.
    """

    clips: Iterator[Clip]
    num_clips: int | None = None
    skeleton: Skeleton | None = None
    classes: tuple[str, ...] = ()
    splits: dict[str, tuple[str, ...]] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)


class Reader(ABC):
    """Reads one foreign format. Nothing in a file can run code, and errors name the file and the place.

    `name` is what the command line calls the format, `suffixes` are the endings of file names by which it can be
    guessed, `help` is one sentence.
    """

    name: str
    help: str
    suffixes: tuple[str, ...] = ()

    @abstractmethod
    def sniff(self, path: Path) -> bool:
        """Whether the file or folder looks like this format; reads little and raises nothing."""

    @abstractmethod
    def read(self, path: Path, *, skeleton: Skeleton | None = None, classes: Sequence[str] = ()) -> Source:
        """The data set in a file or folder.

        Args:
            path: The file or folder.
            skeleton: The skeleton to assume where the format does not say; wins over what is found.
            classes: Class names that win over what is found.

        Raises:
            DataError: The file is not of this format, cut short, or holds something it must not.
            SkeletonError: The joints do not fit the skeleton.
        """
