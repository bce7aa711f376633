"""The paper's tables: its numbers, what its cells are, and which of them a skeleton has."""

from collections import Counter

import numpy as np
import pytest

from ossein.recipes import paper
from ossein.recipes.tables import TABLES, Scope, Variant
from ossein.skeleton import Skeleton

COCO = Scope(Skeleton.of("coco-17"))


def numbers(text):
    return tuple(map(float, text.split()))


def test_the_papers_numbers():
    """As the paper's tables are read in a row, typed a second time."""
    assert numbers("89.6 90.7 91.2 90.9") == paper.DEPTH
    assert numbers("89.1 90.6 91.2 91.0") == paper.LAYERS
    assert numbers("88.6 89.5 90.2 91.2 90.3 91.2") == paper.ONE_PART["gin"]
    assert numbers("87.6 88.9 89.3 90.6 89.5 90.5") == paper.ONE_PART["gcn"]
    assert numbers("86.8 88.1 88.9 89.5 89.4 90.0") == paper.ONE_PART["gat"]
    assert numbers("89.7 90.3 89.9 90.1") == paper.RANDOM_JOINTS
    assert numbers("91.8 91.2 91.0 90.8") == paper.BEST_PARTS
    assert numbers("91.1 90.1 91.0 90.2") == paper.WORST_PARTS
    assert paper.RANDOM_WEIGHTS == 86.3
    assert (paper.BEST_PARTS[0], paper.BEST_SETS[0]) == (91.8, ("right_arm", "right_leg"))  # the headline


def test_one_training_has_one_number_in_all_tables_of_the_paper():
    cells = [cell for name in TABLES for cell in TABLES[name](COCO).cells if cell.paper]
    told = {}
    for cell in cells:
        assert told.setdefault(cell.variant.name, cell.paper) == cell.paper, cell
    assert told[COCO.base.name] == paper.BASE == 91.2
    assert Counter(cell.variant.name for cell in cells)[COCO.base.name] == 5  # depth, layers, parts, backbone, loss


def test_the_papers_own_numbers_agree_with_its_conclusions():
    """A conclusion that the paper's own numbers contradict would be misread."""
    for name in set(TABLES) - {"transfer"}:
        table = TABLES[name](COCO)
        told = {cell.variant: cell.paper for cell in table.cells if cell.paper}
        assert table.claims
        for claim in table.claims:
            better, worse = (np.mean([told[v] for v in group]) for group in (claim.better, claim.worse))
            assert better > worse, (name, claim.text)


def test_what_is_hidden_is_what_the_paper_hides():
    sizes = {(c.series, c.at): c.note.rpartition(", ")[2] for c in TABLES["joints"](COCO).cells}
    assert [sizes["best parts", at] for at in ("30 %", "50 %", "70 %")] == [f"{n} of 17 joints" for n in (4, 9, 12)]
    assert [c.at for c in TABLES["parts"](COCO).cells][:6] == [f"V{i} {part}" for i, part in enumerate(paper.PARTS)]
    assert COCO.skeleton.parts["right_arm"] == (8, 10)
    assert COCO.base == Variant((3,))


@pytest.mark.parametrize("name", ["ntu-25", "penn-13", "hand-21", "mediapipe-33"])
def test_parts_are_known_by_their_names(name):
    scope = Scope(Skeleton.of(name))
    table = TABLES["parts"](scope)
    assert [c.at for c in table.cells][: len(scope.parts)] == [f"V{i} {part}" for i, part in enumerate(scope.parts)]
    assert {c.at.partition(" ")[2]: c.paper for c in table.cells if c.series == "GIN"} == {
        part: dict(zip(paper.PARTS, paper.ONE_PART["gin"])).get(part) for part in scope.parts
    }
    assert len(table.left_out) == len(set(paper.PARTS) - set(scope.parts))


@pytest.mark.parametrize("key", ["depth", "layers", "backbone", "loss"])
def test_the_papers_numbers_stand_beside_its_own_hidden_part_alone(key):
    body, hand = (TABLES[key](Scope(Skeleton.of(name))) for name in ("ntu-25", "hand-21"))
    assert sum(c.paper is not None for c in body.cells) == {"depth": 4, "layers": 4, "backbone": 3, "loss": 2}[key]
    assert {c.paper for c in hand.cells} == ({None, paper.RANDOM_WEIGHTS} if key == "loss" else {None})
    assert body.left_out == ()
    (told,) = hand.left_out
    assert "hidden right_arm, hand-21 has none" in told
    assert [c.variant for c in hand.cells if c.variant.start != "random"]
    assert hand.claims


def test_cells_that_do_not_exist_are_left_out_and_told():
    legless = Skeleton.make(
        "legless",
        ["nose", "left_shoulder", "right_shoulder", "left_wrist", "right_wrist"],
        [(0, 1), (0, 2), (1, 3), (2, 4)],
    )
    scope = Scope(legless)
    assert scope.parts == ["head", "torso", "left_arm", "right_arm"]
    joints = TABLES["joints"](scope)
    assert {(c.series, c.at) for c in joints.cells} == {
        *(("random joints", f"{n} %") for n in (30, 50, 70, 90)),
        ("worst parts", "50 %"),
    }
    assert "best parts at 30 % (paper 91.8): legless has no part right_leg" in joints.left_out
    assert joints.claims == ()
    assert [claim.text for claim in TABLES["parts"](scope).claims] == [
        "GIN is better than GCN over all parts",
        "GCN is better than GAT over all parts",
    ]
    assert Scope(Skeleton.of("hand-21")).base.hidden == (3,)
    two = Skeleton.make("two", ["a", "b"], [(0, 1)], parts={"x": ["a"], "y": ["b"]})
    assert Scope(two).base.hidden == (1,)
    assert [c.at for c in TABLES["joints"](Scope(two)).cells] == ["30 %", "50 %", "70 %"]
    assert "random joints at 90 % (paper 90.1): 2 of 2 joints would be hidden" in TABLES["joints"](Scope(two)).left_out
