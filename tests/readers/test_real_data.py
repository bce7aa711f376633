"""Real data sets are read whole: as many clips, classes and joints as their own notes say."""

import json

import numpy as np
import pytest

from ossein.readers import reader_for
from ossein.readers.base import FAINT

SETS = [
    "bandai_namco2",
    "hrnet16",
    "jhmdb",
    "jhmdb_coco17",
    "msr_action3d",
    "nw_ucla",
    "penn_action_coco17",
    "sfinge3d",
    "ui_prmd",
    "utd_mhad",
]


@pytest.mark.parametrize("name", SETS)
def test_a_real_set_is_what_its_notes_say(name, real_data):
    folder = real_data(name)
    notes = json.loads((folder / "meta.json").read_text())
    source = reader_for(folder / f"{name}.pkl").read(folder / f"{name}.pkl")
    assert source.skeleton is not None
    labels, names, frames = set(), set(), 0
    for clip in source.clips:
        labels.add(clip.label)
        names.add(clip.name)
        frames += clip.num_frames
        assert clip.x.shape[2:] == (notes["joints"], notes["dims"])
    assert len(names) == source.num_clips == notes["clips"]
    assert labels == set(range(notes["classes"]))
    assert frames == notes["frames"]["total"]
    assert {split: len(members) for split, members in source.splits.items()} == notes["split"]
    assert all(set(members) <= names for members in source.splits.values())
    assert len(source.classes) in (0, notes["classes"])
    assert "source" in source.facts


def test_occluded_joints_are_faint_and_fill_values_absent(real_data):
    path = real_data("penn_action_coco17") / "penn_action_coco17.pkl"
    corner = faint = total = 0
    for clip in reader_for(path).read(path).clips:
        body = np.delete(clip.score, [1, 2, 3, 4], axis=2)
        assert (clip.score[:, :, 1:5] == 0).all()  # eyes and ears: not annotated
        corner += int(((clip.score > 0) & (np.abs(clip.x).max(-1) <= 2)).sum())
        faint += int((body == np.float32(FAINT)).sum())
        total += body.size
    assert corner == 0
    assert 0.1 < faint / total < 0.2
