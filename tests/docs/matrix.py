"""docs/reference/matrix.md from the published results; `python -m tests.docs.matrix [REPORT…]` publishes reports first.

A report is what `setu conformance --gateway NAME --report json=FILE` wrote.
"""

import sys
from pathlib import Path

from setu.bundled import data_dir
from setu.conformance.report import html, json_, matrix
from tests.docs.blocks import ROOT

PAGE = ROOT / "docs" / "reference" / "matrix.md"
HTML = PAGE.with_suffix(".html")


def publish(report: Path) -> Path:
    """Write one report as a published result, and return where."""
    [run] = json_.read(report)
    path = data_dir("conformance") / "results" / f"{run.label}.json"
    path.write_text(json_.render([matrix.published(run)]), encoding="utf-8")
    return path


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(publish(Path(name)))
    found = matrix.results()
    PAGE.write_text(matrix.page(found), encoding="utf-8")
    HTML.write_text(html.render(found, ()), encoding="utf-8")
