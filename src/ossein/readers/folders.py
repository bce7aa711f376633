"""Formats in which a clip is a file or a folder of its own, and class folders give the labels."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ossein.clip import Clip
from ossein.readers.base import Reader, Recording, Source, labelled
from ossein.readers.meta import read_meta
from ossein.skeleton import Skeleton


class FolderReader(Reader):
    """Finds the clips below a path and reads each on its own; a format says what a clip is and how to read one."""

    @abstractmethod
    def is_clip(self, path: Path) -> bool:
        """Whether a file or folder is one clip."""

    @abstractmethod
    def joints(self, path: Path, clips: list[Recording]) -> Skeleton:
        """The skeleton that the files themselves tell of, where nobody else names one.

        Raises:
            SkeletonError: They do not tell.
        """

    @abstractmethod
    def clip(self, recording: Recording, skeleton: Skeleton, classes: Sequence[str]) -> Clip:
        """One clip.

        Raises:
            DataError: The file holds something it must not.
            SkeletonError: Its joints do not fit the skeleton.
        """

    def read(self, path: Path, *, skeleton: Skeleton | None = None, classes: Sequence[str] = ()) -> Source:
        """The clips of a file or folder; see the class and `Reader.read`."""
        meta = read_meta(path).settle(skeleton, classes)
        clips, names = labelled(path, self.is_clip, meta.classes)
        joints = meta.skeleton or self.joints(path, clips)
        return Source(
            clips=map(partial(self.clip, skeleton=joints, classes=names), clips),
            num_clips=len(clips),
            skeleton=joints,
            classes=names,
            splits=meta.splits,
            facts=meta.facts,
        )
