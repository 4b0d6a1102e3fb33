"""Whether a database can be spoken to at all: asked at the start, before anything heavy is imported."""

from importlib.util import find_spec

from setu.errors import ConfigError


def check_driver(url: str) -> None:
    """Refuse PostgreSQL where its driver is missing.

    Raises:
        ConfigError: as said.
    """
    if url.startswith("postgresql") and find_spec("psycopg") is None:
        raise ConfigError('postgres support is not installed: pip install "setu-llm[postgres]"')
