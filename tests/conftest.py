"""What tests share: the real data sets, where they are present."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """The folder of a real data set by name; the test is skipped, and says so, where it is absent."""

    def find(name: str) -> Path:
        root = Path(os.environ.get("OSSEIN_DATA", Path(__file__).parents[2] / "shared" / "data"))
        if not (root / name).is_dir():
            pytest.skip(f"the real data set {name} is not here (set OSSEIN_DATA)")
        return root / name

    return find
