"""The fenced code blocks and the links of the Markdown pages.

The info string of a block says how it is proved:

    console                   commands after `$ ` run in order; the other lines must occur in the output, in order
    python                    runs as a script; with `file:` it is compiled, and a command further down runs it
    yaml | toml | json        is parsed; `toml setu.toml` is also validated as a configuration
    nginx file: setu.conf     is what tests/chaos serves through
    … file: NAME              the block is first written to NAME, for the blocks after it
    … no-run: REASON          is not run; the reason stands in tests/docs/no_run.txt, a list that only shrinks
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<info>[^\n]*)\n(?P<text>.*?)^(?P=indent)(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)[^)]*\)")
_HEADING = re.compile(r"^#+ +(.+?) *#*$", re.MULTILINE)
_NO_RUN = re.compile(r"\bno-run:\s*(.+)$")
_FILE = re.compile(r"\bfile:\s*(\S+)")


class Block(NamedTuple):
    """A fenced block: where it stands, its language, the rest of its info string, and its text."""

    page: Path
    line: int
    language: str
    info: str
    text: str

    @property
    def place(self) -> str:
        return f"{name_of(self.page)}:{self.line}"

    @property
    def reason(self) -> str | None:
        """Why it is not run; None when it is."""
        found = _NO_RUN.search(self.info)
        return found.group(1).strip() if found else None

    @property
    def file(self) -> str | None:
        found = _FILE.search(self.info)
        return found.group(1) if found else None


def name_of(page: Path) -> str:
    """Return a page's path from the root of the repository."""
    return page.relative_to(ROOT).as_posix() if page.is_relative_to(ROOT) else page.name


def pages() -> list[Path]:
    """Return every page that a user reads."""
    readme = [path for path in (ROOT / "README.md",) if path.is_file()]
    return readme + sorted((ROOT / "docs").rglob("*.md"))


def blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page in order."""
    source = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(source):
        language, _, info = found["info"].strip().partition(" ")
        indent = len(found["indent"])
        text = "".join(
            line[indent:] if line[:indent].isspace() else line for line in found["text"].splitlines(keepends=True)
        )
        yield Block(page, source.count("\n", 0, found.start()) + 1, language, info.strip(), text)


def prose(page: Path) -> str:
    """Return a page without its blocks and its inline code."""
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", page.read_text(encoding="utf-8")))


def links(page: Path) -> list[str]:
    """Return the targets of the links of a page."""
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """Return the anchors that a page's headings make (lower case, spaces to hyphens, punctuation dropped)."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
