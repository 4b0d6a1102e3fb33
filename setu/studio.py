"""The composition root of record and replay: cassettes on a disk, a transport in front of them.

`setu record`, `setu replay`, `setu start --record/--replay`, the pytest plugin and `setu.testing` all stand on this.
"""

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec

from setu import build
from setu.bundled import data_dir
from setu.cassette.age import Expiry, judge
from setu.cassette.blobs import Blobs
from setu.cassette.edits import Rules
from setu.cassette.faults import Rule
from setu.cassette.journal import Journal, Served
from setu.cassette.library import Library, OnExhausted
from setu.cassette.match import canonical_of, digest_of
from setu.cassette.model import Interaction, Side
from setu.cassette.normalise import NONE, Looser, Normalisers
from setu.cassette.physics import Physics
from setu.cassette.redact import known_secrets, redact_text, with_own
from setu.cassette.scope import Scope
from setu.cassette.shape import Shape, shape_of, strip
from setu.cassette.shared import Shared
from setu.cassette.shelf import SUFFIXES, Rewriting, Shelf, cassette_files, file_name_of, make_writable
from setu.dialects.registry import DIALECTS
from setu.errors import CassetteNotFoundError, ConfigError, ErrorInfo, SetuError
from setu.http import Ending, Request
from setu.ports import Transport
from setu.providers.deployment import Deployment
from setu.transport.ledger import Ledger
from setu.transport.modes import REPLAYS, Compare, Modal, RecordMode, Verify
from setu.transport.record import Record, Sink
from setu.transport.replay import Replay
from setu.transport.reverse import Reverse
from setu.transport.scopes import Lent, Scopes
from setu.transport.translated import translating
from setu.transport.twins import Twins

BUNDLED = Path("bundled")
"""Stands for the recordings that come with Setu."""

MISSES = Path("setu-misses.jsonl")

_STAGED = 16_384

Media = Literal["inline", "strip", "blobs"]


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """How cassettes are found, matched, played and made.

    `more` are further directories and files to replay from; recordings are made in `directory`. `speed` 0 plays
    without waits, `ttfb` and `physics` pace answers otherwise than recorded; `faults` strike every cassette; `misses`
    is where misses are kept, None: nowhere; `expiry` is how old recordings may be (`rerecord` in mode `once`).
    `timing`, `chunks` (the transport's own boundaries), `rename` (identifiers) and `media` (large base64: in the
    file, as a digest alone, or in a file beside it) say how a recording is kept; `redact` is what to take out besides,
    on both sides of a match. `everything` makes a cassette's name one for all recordings together, and a state of its
    own.
    """

    directory: Path
    more: tuple[Path, ...] = ()
    mode: RecordMode = "none"
    speed: float = 1.0
    on_exhausted: OnExhausted = "error"
    normalisers: Normalisers = NONE
    looser: Looser = "exact"
    faults: tuple[Rule, ...] = ()
    ttfb: float | None = None
    physics: Physics | None = None
    misses: Path | None = MISSES
    expiry: Expiry | None = None
    timing: bool = True
    chunks: bool = False
    rename: bool = False
    media: Media = "inline"
    redact: Rules = Rules()
    everything: bool = False


class Studio:
    """Opens the transport of each cassette that is asked for, and knows what became of all of them."""

    def __init__(
        self,
        setup: Setup,
        *,
        live: Transport | None = None,
        tell: Callable[[str], None],
        compare: Compare | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.places = tuple(_placed(path) for path in (setup.directory, *setup.more))
        """The directories and files that are replayed from; what is recorded goes into the first."""
        self.directory = self.places[0]
        missing = [path for path in self.places if not path.exists()]
        if setup.mode == "none" and missing:
            raise CassetteNotFoundError(f"no cassette at {missing[0]}")
        self._setup = setup
        self._check(setup)
        self._live = live
        self._tell = tell
        self._compare = compare
        self._secrets = msgspec.structs.replace(setup.redact, known=(*setup.redact.known, *known_secrets(environ)))
        self._shapes: dict[str, Shape] = {}
        self._clock = build.SystemClock()
        self._files = Shared()
        self.journal = Journal()
        self.ledger = Ledger()
        self._prepared: Replay | None = None
        self._rewriting: dict[str, Rewriting] = {}
        self._staged: dict[Scope | None, Setup] = {}

    @property
    def libraries(self) -> Mapping[Scope | None, Library]:
        """The recordings of every cassette that was asked for, long finished ones apart."""
        return self.ledger.libraries

    @property
    def misses(self) -> int:
        return self.journal.misses

    def set_faults(self, rules: Sequence[Rule]) -> None:
        """Strike every cassette with these faults, those that are open and those to come."""
        self._setup = msgspec.structs.replace(self._setup, faults=tuple(rules))
        for scope, setup in self._staged.copy().items():
            self._staged[scope] = msgspec.structs.replace(setup, faults=tuple(rules))
        for replay in self.ledger.replays.values():
            replay.set_faults(rules)

    def refuse(self, scope: Scope | None, request: Request, error: SetuError) -> None:
        """Count a request whose cassette cannot be opened as one that no recording answers."""
        now = self._clock.monotonic()
        path = redact_text(request.path, with_own(self._secrets, request))
        entry = Served(scope=str(scope or ""), method=request.method, path=path, status=error.info().status)
        self.journal.add(entry, now)
        self.journal.answered(entry, "miss")
        self.journal.done(entry, Ending.COMPLETE, 1, now)
        if self.ledger.refused(scope, str(error)):
            self._tell(str(error))

    def stage(self, scope: Scope | None, **changes: Any) -> None:
        """Set up one cassette otherwise than the rest; changes are fields of `Setup`, before its first request.

        Raises:
            ConfigError: it is to be recorded, and cannot be.
        """
        setup = msgspec.structs.replace(self._setup, **changes)
        self._check(setup)
        self._staged[scope] = setup
        if len(self._staged) > _STAGED:
            del self._staged[next(iter(self._staged))]

    def only_replays(self, scope: Scope | None) -> bool:
        """Say whether no request for a cassette will be sent to a provider."""
        mode = self._staged.get(scope, self._setup).mode
        return mode == "none" or (mode == "once" and bool(self.files(scope)))

    def load(self) -> int:
        """Read everything that requests without a cassette's name are answered from; return how many recordings.

        Raises:
            CassetteError: a file is not a cassette.
        """
        self._prepared = self._replay(None)
        self.ledger.opened(None, self._prepared)
        return len(self._prepared.library)

    def outdate(self) -> None:
        """Forget what `load` has read: it is read again when it is asked for."""
        self._prepared = None

    def open(self, scope: Scope | None) -> Transport:
        """Return what answers the requests of one cassette by the mode.

        Raises:
            CassetteNotFoundError: there is none of that name, and the mode only replays.
        """
        setup = self._staged.get(scope, self._setup)
        mode = setup.mode
        replay = self._prepared if scope is None and self._prepared is not None else self._replay(scope)
        if scope is None:
            self._prepared = None
        self.ledger.opened(scope, replay)
        if mode == "once" and setup.expiry and setup.expiry.then == "rerecord" and self._old(replay.library):
            mode = "rewrite"
            self._staged[scope] = msgspec.structs.replace(setup, mode=mode)
        if mode == "none":
            return replay
        if self._live is None:
            raise ConfigError(f"record mode {mode} needs providers to record from")
        record = self.recorder(scope)
        if mode == "verify":
            assert self._compare is not None
            return Verify(replay, record, self._compare, self._tell)
        return Modal(mode, replay, record)

    def both_sides(self, gateway: Callable[[Transport], Transport]) -> Transport:
        """Return a gateway over the live providers whose translated calls are recorded on both sides."""
        assert self._live is not None
        sink = Shelf(self.directory, None, self._secrets).append
        twins = Twins(sink, _key_of_request)
        native = twins.leave(self._recorder(self._live, sink, "upstream", self._shape("")))
        return twins.enter(self._recorder(gateway(native), twins.client, "client", self._shape("")))

    def discard(self) -> None:
        """Leave the cassettes that were to be rewritten as they were."""
        for rewriting in self._rewriting.values():
            rewriting.discard()

    def close(self) -> None:
        """Put rewritten cassettes in place; call it when nothing is recorded any more.

        Raises:
            CassetteError: a file cannot be written.
        """
        for rewriting in self._rewriting.values():
            rewriting.close()

    def files(self, scope: Scope | None) -> list[Path]:
        """Return the files of a cassette; none when it is yet to be recorded.

        Raises:
            CassetteNotFoundError: there are none, and the mode only replays.
        """
        if self._stem(scope) is None:
            return list(dict.fromkeys(cassette_files(path for path in self.places if path.exists())))
        assert scope is not None
        places = [root / f"{scope.name}{suffix}" for root in self.places for suffix in (*SUFFIXES, "")]
        found = [file for place in places if place.exists() for file in cassette_files(place)]
        if not found and self._staged.get(scope, self._setup).mode == "none":
            raise CassetteNotFoundError(
                f"no cassette {scope.name}: neither {places[0]} nor {places[-1]}{os.sep} exists"
            )
        return found

    def _replay(self, scope: Scope | None) -> Replay:
        setup = self._staged.get(scope, self._setup)
        files = self.files(scope) if setup.mode in REPLAYS else []
        directory = shlex.quote(str(self.directory))
        into = f" --cassette {shlex.quote(str(scope))}" if self._stem(scope) is not None else ""

        def hint(place: str) -> str:
            if not place:
                return f"record it: setu record -o {directory} -- <your command>"
            return f"record just this call: setu record -o {directory}{into} --miss {shlex.quote(place)}"

        library = Library(
            (interaction for file in files for interaction in self._files.read(file)),
            normalisers=setup.normalisers,
            looser=setup.looser,
            on_exhausted=setup.on_exhausted,
            volatile=volatile(),
            secrets=self._secrets,
            misses_file=setup.misses,
            hint=hint,
        )
        for note in (*library.notes, *self._old(library)):
            self._tell(note)
        return Replay(
            library,
            self._clock,
            render_error=render_of,
            speed=setup.speed,
            ttfb=setup.ttfb,
            physics=setup.physics,
            faults=setup.faults,
            journal=self.journal,
            scope=str(scope) if scope is not None else "",
        )

    def _old(self, library: Library) -> list[str]:
        """Return what is to be told of recordings that are too old."""
        expiry = self._setup.expiry
        found = judge(expiry, library.interactions, datetime.now(UTC).date()) if expiry is not None else None
        return [found] if found is not None else []

    def _check(self, setup: Setup) -> None:
        """Refuse to record where nothing can be kept.

        Raises:
            ConfigError: names the directory.
        """
        if setup.mode == "none":
            return
        if self.directory != setup.directory:
            raise ConfigError(f"cannot record into {setup.directory}: these recordings come with Setu; name another")
        make_writable(self.directory)

    def _stem(self, scope: Scope | None) -> str | None:
        """Return the name of a cassette's file; None for all recordings together."""
        return None if scope is None or self._staged.get(scope, self._setup).everything else scope.name

    def name_of(self, scope: Scope | None, interaction: Interaction) -> str:
        """Return the file, relative to the directory, that a recording goes into."""
        stem = self._stem(scope)
        return f"{stem}.yaml" if stem is not None else file_name_of(interaction)

    def recorder(self, scope: Scope | None, tell: Sink = lambda _: None) -> Record:
        """Return what records every call into a cassette; `tell` is told each that was written."""
        assert self._live is not None
        name = partial(self.name_of, scope)
        kept: Shelf | Rewriting
        if self._staged.get(scope, self._setup).mode == "rewrite":
            # Of a cassette's sessions all record into the same file.
            kept = self._rewriting.setdefault(
                self._stem(scope) or "", Rewriting(self.directory, key_of, name, self._secrets)
            )
        else:
            kept = Shelf(self.directory, name, self._secrets)

        def sink(interaction: Interaction) -> None:
            kept.append(interaction)
            tell(interaction)

        return self._recorder(Lent(self._live), sink, "upstream", self._shape(self._stem(scope) or ""))

    def _shape(self, name: str) -> Shape:
        """Return what shapes the recordings of a cassette; of what others see, no identifier's new name depends."""
        setup = self._setup
        keep = {"inline": None, "strip": strip, "blobs": Blobs(self.directory).keep}[setup.media]
        rename = key_of if setup.rename else None
        made = shape_of(timing=setup.timing, chunks=setup.chunks, media=keep, rename=rename)
        return self._shapes.setdefault(name, made)

    def _recorder(self, inner: Transport, sink: Sink, side: Side, shape: Shape) -> Record:
        return Record(
            inner,
            sink,
            self._clock,
            lambda: datetime.now(UTC).date().isoformat(),
            lambda problem: self._tell(f"recording failed: {problem}"),
            secrets=self._secrets,
            volatile=volatile(),
            side=side,
            twin=Twins.name,
            shape=shape,
        )


def proxy(
    studio: Studio,
    deployed: Mapping[str, Deployment],
    *,
    upstream: str = "openai",
    live: Transport | None = None,
    default: Scope | None = None,
) -> Scopes:
    """Return the transport of a recording proxy or a replay server: by cassette, then by provider, then by mode.

    Requests that name no cassette are about `default`.
    """

    def open_scope(scope: Scope | None) -> Transport:
        inner = studio.open(scope or default)
        reverse = Reverse(inner, deployed, build.render_error, upstream=upstream)
        if not isinstance(inner, Replay):
            return reverse
        return translating(inner, reverse, deployed, partial(build.gateway, on_call=lambda _: None))

    def closed(scope: Scope | None) -> None:
        studio.ledger.finished(scope or default)

    return Scopes(open_scope, build.render_error, shared=live, on_refused=studio.refuse, on_closed=closed)


def _placed(path: Path) -> Path:
    return data_dir("cassettes") if path == BUNDLED and not path.exists() else path


def key_of(interaction: Interaction) -> str:
    """Return the match key of what a recording answers."""
    return _key_of_request(interaction.exchange.request)


def _key_of_request(request: Request) -> str:
    return digest_of(canonical_of(request, volatile=volatile()))


def render_of(dialect: str, info: ErrorInfo) -> bytes:
    """Write an error in a dialect's envelope, in OpenAI's where no dialect is known."""
    return DIALECTS.get(dialect, DIALECTS["openai_chat"]).errors.render(info)


def volatile() -> dict[str, tuple[str, ...]]:
    """Return each dialect's members that mean nothing to an answer."""
    return {name: dialect.volatile for name, dialect in DIALECTS.items()}
