"""What every way of running the suite may be told, and how it sums up."""

from datetime import date
from pathlib import Path

import msgspec

from setu.conformance.catalogue import load as load_catalogue
from setu.conformance.expected import Expectation, overdue, reasons
from setu.conformance.results import Run, collect
from setu.conformance.selection import Selection
from setu.conformance.tally import Tally


class Common(msgspec.Struct, frozen=True, kw_only=True):
    """Which checks a run is about, which of them are expected to fail on which day, where to keep the exchanges."""

    selection: Selection = Selection()
    expected: tuple[Expectation, ...] = ()
    today: date = date(1970, 1, 1)
    seed: int = 0
    save: Path | None = None

    def collected(self, target: str, tally: Tally) -> Run:
        """Sum a tally up, narrowed to what was asked for.

        Raises:
            ConfigError: something was observed that the catalogue does not have.
        """
        catalogue = load_catalogue()
        known = catalogue.by_id
        about = [one for one in self.expected if self.selection.wants(known[one.check])]
        run = collect(
            target,
            catalogue,
            tally.observations,
            unsupported=tally.unsupported,
            inconclusive=tally.inconclusive,
            expected=reasons(about),
            overdue=overdue(about, self.today),
            skipped=tally.skipped,
        )
        return self.selection.narrow(msgspec.structs.replace(run, seed=self.seed))
