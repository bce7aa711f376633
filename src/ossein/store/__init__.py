"""A data set in one memory-mapped file: written once, sampled in whole batches, split into training and test halves."""

from ossein.store.catalogue import Entry, datasets, find_dataset
from ossein.store.checks import Finding, Health, check_store
from ossein.store.download import fetch
from ossein.store.file import Store
from ossein.store.labels import draw_labels
from ossein.store.several import Several
from ossein.store.splits import ALL, Split, families, protocols, resolve, resolve_many, to_learn, training
from ossein.store.write import Clips, write_store

__all__ = [
    "ALL",
    "Clips",
    "Entry",
    "Finding",
    "Health",
    "Several",
    "Split",
    "Store",
    "check_store",
    "datasets",
    "draw_labels",
    "families",
    "fetch",
    "find_dataset",
    "protocols",
    "resolve",
    "resolve_many",
    "to_learn",
    "training",
    "write_store",
]
