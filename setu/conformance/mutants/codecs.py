"""How to break a translator: codecs are records of functions, and a broken codec is a record with another function.

Nothing is patched. A change is a function from a dialect to a broken one; what is stateful is made anew each time.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from setu import _json
from setu.chat.events import Ended, Event
from setu.chat.parts import Text
from setu.chat.response import ChatResponse
from setu.conformance.natives import exact
from setu.dialects.record import Dialect, Loss, Rendered
from setu.framing.frame import Frame

Change = Callable[[Dialect], Dialect]
Dialects = Mapping[str, Dialect]
Json = dict[str, Any]


def of(name: str, change: Change) -> Callable[[Dialects], Dialects]:
    """Break one dialect of all."""
    return lambda dialects: {**dialects, name: change(dialects[name])}


def both(*changes: Change) -> Change:
    """Break a dialect in several places: one bug, written down twice (plain and streamed)."""

    def broken(dialect: Dialect) -> Dialect:
        for change in changes:
            dialect = change(dialect)
        return dialect

    return broken


def client(dialect: Dialect, **changes: Any) -> Dialect:
    codec = msgspec.structs.replace(dialect.client["chat"], **changes)
    return msgspec.structs.replace(dialect, client={**dialect.client, "chat": codec})


def upstream(dialect: Dialect, **changes: Any) -> Dialect:
    codec = msgspec.structs.replace(dialect.upstream["chat"], **changes)
    return msgspec.structs.replace(dialect, upstream={**dialect.upstream, "chat": codec})


def frames(change: Callable[[list[Frame]], list[Frame]]) -> Change:
    """Break what the encoder writes, call by call."""

    def broken(dialect: Dialect) -> Dialect:
        real = dialect.client["chat"].encoder

        class Encoder:
            def __init__(self, reply: Any) -> None:
                self._real = real(reply)
                self.losses = self._real.losses

            def feed(self, event: Event) -> list[Frame]:
                return change(self._real.feed(event))

        return client(dialect, encoder=Encoder)

    return broken


def payloads(change: Callable[[Json], Json | None]) -> Change:
    """Break the JSON of each frame; None drops the frame."""

    def of_frames(made: list[Frame]) -> list[Frame]:
        kept = []
        for frame in made:
            if frame.data is None or not frame.data.startswith(b"{"):
                kept.append(frame)
                continue
            changed = change(_json.decode(frame.data))
            if changed is not None:
                kept.append(Frame(data=_json.encode(changed), event=frame.event))
        return kept

    return frames(of_frames)


def body(change: Callable[[Json], Json]) -> Change:
    """Break the plain answer."""

    def broken(dialect: Dialect) -> Dialect:
        real = dialect.client["chat"].render_response

        def render(response: ChatResponse, reply: Any) -> Rendered:
            rendered = real(response, reply)
            return Rendered(body=_json.encode(change(_json.decode(rendered.body))), losses=rendered.losses)

        return client(dialect, render_response=render)

    return broken


def sent(change: Callable[[Json], Json]) -> Change:
    """Break the request that goes upstream; what is not changed stays as it was spelled."""

    def broken(dialect: Dialect) -> Dialect:
        real = dialect.upstream["chat"].render_request

        def render(request: Any, target: Any) -> Rendered:
            rendered = real(request, target)
            return Rendered(body=exact.dump(change(exact.load(rendered.body))).encode(), losses=rendered.losses)

        return upstream(dialect, render_request=render)

    return broken


def lost(which: Callable[[Loss], bool]) -> Change:
    """Keep some losses of what goes upstream to oneself."""

    def broken(dialect: Dialect) -> Dialect:
        real = dialect.upstream["chat"].render_request

        def render(request: Any, target: Any) -> Rendered:
            rendered = real(request, target)
            return Rendered(body=rendered.body, losses=tuple(loss for loss in rendered.losses if not which(loss)))

        return upstream(dialect, render_request=render)

    return broken


def written(change: Callable[[Json], Json]) -> Change:
    """Break how a client's JSON is read."""

    def broken(dialect: Dialect) -> Dialect:
        real = dialect.client["chat"].parse_request

        def parse(data: bytes, route: Any) -> Any:
            try:
                document = _json.decode(data)
                changed = _json.encode(change(document)) if isinstance(document, dict) else data
            except _json.JsonError:
                changed = data  # what is no JSON at all is refused as it is
            return real(changed, route)

        return client(dialect, parse_request=parse)

    return broken


def asked(change: Callable[[Any], Any]) -> Change:
    """Break what is understood of a client's request."""

    def broken(dialect: Dialect) -> Dialect:
        real = dialect.client["chat"].parse_request
        return client(dialect, parse_request=lambda data, route: change(real(data, route)))

    return broken


def of_parts(change: Callable[[Any], Any]) -> Change:
    """Change each part of a request's messages; None drops it."""

    def of_message(message: Any) -> Any:
        return msgspec.structs.replace(
            message, parts=tuple(made for part in message.parts if (made := change(part)) is not None)
        )

    return asked(lambda r: msgspec.structs.replace(r, messages=tuple(map(of_message, r.messages))))


def text_changed(change: Callable[[str], str]) -> Change:
    """Change each text of a request's messages."""
    return of_parts(lambda p: msgspec.structs.replace(p, text=change(p.text)) if isinstance(p, Text) else p)


def parsed(change: Callable[[ChatResponse], ChatResponse]) -> Change:
    """Break what is understood of the upstream's plain answer."""

    def broken(dialect: Dialect) -> Dialect:
        real = dialect.upstream["chat"].parse_response
        return upstream(dialect, parse_response=lambda data, mint: change(real(data, mint)))

    return broken


def decoded(change: Callable[[list[Event]], list[Event]]) -> Change:
    """Break what is understood of the upstream's stream."""

    def broken(dialect: Dialect) -> Dialect:
        real = dialect.upstream["chat"].decoder

        class Decoder:
            def __init__(self, mint: Any) -> None:
                self._real = real(mint)

            def feed(self, frame: Frame) -> list[Event]:
                return change(self._real.feed(frame))

            def close(self) -> list[Event]:
                return change(self._real.close())

        return upstream(dialect, decoder=Decoder)

    return broken


def each(change: Callable[[Event], Event | None]) -> Change:
    return decoded(lambda events: [made for event in events if (made := change(event)) is not None])


# Bugs, as changes of one value ---------------------------------------------------------------------------------------


def complete_anyway(event: Event) -> Event | None:
    """Truncation reported as success."""
    return Ended(complete=True) if isinstance(event, Ended) else event


def in_parts(change: Callable[[Any], Any]) -> Callable[[ChatResponse], ChatResponse]:
    """Change every part of a response; None drops it."""

    def of_response(response: ChatResponse) -> ChatResponse:
        return msgspec.structs.replace(
            response,
            candidates=tuple(
                msgspec.structs.replace(
                    candidate,
                    messages=tuple(
                        msgspec.structs.replace(
                            message, parts=tuple(made for part in message.parts if (made := change(part)) is not None)
                        )
                        for message in candidate.messages
                    ),
                )
                for candidate in response.candidates
            ),
        )

    return of_response


def without(*names: str) -> Callable[[Json], Json]:
    return lambda made: {name: value for name, value in made.items() if name not in names}


def with_members(**members: Any) -> Callable[[Json], Json]:
    return lambda made: {**made, **members}


def in_choices(change: Callable[[Json], Json]) -> Callable[[Json], Json]:
    """Change each choice of a chat answer or chunk."""
    return lambda chunk: {**chunk, "choices": [change(choice) for choice in chunk.get("choices", [])]}


def in_deltas(change: Callable[[Json], Json]) -> Callable[[Json], Json]:
    """Change the delta of each choice of a chat chunk."""
    return in_choices(lambda choice: {**choice, "delta": change(choice.get("delta") or {})})


def in_calls(change: Callable[[Json], Json]) -> Callable[[Json], Json]:
    """Change each piece of a call in a chat chunk."""

    def of_delta(delta: Json) -> Json:
        if "tool_calls" not in delta:
            return delta
        return {**delta, "tool_calls": [change(call) for call in delta["tool_calls"]]}

    return in_deltas(of_delta)
