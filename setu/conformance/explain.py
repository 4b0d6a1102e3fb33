"""What a check demands and on what ground, for people who failed it: `setu conformance explain` and `list`."""

import difflib
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec
import tomli

from setu.bundled import data_dir
from setu.conformance.catalogue import Catalogue, Check, load
from setu.conformance.clients import depending_on
from setu.conformance.mutants.registry import MUTANTS
from setu.conformance.selection import PROFILES
from setu.errors import ConfigError

KINDS = {
    "passive": "judges any exchange, live or recorded",
    "active": "needs a request of its own",
    "fault": "needs an upstream that does what it is told",
}

AREAS = {
    "TRN": "HTTP",
    "AUTH": "Keys",
    "MOD": "Models",
    "CHAT": "Chat answers",
    "USG": "Usage",
    "SSE": "Server-sent events",
    "STR": "Streamed chats",
    "TOOL": "Tools",
    "RF": "Structured output",
    "PAR": "Parameters",
    "MM": "Parts that are not text",
    "ERR": "Errors",
    "ANT": "Anthropic clients",
    "GEM": "Gemini clients",
    "RSP": "Responses clients",
    "EMB": "Embeddings",
    "PRX": "Gateways",
    "SDK": "Clients as judges",
    "XLT": "Laws of adapters",
    "SCN": "Scenarios",
    "FUZ": "Generated requests",
}
"""What the areas are about."""

BREAKAGES = "docs/reference/breakages.md"
# The places that the prefixes of a basis stand for; what follows the prefix is appended.
_PREFIXES = {
    "openai:#": "https://raw.githubusercontent.com/openai/openai-openapi/main/openapi.yaml#",
    "openai:docs/": "https://platform.openai.com/docs/",
    "anthropic:docs/": "https://platform.claude.com/docs/en/",
    "google:aip/": "https://google.aip.dev/",
    "pypi:": "https://pypi.org/project/",
    "npm:": "https://www.npmjs.com/package/",
}
_PAGES = {
    "whatwg:server-sent-events": "https://html.spec.whatwg.org/multipage/server-sent-events.html",
    "owasp:API8-2023": "https://owasp.org/API-Security/editions/2023/en/0xa8-security-misconfiguration/",
    "openrouter:auto-exacto": "https://openrouter.ai/docs/guides/routing/auto-exacto",
    "protobuf:proto3-json": "https://protobuf.dev/programming-guides/json/",
    "vcrpy:request-matching": "https://vcrpy.readthedocs.io/en/latest/configuration.html",
    "google:rest/v1beta/GenerateContentResponse": "https://ai.google.dev/api/generate-content",
    "google:rest/v1beta/models.generateContent": "https://ai.google.dev/api/generate-content",
    "google:rest/v1beta/models.streamGenerateContent": "https://ai.google.dev/api/generate-content",
    "google:rest/v1beta/Content": "https://ai.google.dev/api/caching",
    "google:rest/v1beta/Tool": "https://ai.google.dev/api/caching",
    "google:rpc/code": "https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto",
}
_ISSUE = re.compile(r"gh:(?P<repository>[\w.-]+/[\w.-]+)#(?P<number>\d+)")
_FILE = re.compile(r"gh:(?P<repository>[\w.-]+/[\w.-]+)/(?P<path>.+)")
_RFC = re.compile(r"rfc(?P<number>\d+)#(?P<section>.+)")
_BREAKAGE = re.compile(r"B-(?P<row>[A-Z]{3,4}-\d{2})")
_WIDTH = 10


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """One basis of a check: where it can be read (None: nowhere by itself), and what a breakage says."""

    basis: str
    url: str | None
    says: str | None = None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of a check.

    `servers` are the reference servers with one thing wrong that the check must catch, by name with what is wrong;
    `clients` says by name what breaks in each that depends on it.
    """

    check: Check
    basis: tuple[Ground, ...]
    servers: dict[str, str]
    clients: dict[str, str]


def explanation(check: str, catalogue: Catalogue | None = None) -> Explanation:
    """Gather what is known of a check.

    Raises:
        ConfigError: the catalogue has no such check; the sentence names the nearest.
    """
    row = find(check, catalogue)
    clients = {f"{client.name} ({client.versions})": client.because(row.id) for client in depending_on(row.id)}
    servers = {mutant.name: mutant.about for mutant in MUTANTS if mutant.check == row.id}
    return Explanation(check=row, basis=tuple(ground(basis) for basis in row.basis), servers=servers, clients=clients)


def find(check: str, catalogue: Catalogue | None = None) -> Check:
    """Return a row by its id, in whatever case.

    Raises:
        ConfigError: there is none; the sentence names the nearest.
    """
    known = (load() if catalogue is None else catalogue).by_id
    row = known.get(check.upper())
    if row is None:
        near = difflib.get_close_matches(check.upper(), known, n=3)
        hint = f"; do you mean {', '.join(near)}?" if near else "; `setu conformance list` shows all"
        raise ConfigError(f"the catalogue has no check {check}{hint}")
    return row


def ground(basis: str) -> Ground:
    """Say where a basis can be read."""
    if found := _BREAKAGE.fullmatch(basis):
        area, says = _breakages()[found["row"]]
        return Ground(basis=basis, url=f"{BREAKAGES}#{area}", says=says)
    return Ground(basis=basis, url=link(basis))


def link(basis: str) -> str | None:
    """Return the address of a document, an issue or a file of this repository; None where there is none."""
    if found := _ISSUE.fullmatch(basis):
        return f"https://github.com/{found['repository']}/issues/{found['number']}"
    if found := _FILE.fullmatch(basis):
        return f"https://github.com/{found['repository']}/blob/HEAD/{found['path']}"
    if found := _RFC.fullmatch(basis):
        return f"https://www.rfc-editor.org/rfc/rfc{found['number']}.html#{found['section']}"
    page, _, fragment = basis.partition("#")
    if page in _PAGES:
        return _PAGES[page] + (f"#{fragment}" if fragment else "")
    for prefix, place in _PREFIXES.items():
        if basis.startswith(prefix):
            return place + basis.removeprefix(prefix)
    return basis if basis.startswith("conformance/") else None


@cache
def _breakages() -> dict[str, tuple[str, str]]:
    """Return the rows of breakages.toml: the area, and what is right."""
    text = (data_dir("conformance") / "breakages.toml").read_text(encoding="utf-8")
    return {row: (area, told["does"]) for area, rows in tomli.loads(text).items() for row, told in rows.items()}


def explain(check: str, catalogue: Catalogue | None = None) -> str:
    """Tell a person about a check: what, why, how it fails, how to fix it, on what ground.

    Raises:
        ConfigError: the catalogue has no such check.
    """
    told = explanation(check, catalogue)
    row = told.check
    lines = [
        f"{row.id}  {row.title}",
        f"{row.level} · profile {row.profile} · {row.kind}: {KINDS[row.kind]} · since {row.introduced}",
        "",
        *_entry("why", [row.why]),
        *_entry("failure", [row.example] if row.example else []),
        *_entry("fix", [row.fix]),
        *_entry("needs", [f"a target that declares {row.needs}"] if row.needs else []),
        *_entry("basis", [line for each in told.basis for line in _ground(each)]),
        *_entry("evidence", row.evidence),
        *_entry("mutants", [", ".join(row.mutants)] if row.mutants else []),
        *_entry("servers", [f"{name}: {about}" for name, about in told.servers.items()]),
        *_entry("clients", [f"{client}: {breaks}" for client, breaks in told.clients.items()]),
    ]
    return "\n".join(lines) + "\n"


def _entry(name: str, lines: Iterable[str]) -> list[str]:
    return [f"{'' if turn else name:<{_WIDTH}}{line}" for turn, line in enumerate(lines)]


def _ground(told: Ground) -> list[str]:
    said = [f"  {told.says}"] if told.says else []
    return [told.basis, *said, *([f"  {told.url}"] if told.url and told.url != told.basis else [])]


def explain_json(check: str, catalogue: Catalogue | None = None) -> dict[str, Any]:
    """Return the same as JSON values.

    Raises:
        ConfigError: the catalogue has no such check.
    """
    told = explanation(check, catalogue)
    row: dict[str, Any] = msgspec.to_builtins(told.check)
    return row | {"basis": msgspec.to_builtins(told.basis), "servers": told.servers, "clients": told.clients}


def selected(
    area: str | None = None, level: str | None = None, profile: str | None = None, catalogue: Catalogue | None = None
) -> tuple[Check, ...]:
    """Return the rows of an area, a level and a profile, in the catalogue's order; case does not matter.

    A profile may be one that is made of others, such as `agent`.

    Raises:
        ConfigError: no row has that area, level or profile.
    """
    checks = (load() if catalogue is None else catalogue).checks
    for name, wanted in (("area", area), ("level", level), ("profile", profile)):
        if wanted is None:
            continue
        known = tuple(dict.fromkeys(getattr(check, name) for check in checks))
        made = PROFILES.get(wanted.lower(), frozenset()) if name == "profile" else frozenset()
        kept = made | {value for value in known if value.lower() == wanted.lower()}
        if not kept & set(known):
            raise ConfigError(f"no check has the {name} {wanted}; there are {', '.join(known)}")
        checks = tuple(check for check in checks if getattr(check, name) in kept)
    return checks


def listing(
    area: str | None = None, level: str | None = None, profile: str | None = None, catalogue: Catalogue | None = None
) -> str:
    """Return the selected rows as a table, and a line that counts them.

    Raises:
        ConfigError: no row has that area, level or profile.
    """
    catalogue = load() if catalogue is None else catalogue
    checks = selected(area, level, profile, catalogue)
    wide = max((len(check.profile) for check in checks), default=0)
    rows = [f"{check.id:<9}{check.level:<8}{check.kind:<9}{check.profile:<{wide + 2}}{check.title}" for check in checks]
    must = sum(check.level == "MUST" for check in checks)
    return "\n".join([*rows, "", f"{len(checks)} checks, {must} of them MUST; catalogue {catalogue.version}"]) + "\n"


def listing_json(
    area: str | None = None, level: str | None = None, profile: str | None = None, catalogue: Catalogue | None = None
) -> list[dict[str, Any]]:
    """Return the selected rows as JSON values.

    Raises:
        ConfigError: no row has that area, level or profile.
    """
    return [msgspec.to_builtins(check) for check in selected(area, level, profile, catalogue)]
