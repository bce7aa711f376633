"""Training: any objective, on any store, on any number of processes."""

from ossein.train.checkpoint import load_weights, read_tensors, write_tensors
from ossein.train.feed import Feed, InputSettings, fixed_batches
from ossein.train.loop import Progress, Report, Stopped, TrainSettings, fit, total_steps
from ossein.train.optim import OptimSettings, build_optimiser, learning_rate
from ossein.train.processes import all_processes, first_process, start_processes
from ossein.train.record import Run, free_folder, provenance

__all__ = [
    "Feed",
    "InputSettings",
    "OptimSettings",
    "Progress",
    "Report",
    "Run",
    "Stopped",
    "TrainSettings",
    "all_processes",
    "build_optimiser",
    "first_process",
    "fit",
    "fixed_batches",
    "free_folder",
    "learning_rate",
    "load_weights",
    "provenance",
    "read_tensors",
    "start_processes",
    "total_steps",
    "write_tensors",
]
