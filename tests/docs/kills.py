"""docs/reference/kill-matrix.md; `python -m tests.docs.kills` proves every mutant anew and writes it, in minutes.

`conformance/kills.json` keeps the verdicts, so that a test can hold the page to the mutants that there are.
"""

import json
import os
from typing import Any

import msgspec

from setu.bundled import data_dir
from setu.conformance import prove, rival_kills
from setu.conformance.mutants.registry import MUTANTS
from setu.conformance.prove import Verdict
from setu.conformance.report import kills
from tests.docs.blocks import ROOT

PAGE = ROOT / "docs" / "reference" / "kill-matrix.md"
KEPT = data_dir("conformance") / "kills.json"


def kept() -> tuple[list[Verdict], dict[str, list[str]]]:
    """Return the verdicts of the last proof, and what the other suite said."""
    data: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    return msgspec.convert(data["verdicts"], list[Verdict]), data["llm-comply"]


def page() -> str:
    """Return the page of what is kept."""
    verdicts, rival = kept()
    return kills.page(MUTANTS, verdicts, rival)


def _prove() -> None:
    verdicts = []
    for verdict in prove.prove(MUTANTS, os.cpu_count() or 1):
        print(kills.line(verdict), flush=True)
        verdicts.append(verdict)
    rival = {}
    for name, tests in rival_kills.kills(MUTANTS):
        print(name, *tests, flush=True)
        rival[name] = tests
    rows = [json.dumps(_plain(verdict), ensure_ascii=False, sort_keys=True) for verdict in verdicts]
    said = [f"{json.dumps(name)}: {json.dumps(tests)}" for name, tests in rival.items()]
    text = '{"verdicts": [\n' + ",\n".join(rows) + '\n],\n"llm-comply": {\n' + ",\n".join(said) + "\n}}\n"
    KEPT.write_text(text, encoding="utf-8")


def _plain(verdict: Verdict) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(verdict, order="sorted")
    return found | {"sample": ""}  # what it says may differ from run to run


if __name__ == "__main__":
    _prove()
    PAGE.write_text(page(), encoding="utf-8")
