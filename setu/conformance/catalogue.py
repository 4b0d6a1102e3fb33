"""The catalogue: what each check demands, how strongly, and on what ground."""

from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
import tomli

from setu.bundled import data_dir
from setu.errors import ConfigError

Level = Literal["MUST", "SHOULD", "MAY"]
Kind = Literal["passive", "active", "fault"]


class Check(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row. A `passive` check judges any exchange, an `active` one needs a request of its own, a `fault` one a
    scripted upstream; `basis` names documents (`openai:#/…`), issues (`gh:owner/repo#1`) and breakages (`B-STR-01`).

    `needs` is the capability without which the check does not apply; `example` is a failure in one line. `evidence`
    says what real traffic of the API's own provider broke, by exchange ids of the corpus; what was done about it stands
    in `why`.
    """

    id: str
    level: Level
    profile: str
    kind: Kind
    title: str
    basis: tuple[str, ...]
    why: str
    fix: str
    introduced: str
    mutants: tuple[str, ...] = ()
    needs: str | None = None
    example: str | None = None
    evidence: tuple[str, ...] = ()

    @property
    def area(self) -> str:
        return area_of(self.id)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    check: tuple[Check, ...]


class Catalogue(msgspec.Struct, frozen=True):
    """All checks, in the order of their files and rows."""

    checks: tuple[Check, ...]

    @property
    def by_id(self) -> dict[str, Check]:
        return {check.id: check for check in self.checks}

    @property
    def areas(self) -> tuple[str, ...]:
        """Return the areas in the order of their first check."""
        return tuple(dict.fromkeys(check.area for check in self.checks))

    @property
    def version(self) -> str:
        """Return the date of the newest row, `2026.11`."""
        return max(check.introduced for check in self.checks)


AREA_ORDER = (
    "TRN",
    "AUTH",
    "MOD",
    "CHAT",
    "USG",
    "SSE",
    "STR",
    "TOOL",
    "RF",
    "PAR",
    "MM",
    "ERR",
    "ANT",
    "GEM",
    "RSP",
    "EMB",
    "PRX",
    "SDK",
    "XLT",
    "SCN",
    "FUZ",
)


def area_of(check: str) -> str:
    """Return the area of a check id: `STR` of `STR-009`."""
    return check.partition("-")[0]


@cache
def load(folder: Path | None = None) -> Catalogue:
    """Read the catalogue; without a folder, the bundled one.

    Raises:
        ConfigError: a file is not TOML, a row lacks or adds a member, or two rows share an id.
    """
    folder = data_dir("conformance") / "catalogue" if folder is None else folder
    checks = [check for path in sorted(folder.glob("*.toml"), key=_place) for check in _read(path)]
    ids = [check.id for check in checks]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ConfigError(f"{folder}: two rows for {', '.join(twice)}")
    if not checks:
        raise ConfigError(f"{folder}: no checks")
    return Catalogue(tuple(checks))


def _place(path: Path) -> tuple[int, str]:
    area = path.stem.upper()
    return (AREA_ORDER.index(area) if area in AREA_ORDER else len(AREA_ORDER), area)


def _read(path: Path) -> tuple[Check, ...]:
    try:
        return msgspec.convert(tomli.loads(path.read_text(encoding="utf-8")), _File).check
    except (tomli.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{path}: {error}") from None
