"""Cassette files: find and read them, append to them."""

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from setu.cassette.blobs import blobs_of
from setu.cassette.edits import Secrets
from setu.cassette.emit import emit_item
from setu.cassette.formats.vcr import loaded
from setu.cassette.gate import safe
from setu.cassette.merge import settled
from setu.cassette.model import Interaction
from setu.cassette.serialize import HEADER, to_document
from setu.cassette.shape import PLACEHOLDER
from setu.cassette.yamlfile import INCOMPLETE, parse_cassette
from setu.errors import CassetteDecodeError, CassetteError, CassetteNotFoundError, ConfigError

try:
    import fcntl
except ImportError:  # Windows: appends are atomic within one process only
    fcntl = None  # type: ignore[assignment]  # the name stands for its absence

SUFFIXES = (".yaml", ".yml", ".setu")
"""Of cassettes; the last one is what pytest-recording gives to those of `setu.vcr_serializer`."""


def cassette_files(paths: str | Path | Iterable[str | Path]) -> Iterator[Path]:
    """Yield the files that the paths name; directories are searched at any depth for SUFFIXES."""
    for path in [paths] if isinstance(paths, (str, Path)) else paths:
        start = Path(path)
        if start.is_dir():
            yield from sorted(file for file in start.rglob("*") if file.suffix in SUFFIXES and file.is_file())
        elif start.is_file():
            yield start
        else:
            raise CassetteNotFoundError(f"no cassette at {start}")


def read_cassette(path: Path) -> list[Interaction]:
    """Return the interactions of one file; any that vcrpy, pytest-recording or Setu wrote.

    Raises:
        CassetteDecodeError: names file and line.
    """
    interactions = whole(text := text_of(path), str(path))
    blobs = blobs_of(path) if PLACEHOLDER in text else None
    return interactions if blobs is None else [blobs.restore(interaction) for interaction in interactions]


def whole(text: str, name: str) -> list[Interaction]:
    """Return the interactions of a text in which none is cut off.

    Raises:
        CassetteDecodeError: names file and line.
    """
    found = parse_cassette(text, name)
    check_whole(text, found, name)
    return [loaded(value, f"{name}:{line}") for line, value in found]


def text_of(path: Path, errors: str = "strict") -> str:
    """Return a file's text; line ends are as they are.

    Raises:
        CassetteError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8", errors)
    except UnicodeDecodeError as error:
        raise CassetteDecodeError(f"{path}: not UTF-8 text at byte {error.start}") from None
    except OSError as error:
        raise CassetteError(f"{path} cannot be read: {error.strerror}") from None


def check_whole(text: str, found: Sequence[tuple[int, Any]], name: str) -> None:
    """Refuse a text whose last interaction was cut off where what is left happens to be YAML.

    Setu writes `response.setu.end` after the body; hand-written and foreign interactions need not have it.
    """
    # In braces (JSON) nothing is left of a text that was cut off.
    if not found or _has_end(found[-1][1]) or text.lstrip().startswith("{"):
        return
    if not text.endswith("\n") or any(_has_end(value) for _, value in found):
        raise CassetteDecodeError(f"{name}:{found[-1][0]}: the last interaction is incomplete; {INCOMPLETE}")


def _has_end(document: Any) -> bool:
    response = document.get("response") if isinstance(document, dict) else None
    extra = response.get("setu") if isinstance(response, dict) else None
    return isinstance(extra, dict) and "end" in extra


class Appender:
    """Appends interactions to one file, whole or not at all, also when several processes do.

    `secrets` are values that must never reach the disk. Whatever still looks like a secret is masked, never a reason
    to lose the interaction.
    """

    def __init__(self, path: str | Path, secrets: Secrets = ()) -> None:
        self._path = Path(path)
        self._secrets = secrets
        self._lock = threading.Lock()

    def append(self, interaction: Interaction) -> None:
        """Write one interaction and wait until it is on the disk.

        Raises:
            CassetteError: the file cannot be written, or the interaction does not read back; the file is as it was.
        """
        block = safe_block(interaction, self._secrets)
        try:
            with self._lock, self._open() as file:
                _append(file, block.encode(), str(self._path))
        except OSError as error:
            raise CassetteError(f"{self._path} cannot be written: {error.strerror or error}") from None

    @contextlib.contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a+b", buffering=0) as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed
            yield file


class Shelf:
    """Appends each interaction to the file that its name function gives below a directory."""

    def __init__(
        self, directory: str | Path, name: Callable[[Interaction], str] | None = None, secrets: Secrets = ()
    ) -> None:
        self._directory = Path(directory)
        self._name = name or file_name_of
        self._secrets = secrets
        self._appenders: dict[str, Appender] = {}

    def append(self, interaction: Interaction) -> None:
        """Write one interaction; raises what `Appender.append` raises."""
        name = self._name(interaction)
        appender = self._appenders.setdefault(name, Appender(self._directory / name, self._secrets))
        appender.append(interaction)


class Rewriting:
    """Writes cassettes anew: what is recorded goes beside each file, and takes its place at `close`.

    Until then, and if that never comes, the old files are as they were. A file into which nothing was recorded stays.
    Recordings that have not changed keep their old words, so that an unchanged upstream leaves unchanged files.
    """

    def __init__(
        self,
        directory: str | Path,
        key_of: Callable[[Interaction], str],
        name: Callable[[Interaction], str] | None = None,
        secrets: Secrets = (),
    ) -> None:
        self._directory = Path(directory)
        self._key_of = key_of
        self._name = name or file_name_of
        self._written: set[str] = set()
        self._suffix = f".{os.getpid()}.new"
        self._secrets = secrets
        self._shelf = Shelf(directory, lambda interaction: self._name(interaction) + self._suffix, secrets)

    def append(self, interaction: Interaction) -> None:
        """Write one interaction beside its file; raises what `Appender.append` raises."""
        self._shelf.append(interaction)
        self._written.add(self._name(interaction))

    def close(self) -> None:
        """Put the new files in the place of the old ones.

        Raises:
            CassetteError: a file cannot be written; the old one is as it was, and the new one still beside it.
        """
        for name in sorted(self._written):
            replace_with_new(
                self._directory / name, self._directory / (name + self._suffix), self._key_of, self._secrets
            )
        self._written.clear()

    def discard(self) -> None:
        """Forget what was recorded; the old files are as they were."""
        self._written.clear()
        for new in [*self._directory.rglob(f"*{self._suffix}")]:
            new.unlink(missing_ok=True)


def replace_with_new(path: Path, new: Path, key_of: Callable[[Interaction], str], secrets: Secrets = ()) -> None:
    """Put what was recorded into `new` in the place of `path`, unchanged recordings in their old words."""
    try:
        old = read_cassette(path) if path.exists() else []
    except CassetteDecodeError:
        old = []  # a file that cannot be read has no words to keep
    write_cassette(path, settled(old, read_cassette(new), key_of), secrets)
    new.unlink()


def write_cassette(path: Path, interactions: Iterable[Interaction], secrets: Secrets = ()) -> None:
    """Write a whole file at once: it is the old or the new one, never half of either.

    What looks like a secret, or is one of `secrets`, is masked; everything else stays as it is.

    Raises:
        CassetteError: it cannot be written.
    """
    write_blocks(path, (safe_block(each, secrets) for each in interactions))


def safe_block(interaction: Interaction, secrets: Secrets = ()) -> str:
    """Return an interaction's verified text, in which there is no secret.

    Raises:
        CassetteError: it does not read back as it was.
    """
    return safe(interaction, verified_block, secrets)[1]


def write_blocks(path: Path, blocks: Iterable[str]) -> None:
    """Write a file of verified blocks, as `write_cassette` does."""
    text = HEADER + "".join(blocks)
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise CassetteError(f"{path} cannot be written: {error.strerror or error}") from None


def verified_block(interaction: Interaction) -> str:
    """Return an interaction's text, once it is proved to read back as what it was.

    Raises:
        CassetteError: it does not, in any form.
    """
    for binary in (False, True):
        document = to_document(interaction, binary=binary)
        block = emit_item(document)
        if _reads_back(block, document):
            return block
    raise CassetteError("not written: the interaction does not read back as it was")


def make_writable(directory: Path) -> None:
    """Make a directory to record into.

    Raises:
        ConfigError: it cannot be made, or not be written into.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot record into {directory}: {error.strerror or error}") from None
    if not os.access(directory, os.W_OK):
        raise ConfigError(f"cannot record into {directory}: no right to write there")


def file_name_of(interaction: Interaction) -> str:
    """Return `<host>/<operation>.yaml`: one file for a host, a dialect and an operation."""
    host = interaction.exchange.request.origin.partition("://")[2] or "local"
    safe = "".join(character if character.isalnum() or character in "-." else "_" for character in host)
    return f"{safe.lstrip('.') or 'local'}/{interaction.recording.op or 'raw'}.yaml"


def _append(file: IO[bytes], block: bytes, name: str) -> None:
    size = file.seek(0, os.SEEK_END)
    lead = b"" if size else HEADER.encode()
    if size:
        _check_appendable(file, size, name)
    try:
        _write_all(file, lead + block)
        os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            file.truncate(size)  # a full disk must not leave half an interaction behind
        raise


def _write_all(file: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _check_appendable(file: IO[bytes], size: int, name: str) -> None:
    file.seek(0)
    start = file.read(4096).decode("utf-8", "replace").splitlines()
    meant = [line for line in start if line and not line.startswith("#")][:2]
    if meant != HEADER.split("\n")[: len(meant)] or len(meant) < 2:
        raise CassetteError(f"{name} was written by another tool and cannot be appended to; record into another file")
    file.seek(size - 1)
    if file.read(1) != b"\n":
        raise CassetteError(f"{name} ends within an interaction; {INCOMPLETE}")


def _reads_back(block: str, document: object) -> bool:
    try:
        found = parse_cassette(HEADER + block, "")
    except CassetteDecodeError:
        return False
    return len(found) == 1 and _plain(found[0][1]) == _plain(document)


def _plain(value: object) -> object:
    """Compare lists and tuples as equal, text and bytes as different."""
    return json.loads(json.dumps(value, default=lambda data: {"bytes": data.hex()}))
