"""A host's quirks at work: the one place where they touch a request's body and a stream's frames."""

from collections.abc import Callable, Sequence

from setu import _json
from setu.dialects.record import Rendered
from setu.errors import LocalDialectError
from setu.framing.frame import Frame, FrameDecoder
from setu.providers.record import Provider, Quirk


def quirks_of(provider: Provider, dialect: str) -> tuple[Quirk, ...]:
    """Return a provider's quirks in one of its dialects."""
    return tuple(quirk for quirk in provider.quirks if quirk.dialect == dialect)


def edited(rendered: Rendered, quirks: Sequence[Quirk]) -> Rendered:
    """Apply request quirks to the body that is about to be sent; without an edit its bytes stay.

    Raises:
        LocalDialectError: a member that has to change occurs twice.
    """
    body, losses = rendered.body, rendered.losses
    for quirk in quirks:
        if quirk.request is None:
            continue
        edit = quirk.request(_json.split(body))
        gone = [name for name, value in edit.changes.items() if value is None]
        try:
            body = _json.splice(
                _json.without(body, gone) if gone else body,
                {name: value for name, value in edit.changes.items() if value is not None},
            )
        except _json.JsonError as error:
            raise LocalDialectError(str(error), code="duplicate_key") from None
        losses += edit.losses
    return Rendered(body=body, losses=losses)


def framed(decoder: FrameDecoder, quirks: Sequence[Quirk]) -> FrameDecoder:
    """Return a decoder whose frames have gone through the frame quirks; the same one if there are none."""
    for quirk in quirks:
        if quirk.frame is not None:
            decoder = _Quirked(decoder, quirk.frame)
    return decoder


class _Quirked:
    """A decoder whose every frame a quirk may change or drop."""

    def __init__(self, decoder: FrameDecoder, quirk: Callable[[Frame], Frame | None]) -> None:
        self._decoder = decoder
        self._quirk = quirk

    def feed(self, data: bytes) -> list[Frame]:
        return self._passed(self._decoder.feed(data))

    def close(self) -> list[Frame]:
        return self._passed(self._decoder.close())

    def _passed(self, frames: list[Frame]) -> list[Frame]:
        return [out for frame in frames if (out := self._quirk(frame)) is not None]
