"""The names a server answers to.

A browser lets any web page make its own name point at 127.0.0.1 (DNS rebinding); the server behind it then takes the
page for a client of this machine. What gives the page away is its name, in `Host` and in `Origin`.
"""

import re
from collections.abc import Iterable, Sequence

from setu.access.exposure import is_loopback, plain
from setu.errors import ErrorInfo, ErrorKind

__all__ = ["Hosts", "hosts_of", "is_loopback"]

_DOCKER = "host.docker.internal"
"""What a container calls the machine it runs on; the request arrives on the loopback interface."""

_AUTHORITY = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^\[\]:/@]*)(?::[0-9]*)?")
"""RFC 3986, section 3.2, without user information."""

_MAX_KNOWN = 256


class Hosts:
    """Says whether a request was meant for this server.

    Loopback names and addresses always fit; `names` are more of them, `*.example.com` stands for all below it.
    """

    def __init__(self, names: Iterable[str]) -> None:
        given = {plain(name) for name in (*names, _DOCKER)}
        self._names = frozenset(name for name in given if not name.startswith("*."))
        self._endings = tuple(name[1:] for name in given if name.startswith("*."))
        # The values of `Host` that were found to fit: clients send the same one every time.
        self._known: set[bytes] = set()

    def problem(self, headers: Sequence[tuple[bytes, bytes]], *, with_origin: bool) -> ErrorInfo | None:
        """Return why a request is refused: 421 for its `Host`, 403, if asked for, for its `Origin`."""
        for name, value in headers:
            if name == b"host":
                if value not in self._known and not self._learned(value):
                    return _misdirected(value)
                break
        for name, value in headers if with_origin else ():
            if name == b"origin" and not self._fits(value.partition(b"://")[2].decode("latin-1")):
                return _cross_site(value)
        return None

    def _learned(self, value: bytes) -> bool:
        if not self._fits(value.decode("latin-1")):
            return False
        if len(self._known) < _MAX_KNOWN:  # any port fits, and there are many
            self._known.add(value)
        return True

    def _fits(self, authority: str) -> bool:
        name = plain(_without_port(authority))
        return is_loopback(name) or name in self._names or name.endswith(self._endings)


def hosts_of(bound: str, allowed: Sequence[str]) -> Hosts | None:
    """Return what a server bound to a host answers to; None: to any name.

    That is so behind an address that others can reach, unless names are given, and wherever `*` is one of them.
    """
    if "*" in allowed or not (allowed or is_loopback(plain(bound))):
        return None
    return Hosts((bound, *allowed))


def _without_port(authority: str) -> str:
    found = _AUTHORITY.fullmatch(authority)
    return found["name"] if found is not None else ""


def _misdirected(host: bytes) -> ErrorInfo:
    return ErrorInfo(
        kind=ErrorKind.INVALID_REQUEST,
        status=421,
        message=f"this server does not answer to the host {_shown(host)}; "
        "if that is a name of its own, list it in allowed_hosts of [server] in setu.toml",
        code="unknown_host",
    )


def _cross_site(origin: bytes) -> ErrorInfo:
    return ErrorInfo(
        kind=ErrorKind.PERMISSION,
        status=403,
        message=f"pages of {_shown(origin)} may not use this; if they are your own, list their host in allowed_hosts "
        "of [server] in setu.toml",
        code="cross_site",
    )


def _shown(value: bytes) -> str:
    return repr(value[:100].decode("latin-1"))
