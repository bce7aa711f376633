"""From anyone's data, a store or a foreign file, to what is the matter with it."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ossein.errors import DataError
from ossein.files import write_json, write_text
from ossein.readers import get_reader, reader_for
from ossein.recipes.health import health_page
from ossein.skeleton import Skeleton
from ossein.store import Finding, Health, Store, check_store, write_store
from ossein.store.file import FORMAT
from ossein.words import count

UNREADABLE = "a file that cannot be read to its end"
NOT_FINITE = "numbers that are not finite"

Bar = Callable[[str], AbstractContextManager[Callable[[int, int | None], None]]]
"""Shows the progress of one step: its title in; while the block lasts it is told of clips done and in all."""


def check(
    data: Path,
    *,
    format: str = "auto",
    skeleton: str | None = None,
    json: Path | None = None,
    report: Path | None = None,
    bar: Bar = lambda title: nullcontext(lambda done, total: None),
) -> Health:
    """Look for what is wrong with a data set, and write it down.

    A foreign file is read into a store of its own, which is gone afterwards. What a reader refuses is a finding.

    Args:
        data: A store, or a file or folder in any format that ossein reads.
        format: The reader's name, or `auto` to tell it from the file.
        skeleton: A built-in skeleton's name or a YAML file, for data that do not say; wins over what they say.
        json: Where to write the findings as plain data.
        report: Where to write them as a page, with pictures.
        bar: Shows the progress of reading and of checking.

    Raises:
        DataError: There is no such file, or it looks like none of the formats.
        SkeletonError: The joints are not known or do not fit.
    """
    with _opened(data, format, skeleton, bar) as (store, health):
        if store is not None:
            with bar(f"check {data.name}") as progress:
                health = check_store(store, progress=progress)
        if json:
            write_json(json, plain(data.name, store, health))
        if report:
            write_text(report, health_page(data.name, store, health))
    return health


def plain(name: str, store: Store | None, health: Health) -> dict[str, Any]:
    """What was found as plain data.

    Args:
        name: What was checked.
        store: Its clips, where it could be read.
        health: What was found.
    """
    what = {"clips": len(store), "skeleton": store.skeleton.name, "hash": store.hash} if store is not None else {}
    return {"data": name, **what, "sound": health.sound, **asdict(health)}


def finding_rows(health: Health) -> list[tuple[str, str, str, str]]:
    """Findings as (level, what it is, how many, the first examples)."""
    return [(one.level, one.kind, one.many, _first(one)) for one in health.findings]


def finding_lines(health: Health) -> list[str]:
    """Findings in full: what each means, and what to do."""
    return [f"{one.kind}: {one.means}\n  -> {one.help}" for one in health.findings]


def summary(health: Health) -> str:
    """How many findings of each level there are, and what could not be checked."""
    counts = [count(health.count(level), level) for level in ("error", "warning", "note")]
    skipped = "".join(f"\nnot checked: {one.kind} ({one.why})" for one in health.skipped)
    return ", ".join(counts) + skipped


def _first(finding: Finding) -> str:
    return "; ".join(one.clip + (f" ({one.says})" if one.says else "") for one in finding.examples[:2])


@contextmanager
def _opened(data: Path, format: str, skeleton: str | None, bar: Bar) -> Iterator[tuple[Store | None, Health]]:
    """The store of the data, or what keeps it from being read."""
    if format == "auto" and skeleton is None and _is_store(data):
        yield Store.open(data), Health(())
        return
    if not data.exists():
        raise DataError(f"{data}: does not exist. Check the path.")
    reader = reader_for(data) if format == "auto" else get_reader(format)
    known = Skeleton.of(skeleton) if skeleton else None
    with tempfile.TemporaryDirectory(prefix="ossein-check-") as folder:
        out = Path(folder) / "data.clips"
        try:
            with bar(f"read {data.name}") as progress:
                store = write_store(reader.read(data, skeleton=known), out, progress=progress)
        except DataError as error:
            yield None, Health((_unreadable(str(error).replace(str(out), str(data))),))
        else:
            yield store, Health(())


def _is_store(data: Path) -> bool:
    if data.suffix == ".clips":
        return True
    try:
        with data.open("rb") as file:
            return FORMAT.encode() in file.read(200)
    except OSError:
        return False


def _unreadable(message: str) -> Finding:
    kind = NOT_FINITE if "not finite" in message else UNREADABLE
    help = "Mend it and check again: what comes after it was not looked at."
    return Finding(kind, "error", 1, 1, "file", message, help)
