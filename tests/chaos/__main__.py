"""The chaos run at any length: `python -m tests.chaos --seconds 120`. Its status is 1 where something is wrong."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.chaos.storm import run
from tests.chaos.verdict import faults


def main() -> int:
    """Run, print the figures, then what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="setu-chaos-") as folder:
        findings = run(Path(folder), options.seconds, options.seed)
    print(findings)
    wrong = [f"{name}: {sentence}" for name, sentences in faults(findings).items() for sentence in sentences]
    print("\n".join(wrong[:200]) or "nothing is wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
