"""Checks of real data sets find what is known to be wrong with them."""

from ossein.readers import reader_for
from ossein.readers.base import Source
from ossein.skeleton import Skeleton
from ossein.store import check_store, write_store
from ossein.store.checks import Finding, halves, space
from ossein.store.checks.base import Look


def test_nw_ucla_leaks(real_data, tmp_path):
    path = real_data("nw_ucla") / "nw_ucla.pkl"
    store = write_store(reader_for(path).read(path), tmp_path / "s.clips")
    [found] = halves.identical(Look(store, {}))
    assert isinstance(found, Finding)
    assert found.places == (("xview", 95, 464), ("xview2", 95, 504))
    assert (found.level, found.count, found.of) == ("error", 95, 464)


def test_another_order_of_the_same_joints_is_told(real_data, tmp_path):
    """UTD-MHAD's joints are those of Kinect v1 in another order: read as `kinect-20` they are told, read as they are not."""
    path = real_data("utd_mhad") / "utd_mhad.pkl"
    for skeleton, wrong in ((None, False), (Skeleton.of("kinect-20"), True)):
        source = reader_for(path).read(path, skeleton=skeleton)
        some = [clip for _, clip in zip(range(60), source.clips)]
        store = write_store(
            Source(clips=iter(some), skeleton=source.skeleton, classes=source.classes), tmp_path / f"{wrong}.clips"
        )
        levels = {one.kind: one.level for one in check_store(store).findings}
        assert levels.get(space.LONG) == ("error" if wrong else None)
