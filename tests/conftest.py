"""What tests share: shapes checked at run time, and the real data sets, where they are present."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

# The shapes in annotations are checked in tests alone, since the checks would keep torch.compile from whole graphs.
# A whole number will do where a float is asked for (PEP 484).
_CHECKED = [f"ossein.{name}" for name in ("augment", "encoders", "nn", "pretrain", "tasks")]
install_import_hook(_CHECKED, "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")

# Doctests are looked for in every module, and two conftest.py would be one module.
collect_ignore_glob = ["conftest.py", "*/conftest.py"]


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """The folder of a real data set by name; the test is skipped, and says so, where it is absent."""

    def find(name: str) -> Path:
        root = Path(os.environ.get("OSSEIN_DATA", Path(__file__).parents[2] / "shared" / "data"))
        if not (root / name).is_dir():
            pytest.skip(f"the real data set {name} is not here (set OSSEIN_DATA)")
        return root / name

    return find
