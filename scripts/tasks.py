"""What is run for docs/results.md: protocols of data sets, and the methods that are set side by side."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """One protocol of one data set.

    Args:
        title: What to call it in the table.
        data: The data set.
        splits: Its folds; the mean over them is one number per seed.
        labels: How many labels to learn from; pre-training has all clips of the training half, always.
        also: A further test split for the same models, where there is one.
        corpus: Which of `CORPORA` its data set is of, if its test half is in no training half of that; none if empty.
        published: A number to compare with, and whose.
    """

    title: str
    data: str
    splits: tuple[str, ...]
    labels: str = "all"
    also: str = ""
    corpus: str = ""
    published: str = ""


CORPORA = {"kinect": (("nw_ucla", "xview"), ("utd_mhad", "xsub"), ("msr_action3d", "xsub557"))}
"""Data sets and their splits, on whose training halves one pre-training learns together."""

TASKS = {
    "penn": Task("Penn Action", "penn_action_coco17", ("train",), published="97.9 UNIK (estimated poses)"),
    "penn-10": Task("Penn Action, 10 % of the labels", "penn_action_coco17", ("train",), labels="10%"),
    "penn-5": Task("Penn Action, 5 % of the labels", "penn_action_coco17", ("train",), labels="5%"),
    "penn-1": Task("Penn Action, 1 % of the labels", "penn_action_coco17", ("train",), labels="1%"),
    "utd-few": Task("UTD-MHAD, one label a class", "utd_mhad", ("xsub",), labels="1-per-class", corpus="kinect"),
    "ucla-10": Task("NW-UCLA, view 3, 10 % of the labels", "nw_ucla", ("xview",), labels="10%", corpus="kinect"),
    "jhmdb": Task(
        "JHMDB, mean of 3 splits",
        "jhmdb_coco17",
        ("split1", "split2", "split3"),
        published="77.2 DD-Net (longer training lists)",
    ),
    "ucla": Task(
        "NW-UCLA, view 3 (official)",
        "nw_ucla",
        ("xview",),
        also="xview_train:xview_val_nodup",
        corpus="kinect",
        published="96.5 CTR-GCN (4 streams)",
    ),
    "ucla1": Task("NW-UCLA, view 1 (no leak)", "nw_ucla", ("xview1",)),
    "utd": Task("UTD-MHAD, cross-subject", "utd_mhad", ("xsub",), corpus="kinect"),
    "msr": Task("MSR-Action3D, cross-subject", "msr_action3d", ("xsub557",), corpus="kinect"),
    "prmd": Task("UI-PRMD, cross-subject", "ui_prmd", ("xsub",)),
    "hrnet": Task("Poses of an estimator, 162 clips", "hrnet16", ("mod3",)),
    "hands": Task("SFINGE 3D, hand gestures", "sfinge3d", ("mod3",)),
}


@dataclass(frozen=True)
class Method:
    """One column of the table.

    Args:
        title: What to call it.
        preset: The recognition preset.
        pretrained: The pre-training preset to start from; random weights without one.
        alone: Learn from labelled clips only, with no teacher on the others.
        wide: Pre-train on all training halves of the task's corpus together; not run for tasks without one.
    """

    title: str
    preset: str
    pretrained: str = ""
    alone: bool = False
    wide: bool = False


METHODS = {
    "ossein": Method("ossein, pre-trained", "ossein", "ossein"),
    "ossein-wide": Method("ossein, pre-trained on three Kinect sets", "ossein", "ossein", wide=True),
    "ossein-random": Method("ossein, random weights", "ossein"),
    "ossein-alone": Method("ossein, labelled clips only", "ossein", alone=True),
    "ssl": Method("SSL, pre-trained", "ssl", "skeletonmae"),
    "ssl-random": Method("SSL, random weights", "ssl"),
    "stgcn": Method("ST-GCN", "stgcn"),
}
