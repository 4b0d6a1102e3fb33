"""The tree of modules as docs/architecture.md draws it; `python -m tests.docs.tree` writes it anew."""

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
_BLOCK = re.compile(r"(?<=```text no-run: a drawing\n)setu/\n.*?(?=```)", re.DOTALL)


def drawing() -> str:
    """Draw every folder of the package on a line with the names of its modules."""
    lines = ["setu/"]
    for folder in [ROOT / "setu", *sorted(path for path in (ROOT / "setu").rglob("*") if path.is_dir())]:
        names = sorted(path.stem for path in folder.glob("*.py") if path.name != "__init__.py")
        place = folder.relative_to(ROOT / "setu").as_posix()
        if names:
            lead = "  " if place == "." else f"  {place}/"
            lines += textwrap.wrap(lead + "{" + ", ".join(names) + "}", 118, subsequent_indent="      ")
    return "\n".join(lines) + "\n"


def drawn() -> str:
    """Return the tree that the page shows."""
    found = _BLOCK.search(PAGE.read_text(encoding="utf-8"))
    return found.group() if found else ""


if __name__ == "__main__":
    PAGE.write_text(_BLOCK.sub(lambda _: drawing(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
