"""The catalogue: what the field's data sets are, where they are to be had, and how their numbers are told.

`catalogue.yaml` beside this file holds facts, one entry a data set. Some can be fetched (`ossein data get`); most are
given out by their authors on request, and their entry says where to ask and which format reads what comes.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from ossein.errors import DataError, SettingsError, did_you_mean
from ossein.files import read_yaml
from ossein.settings import Settings


class Entry(Settings):
    """One data set: what it is, whose, and how to get it. What is not known is None."""

    name: str
    """What to call it."""
    title: str
    """What its authors call it."""
    about: str
    """What is in it."""
    aliases: tuple[str, ...] = ()
    """Other names that people type."""
    clips: int | None = None
    """How many clips, as its authors count them."""
    classes: int | None = None
    """How many classes; of a set for re-identification, people."""
    class_names: Literal["ntu"] | None = None
    """Whose class names are its own, where ossein knows them and the file does not say."""
    skeleton: str
    """A built-in skeleton's name, or in words."""
    dims: Literal[2, 3] | None = None
    """Coordinates of a joint."""
    splits: tuple[str, ...]
    """The official protocols, by the words that `--split` understands."""
    metric: Literal["top1", "mean_class", "rank1"]
    """What its papers report: top-1 accuracy, mean class accuracy, or for re-identification rank-1."""
    licence: str
    """Under which terms."""
    cite: str
    """Whom to cite."""
    page: str
    """The page that tells of it, or where to ask for it."""
    before: str | None = None
    """What to do with what comes before `format` reads it."""
    format: str
    """The format that reads it."""
    base: str | None = None
    """The address of the folder that `file` lies in; a mirror's may stand for it."""
    file: str | None = None
    """The file to fetch, below `base`; None where people must ask."""
    size: int | None = None
    """The size of the file in bytes."""
    sha256: str | None = None
    """The SHA-256 of the file, 64 hexadecimal digits."""

    @property
    def store_name(self) -> str:
        """What its store is called: `gym-hrnet.clips`."""
        return f"{self.name}.clips"

    def url(self, mirror: str | None = None) -> str:
        """Where to fetch it.

        Args:
            mirror: The address of a folder that holds what `base` does.

        Raises:
            DataError: It is not for download; the message says where to ask and what to do then.
            SettingsError: The mirror is no http(s) address.
        """
        if self.base is None or self.file is None:
            raise DataError(
                f"{self.name}: {self.title} cannot be fetched, it is given out at {self.page}. {self.how()}"
            )
        if mirror is not None and not mirror.startswith(("http://", "https://")):
            raise SettingsError(f"the mirror '{mirror}' is no web address. Begin it with https:// or http://.")
        return f"{(mirror or self.base).rstrip('/')}/{self.file}"

    def how(self) -> str:
        """What to do, in words, to make a store of one that people must ask for."""
        read = f"run 'ossein data prepare {self.format} PATH {self.store_name}'."
        return f"Ask for it there, {self.before}, then {read}" if self.before else f"Ask for it there, then {read}"

    def facts(self) -> dict[str, str]:
        """What a store should say of where it comes from."""
        return {
            "data set": self.name,
            "title": self.title,
            "source": self.page,
            "licence": self.licence,
            "citation": self.cite,
            "metric": self.metric,
        }


@cache
def datasets() -> Mapping[str, Entry]:
    """Every data set that ossein knows of, by name."""
    path = Path(__file__).with_name("catalogue.yaml")
    return {
        name: Entry.read({"name": name, **fields}, where=f"{path}: {name}") for name, fields in read_yaml(path).items()
    }


def find_dataset(name: str, known: Mapping[str, Entry] | None = None) -> Entry:
    """The data set of this name or alias; upper case and `_` are as good as lower case and `-`.

    Args:
        name: Such as `gym-hrnet`, or `FineGym`.
        known: Where to look; the catalogue where not given.

    Raises:
        DataError: No data set is called so.

    >>> find_dataset("FineGym").store_name
    'gym-hrnet.clips'
    """
    known = datasets() if known is None else known
    names = {word: entry for entry in known.values() for word in (*entry.aliases, entry.name)}
    word = name.lower().replace("_", "-")
    if word not in names:
        raise DataError(
            f"no data set is called '{name}'. {did_you_mean(word, names)} See them all with 'ossein data list'."
        )
    return names[word]
