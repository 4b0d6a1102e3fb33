"""Whole cassettes of many recordings at once: by host and operation, and in parts that an editor still opens."""

from collections import defaultdict
from collections.abc import Callable, Collection
from hashlib import blake2b
from pathlib import Path

from setu.cassette.model import Interaction
from setu.cassette.shelf import cassette_files, file_name_of, read_cassette, safe_block, write_blocks
from setu.errors import CassetteError

KeyOf = Callable[[Interaction], str]


class Parcels:
    """Writes recordings below a directory: `<host>/<operation>.yaml`, then `<operation>-2.yaml` and so on.

    `size` is how many a file holds. A file that is there is never touched, and what one of them holds already (the
    same answer to the same request) is not written again. Each file is written at once, when it is full or at `close`.
    `secrets` are values that never reach a disk.
    """

    def __init__(self, directory: Path, key_of: KeyOf, *, size: int = 250, secrets: Collection[str] = ()) -> None:
        self._directory = directory
        self._key_of = key_of
        self._size = size
        self._secrets = secrets
        self._open: defaultdict[str, list[str]] = defaultdict(list)
        self._parts: defaultdict[str, int] = defaultdict(int)
        self._known = {self._identity(each) for file in _files(directory) for each in read_cassette(file)}
        self.written: list[Path] = []

    def add(self, interaction: Interaction) -> str | None:
        """Take a recording in; return why it was not, None when it was.

        Raises:
            CassetteError: a file cannot be written.
        """
        if self._known and self._identity(interaction) in self._known:
            return "it is there already"
        try:
            block = safe_block(interaction, self._secrets)
        except CassetteError as error:
            return str(error)
        name = file_name_of(interaction)
        self._open[name].append(block)
        if len(self._open[name]) == self._size:
            self._write(name)
        return None

    def close(self) -> None:
        """Write what has not filled a file.

        Raises:
            CassetteError: a file cannot be written.
        """
        for name in sorted(self._open):
            self._write(name)

    def _write(self, name: str) -> None:
        path = self._free(name)
        write_blocks(path, self._open.pop(name))
        self.written.append(path)

    def _free(self, name: str) -> Path:
        """Return the file of the next part that is not there yet."""
        base = self._directory / name
        while True:
            self._parts[name] += 1
            number = self._parts[name]
            path = base if number == 1 else base.with_name(f"{base.stem}-{number}{base.suffix}")
            if not path.exists():
                return path

    def _identity(self, each: Interaction) -> bytes:
        key = each.recording.key or self._key_of(each)
        return blake2b(f"{key} {each.exchange.status} ".encode() + each.exchange.body, digest_size=16).digest()


def _files(directory: Path) -> list[Path]:
    return list(cassette_files(directory)) if directory.is_dir() else []
