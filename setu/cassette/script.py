"""Scripts: an answer as steps in time, what every player plays. A fault is a function from Script to Script."""

import msgspec

from setu.http import Ending, Headers


class Head(msgspec.Struct, frozen=True):
    """The status and header fields."""

    status: int
    headers: Headers


class Bytes(msgspec.Struct, frozen=True):
    """A piece of the body, written as one chunk."""

    data: bytes


class Wait(msgspec.Struct, frozen=True):
    """A pause before the next step, in seconds."""

    seconds: float


class End(msgspec.Struct, frozen=True):
    """How the answer ends: complete, cut off (FIN without the end of the body), or reset (RST)."""

    kind: Ending = Ending.COMPLETE


class HalfChunk(msgspec.Struct, frozen=True):
    """A chunk of which only `data` is written although its head promised `promised` bytes; an End follows."""

    data: bytes
    promised: int


Step = Head | Bytes | Wait | HalfChunk | End
Script = tuple[Step, ...]
