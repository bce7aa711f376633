"""From the name of a known data set to its store: fetched, checked, prepared, and labelled with where it comes from."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib.resources import files
from pathlib import Path

from ossein.errors import OsseinError
from ossein.files import read_json, write_json
from ossein.recipes.prepare import Told, prepare
from ossein.store import Entry, Store, fetch, find_dataset

Bar = Callable[[str, str], AbstractContextManager[Told]]
"""Shows the progress of one step: title and unit (`clip`) in; while the block lasts it is told of units done and in all."""

_MB = 1_000_000


def get(
    name: str,
    folder: Path = Path("data"),
    *,
    keep_download: bool = False,
    mirror: str | None = None,
    catalogue: Mapping[str, Entry] | None = None,
    bar: Bar = lambda title, unit: nullcontext(lambda done, total: None),
) -> Store:
    """The store of a known data set: `folder/NAME.clips`, fetched and made unless it is there.

    The download lies in `folder/NAME/` until the store is made; what was begun earlier is gone on with, and a file that
    someone put there is used (and kept) as if it had been fetched. What the catalogue says of the data set (title,
    source, licence, citation, metric), and the SHA-256 of what came, become facts of the store.

    Args:
        name: A name or alias of the catalogue, such as `finegym`.
        folder: Where stores and downloads lie.
        keep_download: Leave the download where it is.
        mirror: The address of a folder to fetch from in place of the catalogue's.
        catalogue: The data sets to look among; those that ossein knows where not given.
        bar: Shows the progress of fetching (in MB) and preparing (in clips).

    Raises:
        DataError: No data set is called so, it is given out on request alone, it cannot be fetched or read.
        SettingsError: The mirror is no web address.
    """
    entry = find_dataset(name, catalogue)
    out = folder / entry.store_name
    if out.exists():
        return Store.open(out)
    url = entry.url(mirror)
    file = folder / entry.name / url.rpartition("/")[2]
    meta = file.with_name("meta.json")
    ours = [one for one in (file, meta) if not one.exists()]
    with bar(entry.name, "MB") as tell:
        digest = fetch(
            url,
            file,
            size=entry.size,
            sha256=entry.sha256,
            told=lambda done, total: tell(done // _MB, total and -(-total // _MB)),
        )
    _describe(entry, meta, sha256=digest, **({"origin": url} if file in ours else {}))
    try:
        with bar(out.name, "clip") as tell:
            store = prepare(entry.format, file, out, progress=tell)
    except OsseinError as error:
        raise type(error)(f"{error} The download is kept as {file}; remove it if it is damaged.") from None
    if not keep_download:
        _remove(ours)
    return store


def _describe(entry: Entry, meta: Path, **came: str) -> None:
    """Write down beside a download what it is; readers make facts of the store of it. What stands there already is kept."""
    known = read_json(meta) if meta.exists() else {}
    if not isinstance(known, dict):  # the reader says so
        return
    checks = [word for word, value in (("size", entry.size), ("SHA-256", entry.sha256)) if value is not None]
    facts = {
        **entry.facts(),
        **came,
        "checked": " and ".join(checks) or "against nothing: neither size nor SHA-256 of this file is known",
    }
    names = {"class_names": _class_names(entry)} if entry.class_names else {}
    write_json(meta, names | known | facts)


def _class_names(entry: Entry) -> list[str]:
    names = (files("ossein.readers") / f"{entry.class_names}_actions.txt").read_text(encoding="utf-8")
    return names.splitlines()[: entry.classes]


def _remove(ours: list[Path]) -> None:
    """Take away what this call has made; a download or notes that someone else put there stay."""
    for one in ours:
        one.unlink(missing_ok=True)
    for folder in {one.parent for one in ours}:
        if not any(folder.iterdir()):
            folder.rmdir()
