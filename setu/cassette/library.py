"""Recordings on disk: load and find them, append to them."""

import contextlib
import json
import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, Literal, NoReturn, Self

from setu.cassette.gate import leaks
from setu.cassette.match import NO_VOLATILE, Canonical, Volatile, canonical_of, digest_of
from setu.cassette.misses import Neighbours, differences, explain
from setu.cassette.model import Interaction
from setu.cassette.redact import redact_request
from setu.cassette.serialize import HEADER, from_document, render_block, to_document
from setu.cassette.yamlfile import INCOMPLETE, parse_cassette
from setu.errors import CassetteDecodeError, CassetteError, CassetteNotFoundError, NoMatchError
from setu.http import Request

try:
    import fcntl
except ImportError:  # Windows: appends are atomic within one process only
    fcntl = None  # type: ignore[assignment]  # the name stands for its absence

OnExhausted = Literal["error", "last", "cycle"]
_MAX_KEYS = 4096
_SUFFIXES = frozenset({".yaml", ".yml"})


class _Entry:
    """A recording in a library and how often it has been served."""

    __slots__ = ("canonical", "interaction", "uses")

    def __init__(self, interaction: Interaction, canonical: Canonical) -> None:
        self.interaction = interaction
        self.canonical = canonical
        self.uses = 0


class _Queue:
    """The recordings of one request in the order they were made; finding the next one costs nothing."""

    __slots__ = ("_at", "entries")

    def __init__(self) -> None:
        self.entries: list[_Entry] = []
        self._at = 0

    def fresh(self) -> _Entry | None:
        """Return the first one that has not been served, from this queue or another."""
        while self._at < len(self.entries) and self.entries[self._at].uses:
            self._at += 1
        return self.entries[self._at] if self._at < len(self.entries) else None


class Library:
    """Recordings by what they answer; each is served once, first recorded first.

    `volatile` names by dialect what matching ignores; `secrets` are values that both sides are stripped of before
    they are compared; `on_exhausted` says what a request gets whose recordings are used up; `misses_file` collects
    misses as JSON lines; `hint` words how to record a call.
    """

    def __init__(
        self,
        interactions: Iterable[Interaction] = (),
        *,
        volatile: Volatile = NO_VOLATILE,
        secrets: Collection[str] = (),
        on_exhausted: OnExhausted = "error",
        misses_file: Path | None = None,
        hint: Callable[[Request], str] | None = None,
    ) -> None:
        self._volatile = volatile
        self._secrets = secrets
        self._on_exhausted = on_exhausted
        self._misses_file = misses_file
        self._hint = hint or _hint
        self._entries: list[_Entry] = []
        # By key and origin; the empty origin holds those of every origin.
        self._queues: dict[tuple[str, str], _Queue] = {}
        self._keys: dict[bytes, str] = {}
        self._neighbours: Neighbours | None = None
        self.misses = 0
        for interaction in interactions:
            self.add(interaction)

    @classmethod
    def load(
        cls,
        paths: str | Path | Iterable[str | Path],
        *,
        volatile: Volatile = NO_VOLATILE,
        secrets: Collection[str] = (),
        on_exhausted: OnExhausted = "error",
        misses_file: Path | None = None,
        hint: Callable[[Request], str] | None = None,
    ) -> Self:
        """Read files, and directories with all below them, in the order of their names.

        Raises:
            CassetteNotFoundError: no such file or directory.
            CassetteDecodeError: a file is not a cassette; names file and line.
        """
        return cls(
            (interaction for file in cassette_files(paths) for interaction in read_cassette(file)),
            volatile=volatile,
            secrets=secrets,
            on_exhausted=on_exhausted,
            misses_file=misses_file,
            hint=hint,
        )

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def interactions(self) -> list[Interaction]:
        return [entry.interaction for entry in self._entries]

    @property
    def notes(self) -> list[str]:
        """Sentences about recordings that were loaded with reservations."""
        return [note for entry in self._entries for note in entry.interaction.notes]

    def add(self, interaction: Interaction) -> None:
        request, _ = redact_request(interaction.exchange.request, self._secrets)
        entry = _Entry(interaction, canonical_of(request, volatile=self._volatile))
        self._entries.append(entry)
        key = digest_of(entry.canonical)
        for origin in {request.origin, ""}:
            self._queues.setdefault((key, origin), _Queue()).entries.append(entry)
        self._neighbours = None

    def unused(self) -> tuple[Interaction, ...]:
        return tuple(entry.interaction for entry in self._entries if not entry.uses)

    def take(self, request: Request) -> Interaction:
        """Return the next recording that answers a request, whose body must be bytes.

        A request with an origin is answered by recordings of that origin, where the same request was recorded from
        it.

        Raises:
            NoMatchError: there is none, or all are used up.
        """
        key = self._key(request)
        queue = self._queues.get((key, request.origin)) or self._queues.get((key, ""))
        if queue is None:
            self._miss(request)
        entry = queue.fresh() or self._again(request, queue.entries)
        entry.uses += 1
        return entry.interaction

    def _key(self, request: Request) -> str:
        """Return the match key; the same bytes are canonicalised once."""
        assert isinstance(request.body, bytes)
        seen = blake2b(
            f"{request.method} {request.target}\n".encode("utf-8", "surrogatepass") + request.body, digest_size=16
        ).digest()
        key = self._keys.get(seen)
        if key is None:
            if len(self._keys) >= _MAX_KEYS:
                self._keys.clear()
            redacted, _ = redact_request(request, self._secrets)
            key = self._keys[seen] = digest_of(canonical_of(redacted, volatile=self._volatile))
        return key

    def _again(self, request: Request, entries: list[_Entry]) -> _Entry:
        if self._on_exhausted == "last":
            return entries[-1]
        if self._on_exhausted == "cycle":
            return min(entries, key=lambda entry: entry.uses)
        request, _ = redact_request(request, self._secrets)
        places = tuple(entry.interaction.place for entry in entries)
        times = "once" if len(entries) == 1 else f"{len(entries)} times"
        message = f"{_named(request)} was recorded {times} and has been served as often"
        report = "\n".join(["recorded at:", *(f"  {place}" for place in places[:8]), self._hint(request)])
        self._note_miss(request, message, places, report)
        raise NoMatchError(message, nearest=places, report=report)

    def _miss(self, request: Request) -> NoReturn:
        request, _ = redact_request(request, self._secrets)
        asked = canonical_of(request, volatile=self._volatile)
        if not self._entries:
            self._note_miss(request, "no recordings are loaded", (), "")
            raise NoMatchError("no recordings are loaded", report=self._hint(request))
        self._neighbours = self._neighbours or Neighbours([entry.canonical for entry in self._entries])
        near = [self._entries[index] for index in self._neighbours.nearest(asked)]
        places = tuple(entry.interaction.place or "(not saved)" for entry in near)
        first = differences(near[0].canonical, asked)[0].pointer or "the body"
        message = f"no recording answers {_named(request)}; the nearest, {places[0]}, differs first at {first}"
        lines = explain(places[0], near[0].canonical, asked)
        if places[1:]:
            lines.append(f"next nearest: {', '.join(places[1:])}")
        report = "\n".join([*lines, self._hint(request)])
        self._note_miss(request, message, places, report)
        raise NoMatchError(message, nearest=places, report=report)

    def _note_miss(self, request: Request, message: str, nearest: tuple[str, ...], report: str) -> None:
        self.misses += 1
        if self._misses_file is None:
            return
        line = {
            "method": request.method,
            "target": request.target,
            "message": message,
            "nearest": nearest,
            "report": report.splitlines(),
        }
        # A note that cannot be kept must not change the answer.
        with contextlib.suppress(OSError), self._misses_file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def cassette_files(paths: str | Path | Iterable[str | Path]) -> Iterator[Path]:
    """Yield the files that the paths name; directories are searched at any depth for `.yaml` and `.yml`."""
    for path in [paths] if isinstance(paths, (str, Path)) else paths:
        start = Path(path)
        if start.is_dir():
            yield from sorted(file for file in start.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
        elif start.is_file():
            yield start
        else:
            raise CassetteNotFoundError(f"no cassette at {start}")


def read_cassette(path: Path) -> list[Interaction]:
    """Return the interactions of one file; any that vcrpy, pytest-recording or Setu wrote.

    Raises:
        CassetteDecodeError: names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CassetteDecodeError(f"{path}: not UTF-8 text at byte {error.start}") from None
    except OSError as error:
        raise CassetteError(f"{path} cannot be read: {error.strerror}") from None
    found = parse_cassette(text, str(path))
    _check_whole(text, found, str(path))
    return [from_document(value, f"{path}:{line}") for line, value in found]


def _check_whole(text: str, found: Sequence[tuple[int, Any]], name: str) -> None:
    """Refuse a file whose last interaction was cut off where what is left happens to be YAML.

    Setu writes `response.setu.end` after the body; hand-written and foreign interactions need not have it.
    """
    if not found or _has_end(found[-1][1]):
        return
    if not text.endswith("\n") or any(_has_end(value) for _, value in found):
        raise CassetteDecodeError(f"{name}:{found[-1][0]}: the last interaction is incomplete; {INCOMPLETE}")


def _has_end(document: Any) -> bool:
    response = document.get("response") if isinstance(document, dict) else None
    extra = response.get("setu") if isinstance(response, dict) else None
    return isinstance(extra, dict) and "end" in extra


class Appender:
    """Appends interactions to one file, whole or not at all, also when several processes do.

    `secrets` are values that must never reach the disk. An interaction in which anything still looks like a secret
    is refused.
    """

    def __init__(self, path: str | Path, secrets: Collection[str] = ()) -> None:
        self._path = Path(path)
        self._secrets = secrets
        self._lock = threading.Lock()

    def append(self, interaction: Interaction) -> None:
        """Write one interaction and wait until it is on the disk.

        Raises:
            CassetteError: it holds a secret, or the file cannot be written; the file is as it was before.
        """
        block = self._verified(interaction)
        try:
            with self._lock, self._open() as file:
                _append(file, block.encode(), str(self._path))
        except OSError as error:
            raise CassetteError(f"{self._path} cannot be written: {error.strerror or error}") from None

    def _verified(self, interaction: Interaction) -> str:
        """Return the block, once it is proved to hold no secret and to read back as what it was."""
        document = to_document(interaction)
        block = render_block(interaction)
        found = leaks(interaction, block, self._secrets)
        if found:
            raise CassetteError(f"{self._path}: not written: {found[0].what} is still in the interaction")
        if _reads_back(block, document):
            return block
        block = render_block(interaction, binary=True)
        if _reads_back(block, to_document(interaction, binary=True)):
            return block
        raise CassetteError(f"{self._path}: not written: the interaction does not read back as it was")

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
        self, directory: str | Path, name: Callable[[Interaction], str] | None = None, secrets: Collection[str] = ()
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


def _named(request: Request) -> str:
    return f"{request.method} {request.path}"


def _hint(_: Request) -> str:
    return "to record it: setu record -- COMMAND, where COMMAND makes this call"
