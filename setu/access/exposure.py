"""Whether strangers could use a gateway: an address that others can reach, and nobody asked for a key."""

from ipaddress import ip_address

from setu.access.entrance import Mode
from setu.errors import ConfigError


def exposed(host: str, mode: Mode, *, strict: bool = False) -> str | None:
    """Return a warning for an address that others can reach while no key is asked for; None when all is well.

    Raises:
        ConfigError: it is so, and `strict` says that this must not be.
    """
    if mode != "open" or is_loopback(plain(host)):
        return None
    sentence = (
        f"anybody who reaches {host or 'this machine'} can spend the keys of its providers: "
        'set auth.mode to "keys", or listen on 127.0.0.1'
    )
    if strict:
        raise ConfigError(sentence)
    return sentence


def plain(host: str) -> str:
    """Return a host's name or address in lower case, without brackets and the root's dot."""
    return host.strip().strip("[]").lower().removesuffix(".")


def is_loopback(name: str) -> bool:
    """Tell whether a name or an address, as `plain` gives it, is this machine's own."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
