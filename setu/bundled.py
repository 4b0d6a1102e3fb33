"""Where the data folders are: inside an installed package, or beside it in a checkout."""

from importlib.resources import files
from pathlib import Path

from setu.errors import ConfigError


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
