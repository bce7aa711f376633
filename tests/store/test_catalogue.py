"""The catalogue: every entry can be used, no two share a name, and the help it gives is true."""

import re
from pathlib import Path

import pytest

from ossein.errors import DataError, SettingsError
from ossein.readers import READERS
from ossein.skeleton import Skeleton, builtin_names
from ossein.store import Entry, datasets, find_dataset

ENTRIES = list(datasets().values())
FETCHED = [entry for entry in ENTRIES if entry.file]
ASKED = [entry for entry in ENTRIES if not entry.file]

BARE = {"name": "mine", "title": "Mine", "about": "Clips.", "skeleton": "coco-17", "splits": ["train"]}
BARE |= {"metric": "top1", "licence": "none", "cite": "Me", "page": "https://mine.example", "format": "pyskl"}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_says_what_can_be_used(entry):
    assert re.fullmatch(r"[a-z0-9-]+", entry.name)
    assert entry.format in READERS
    assert entry.page.startswith(("https://", "http://"))
    assert re.search(r"\((?:\D*)(19|20)\d\d\)|arXiv", entry.cite)
    assert all(one is None or one > 0 for one in (entry.clips, entry.classes, entry.size))
    assert entry.splits
    assert entry.about.endswith(".")
    if entry.skeleton in builtin_names():
        assert len(Skeleton.of(entry.skeleton)) > 0
    else:
        assert re.fullmatch(r"\d+ joints|that of .+", entry.skeleton)
    assert entry.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", entry.sha256)


def test_names_and_aliases_are_all_different():
    names = [word for entry in ENTRIES for word in (entry.name, *entry.aliases)]
    assert len(names) == len(set(names))
    assert all(word == word.lower().replace("_", "-") for word in names)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("gym-hrnet", "gym-hrnet"),
        ("finegym", "gym-hrnet"),
        ("FineGym", "gym-hrnet"),
        ("gym_hrnet", "gym-hrnet"),
        ("ntu60", "ntu60-hrnet"),
        ("NTU120", "ntu120-hrnet"),
        ("diving48", "diving48-hrnet"),
        ("ntu60-3d", "ntu60-3d"),
    ],
)
def test_names_as_people_type_them(typed, name):
    assert find_dataset(typed).name == name
    assert find_dataset(typed).store_name == f"{name}.clips"


def test_a_name_that_is_none_gets_help():
    with pytest.raises(DataError, match=r"no data set is called 'gym-hrnt'. Did you mean 'gym-hrnet'"):
        find_dataset("gym-hrnt")
    mine = Entry.read(BARE)
    assert find_dataset("mine", {"mine": mine}) is mine
    with pytest.raises(DataError, match=r"Known: mine"):
        find_dataset("gym-hrnet", {"mine": mine})


def test_what_the_paper_reports():
    assert find_dataset("finegym").metric == "mean_class"
    assert {find_dataset(name).metric for name in ("ntu60", "ntu120", "diving48")} == {"top1"}
    assert (find_dataset("finegym").clips, find_dataset("finegym").classes) == (20_484 + 8_521, 99)


def test_the_files_of_pyskl():
    base = "https://download.openmmlab.com/mmaction/pyskl/data/"
    assert {entry.name: entry.url().removeprefix(base) for entry in FETCHED} == {
        "gym-hrnet": "gym/gym_hrnet.pkl",
        "ntu60-hrnet": "nturgbd/ntu60_hrnet.pkl",
        "ntu120-hrnet": "nturgbd/ntu120_hrnet.pkl",
        "ntu60-3d": "nturgbd/ntu60_3danno.pkl",
        "ntu120-3d": "nturgbd/ntu120_3danno.pkl",
        "diving48-hrnet": "diving48/diving48_hrnet.pkl",
        "ucf101-hrnet": "ucf101/ucf101_hrnet.pkl",
        "hmdb51-hrnet": "hmdb51/hmdb51_hrnet.pkl",
    }


@pytest.mark.parametrize("mirror", ["http://localhost:1/data", "http://localhost:1/data/"])
def test_a_mirror_stands_for_the_original_server(mirror):
    assert find_dataset("gym").url(mirror) == "http://localhost:1/data/gym/gym_hrnet.pkl"


@pytest.mark.parametrize("mirror", ["", "file:///etc", "ftp://x", "/data"])
def test_a_mirror_that_is_no_web_address(mirror):
    with pytest.raises(SettingsError, match="is no web address"):
        find_dataset("gym").url(mirror)


@pytest.mark.parametrize("entry", ASKED, ids=lambda entry: entry.name)
def test_what_is_given_out_on_request_says_where_and_what_then(entry):
    with pytest.raises(DataError) as raised:
        entry.url()
    assert entry.page in str(raised.value)
    assert f"'ossein data prepare {entry.format} PATH {entry.store_name}'" in str(raised.value)
    assert (entry.before is None) or entry.before in str(raised.value)


def test_the_sets_that_people_ask_for_are_there():
    assert {entry.name for entry in ASKED} >= {"ntu60-raw", "kinetics-skeleton", "penn-action", "jhmdb", "nw-ucla"} | {
        "utd-mhad", "msr-action3d", "ui-prmd", "pku-mmd", "finegym-raw", "diving48-raw", "toyota-smarthome", "babel",
    } | {"ks20", "biwi", "ias-lab", "kgbd"}  # fmt: skip
    assert {find_dataset(name).metric for name in ("ks20", "biwi", "ias-lab", "kgbd")} == {"rank1"}


def test_the_page_tells_of_every_entry():
    text = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")
    ]
    told = {re.match("`([^`]+)`", row[0])[1]: row for row in rows}  # pyright: ignore
    assert set(told) == set(datasets())
    for name, entry in datasets().items():
        names, what, clips, classes, skeleton, splits, metric, *reads = told[name]
        assert re.findall(r"[\w-]+", names.replace("`", "")) == [name, *entry.aliases]
        assert entry.title in what
        assert [clips, classes] == [f"{n:,}" if n else "-" for n in (entry.clips, entry.classes)]
        assert (skeleton, splits.replace("`", "").split(", ")) == (entry.skeleton, list(entry.splits))
        assert metric == {"top1": "top-1", "mean_class": "mean class", "rank1": "rank-1"}[entry.metric]
        assert reads == ([] if entry.file else [f"`{entry.format}`"])
        assert entry.file or entry.page in what


def test_entries_are_strict():
    with pytest.raises(SettingsError, match="unknown field 'sise'"):
        Entry.read({**BARE, "sise": 3})
    with pytest.raises(SettingsError, match="metric"):
        Entry.read({**BARE, "metric": "accuracy"})
