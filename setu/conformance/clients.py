"""Which clients a target is safe for: the checks that each one depends on, held against a run."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import tomli

from setu.bundled import data_dir
from setu.conformance.results import Run, Status
from setu.errors import ConfigError

# A failure that was expected still breaks the client; one that was expected and did not come does not.
_BROKEN = frozenset({Status.FAIL, Status.WARN, Status.XFAIL})
_HELD = frozenset({Status.PASS, Status.XPASS})


class Need(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client's user sees when one of the checks is broken.

    `source` is an issue (`gh:owner/repo#1`), a file of the client (`gh:owner/repo/path`) or `measured`: then `mutants`
    of the check were played to the client. `read` is the day of the reading, or its month.
    """

    checks: tuple[str, ...]
    because: str
    source: str
    read: str
    mutants: tuple[str, ...] = ()


class Client(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A client with the versions that the sources speak of; `dialect` is what it is served in."""

    name: str
    versions: str
    dialect: str
    needs: tuple[Need, ...]

    @property
    def checks(self) -> tuple[str, ...]:
        """Return every check that it depends on, once."""
        return tuple(dict.fromkeys(check for need in self.needs for check in need.checks))

    def because(self, check: str) -> str:
        """Say what breaks in the client together with a check."""
        return "; ".join(need.because for need in self.needs if check in need.checks)


class ClientVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a client can be used; None where nothing is broken but not everything was tested."""

    client: Client
    broken: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()

    @property
    def safe(self) -> bool | None:
        if self.broken:
            return False
        return None if self.untested else True


class _File(msgspec.Struct, forbid_unknown_fields=True):
    client: tuple[Client, ...]


@cache
def load(path: Path | None = None) -> tuple[Client, ...]:
    """Read the clients; without a path, the bundled ones.

    Raises:
        ConfigError: the file is missing or not TOML, an entry lacks or adds a member, or two share a name.
    """
    path = data_dir("conformance") / "clients.toml" if path is None else path
    try:
        clients = msgspec.convert(tomli.loads(path.read_text(encoding="utf-8")), _File).client
    except (OSError, tomli.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{path}: {error}") from None
    names = [client.name for client in clients]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"{path}: two entries for {', '.join(twice)}")
    return clients


def depending_on(check: str, clients: Iterable[Client] | None = None) -> tuple[Client, ...]:
    """Return the clients that depend on a check."""
    return tuple(client for client in (load() if clients is None else clients) if check in client.checks)


def verdict(run: Run, clients: Iterable[Client] | None = None) -> list[ClientVerdict]:
    """Say of each client whether the target of a run is safe for it; a check that did not run is untested."""
    statuses = {result.check.id: result.status for result in run.results}
    return [_verdict(client, statuses) for client in (load() if clients is None else clients)]


def _verdict(client: Client, statuses: Mapping[str, Status]) -> ClientVerdict:
    return ClientVerdict(
        client=client,
        broken=tuple(check for check in client.checks if statuses.get(check) in _BROKEN),
        untested=tuple(check for check in client.checks if statuses.get(check) not in _BROKEN | _HELD),
    )


def render(verdicts: Iterable[ClientVerdict]) -> str:
    """Return a line for each client, and one for each broken check that it depends on."""
    return "".join(f"{line}\n" for verdict in verdicts for line in _lines(verdict))


def _lines(verdict: ClientVerdict) -> list[str]:
    name = f"{verdict.client.name:<26}"
    if verdict.safe:
        return [f"{name}safe ({len(verdict.client.checks)} checks)"]
    if verdict.safe is None:
        return [f"{name}unknown: untested {', '.join(verdict.untested)}"]
    told = [f"  {check}: {verdict.client.because(check)}" for check in verdict.broken]
    return [f"{name}not safe: {', '.join(verdict.broken)}", *told]


def to_builtins(verdicts: Iterable[ClientVerdict]) -> list[dict[str, Any]]:
    """Return the verdicts as JSON values; `safe` is null where it is unknown."""
    return [
        {
            "client": verdict.client.name,
            "versions": verdict.client.versions,
            "dialect": verdict.client.dialect,
            "safe": verdict.safe,
            "broken": {check: verdict.client.because(check) for check in verdict.broken},
            "untested": list(verdict.untested),
        }
        for verdict in verdicts
    ]
