"""A data set in one memory-mapped file: written once, sampled in whole batches, split into training and test halves."""

from ossein.store.file import Store
from ossein.store.splits import Split, few, protocols, resolve, resolve_many, training
from ossein.store.write import Clips, write_store

__all__ = ["Clips", "Split", "Store", "few", "protocols", "resolve", "resolve_many", "training", "write_store"]
