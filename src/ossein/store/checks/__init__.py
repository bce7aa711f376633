"""What is wrong with a data set, found before anyone trains on it: every check, and the report of all of them."""

from collections.abc import Callable
from dataclasses import dataclass

from ossein.store.checks import halves, labels, near, presence, shape, sides, space
from ossein.store.checks.base import LEVELS, Check, Example, Finding, Gauge, Level, Look, Skipped
from ossein.store.file import Store

__all__ = ["CHECKS", "GAUGES", "LEVELS", "Example", "Finding", "Health", "Level", "Skipped", "check_store"]

GAUGES: dict[str, Gauge] = {
    **presence.GAUGES,
    **shape.GAUGES,
    **sides.GAUGES,
    **space.GAUGES,
    **near.GAUGES,
}
"""What is read off each clip."""

CHECKS: dict[str, Check] = {
    **halves.CHECKS,
    **near.CHECKS,
    **labels.CHECKS,
    **space.CHECKS,
    **sides.CHECKS,
    **shape.CHECKS,
    **presence.CHECKS,
}
"""Every check, by the first kind of thing that it finds."""


@dataclass(frozen=True)
class Health:
    """What all checks say of a data set.

    Args:
        findings: What is the matter, the worst first.
        skipped: What could not be checked, and why.
    """

    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing is an error."""
        return all(finding.level != "error" for finding in self.findings)

    def count(self, level: Level) -> int:
        """How many findings are of a level."""
        return sum(finding.level == level for finding in self.findings)


def check_store(store: Store, *, progress: Callable[[int, int | None], None] | None = None) -> Health:
    """Look for what is wrong with a data set.

    Every clip is read once, one after another, so that the store may be larger than memory.

    Args:
        store: The clips.
        progress: Called after each clip with how many are done and how many there are.
    """
    look = Look.at(store, GAUGES, progress)
    results = [result for check in CHECKS.values() for result in check(look)]
    findings = sorted(
        (one for one in results if isinstance(one, Finding)), key=lambda finding: LEVELS.index(finding.level)
    )
    return Health(tuple(findings), tuple(one for one in results if isinstance(one, Skipped)))
