"""Where the data folders are: inside an installed package, or beside it in a checkout."""

from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from setu.errors import ConfigError
from setu.providers.lookup import find, reference_of


def data_dir(name: str) -> Path:
    """Return the folder `cassettes` or `conformance`.

    A wheel carries both under `setu/_bundled`; an editable install reads the checkout's.

    Raises:
        ConfigError: the installation has neither.
    """
    package = Path(str(files("setu")))
    for folder in (package / "_bundled" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise ConfigError(f"this installation of setu has no {name} folder; reinstall it")


def cassettes_of(provider: str) -> Path | None:
    """Return the folder `cassettes` of the package that a provider comes from; None for one without, or built in.

    Raises:
        ConfigError: there is no such provider.
    """
    reference = reference_of(provider)
    if reference is None:
        return None
    find(provider)  # or the specification of its package may not be there to be asked for
    package = reference.partition(":")[0]
    while package:
        spec = find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec is not None else ():
            if (Path(place) / "cassettes").is_dir():
                return Path(place) / "cassettes"
        package = package.rpartition(".")[0]
    return None
