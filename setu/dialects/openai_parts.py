"""Content parts as both of OpenAI's APIs have them; each of the two dialects brings its own kinds and words."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from setu._json import Json, Raw, kind_of
from setu.chat.parts import AnyPart, Blocks, Inline, Media, MediaSource, Opaque, Plain, Ref, Refusal, Text, Url
from setu.chat.seals import CacheMark
from setu.dialects import extras
from setu.dialects.extras import Where
from setu.dialects.reader import Obj
from setu.dialects.record import Loss, Target

Item = dict[str, Any] | Raw
Read = Callable[[Obj, CacheMark | None], AnyPart | None]


class Kinds(msgspec.Struct, frozen=True, kw_only=True):
    """What a dialect reads: a function for each `type`, None where the part is not as documented.

    `opaque` begins the kind of a part that stays opaque; `mark` takes a part's cache mark.
    """

    dialect: str
    readers: Mapping[str, Read]
    mark: Callable[[Obj], CacheMark | None]
    opaque: str = ""


def read_part(kinds: Kinds, raw: Json, where: str, *, lenient: bool) -> AnyPart:
    """Read one content part; a kind this version does not know stays opaque (B-RSP-06)."""
    if lenient and kind_of(raw) != "object":
        return Opaque(dialect=kinds.dialect, kind=kinds.opaque, raw=raw)
    obj = Obj(raw, where, lenient=lenient)
    kind = obj.text("type")
    if kind is None:
        if lenient:
            return Opaque(dialect=kinds.dialect, kind=kinds.opaque, raw=raw)
        raise obj.missing("type")
    read = kinds.readers.get(kind)
    part = read(obj, kinds.mark(obj)) if read is not None else None
    return part if part is not None else Opaque(dialect=kinds.dialect, kind=kinds.opaque + kind, raw=raw)


def need_said(obj: Obj, key: str) -> str:
    """Take the text that a part is about; an upstream may leave it out, a client may not."""
    text = obj.text(key)
    if text is None and not obj.lenient:
        raise obj.missing(key)
    return text or ""


def kind_of_image(source: MediaSource) -> Literal["document", "image"]:
    """Return what an image part holds: a PDF there is a document (B-MED-07)."""
    return "document" if isinstance(source, Inline) and source.mime == "application/pdf" else "image"


class PartWriter(ABC):
    """Renders content parts for one target and collects what it cannot say.

    `dialect` is whose parts these are, `place` and `api` are its words in the sentences of losses.
    """

    dialect: str
    place: str
    api: str

    def __init__(self, target: Target, losses: list[Loss]) -> None:
        self.target = target
        self.losses = losses

    @abstractmethod
    def text(self, text: str) -> Item:
        """Write a text."""

    @abstractmethod
    def refusal(self, part: Refusal) -> list[Item]:
        """Write a refusal that an earlier answer held."""

    @abstractmethod
    def media(self, part: Media, source: Inline | Url | Ref, where: Where) -> list[Item]:
        """Write media whose source is neither text nor blocks; nothing, with a loss, when they cannot be said."""

    @abstractmethod
    def mark(self, item: dict[str, Any], cache: CacheMark | None, where: Where) -> None:
        """Write a cache mark for hosts that take it."""

    def lose(self, where: Where, reason: str, *, info: bool = False) -> None:
        extras.lose(self.losses, where, reason, info=info)

    def part(self, part: AnyPart, where: Where) -> list[Item]:
        """Render one part of an input message or a tool result; nothing when it cannot be said."""
        match part:
            case Text(text="", extra=None):  # some hosts refuse an empty block
                if part.cache is not None:
                    self.lose((*where, "cache"), "a cache mark on an empty text", info=True)
                return []
            case Text():
                rendered = [self.text(part.text)]
            case Refusal():
                rendered = self.refusal(part)
            case Media(source=Blocks(parts=blocks)):
                return [piece for index, block in enumerate(blocks) for piece in self.part(block, (*where, index))]
            case Media():
                rendered = self._media(part, where)
            case Opaque(dialect=self.dialect):
                return [Raw(part.raw)]
            case _:
                self.lose(where, f"{type(part).__name__} has no place in {self.place}")
                return []
        if part.seal is not None:
            self.lose((*where, "seal"), "the signature is another host's", info=True)
        for item in rendered:
            if isinstance(item, dict):
                self.mark(item, part.cache, where)
                extras.give_back(item, part.extra, self.dialect, where, self.losses)
        return rendered

    def _media(self, part: Media, where: Where) -> list[Item]:
        source = part.source
        if isinstance(source, Url):
            source = self.target.media.get(source.url, source)
        for said, what in ((part.cited, "citations"), (part.context, "document context"), (part.clip, "a clip")):
            if said:
                self.lose(where, f"{self.api} has no way to ask for {what}")
        match source:
            case Plain(text=text):
                if part.name is not None:
                    self.lose((*where, "name"), f"{self.api} has no names of texts", info=True)
                return [self.text(text)] if text else []
            case Inline() | Url() | Ref():
                return self.media(part, source, where)
            case _:
                return []
