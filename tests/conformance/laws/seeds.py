"""One defect for each law: what it breaks, and between which dialects."""

import unicodedata
from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec

from setu import _json
from setu.chat.events import ArgumentsDelta, Ended, Event, Failed, Foreign, PartStarted, Ping
from setu.chat.parts import Text, ToolCall, ToolResult
from setu.conformance.laws.pair import Pair
from setu.conformance.mutants.codecs import (
    Change,
    Json,
    asked,
    body,
    client,
    complete_anyway,
    each,
    frames,
    in_calls,
    in_choices,
    in_parts,
    of_parts,
    parsed,
    payloads,
    sent,
    text_changed,
    upstream,
    with_members,
    without,
)
from setu.conformance.natives import exact
from setu.conformance.target import Target
from setu.dialects.record import Dialect, Rendered
from setu.errors import LocalDialectError
from setu.framing.frame import Frame
from setu.framing.sse import SseDecoder
from setu.http import Exchange, Request, Response
from tests.conformance.defects import finishes, lose_arguments, lose_whitespace, swapped_results, usage_off_by_one
from tests.conformance.pool import fresh_ids, no_done

# Defects of what a client is understood to ask ------------------------------------------------------------------------


def short_id(part: Any) -> Any:
    if isinstance(part, (ToolCall, ToolResult)):
        return msgspec.structs.replace(part, call_id=part.call_id[:1])
    return part


def same_name(request: Any) -> Any:
    tools = tuple(msgspec.structs.replace(tool, name="tool") for tool in request.tools)
    return msgspec.structs.replace(request, tools=tools)


def backwards(request: Any) -> Any:
    turned = tuple(msgspec.structs.replace(m, parts=m.parts[::-1]) for m in request.messages)
    return msgspec.structs.replace(request, messages=turned)


def without_text_beside_calls(request: Any) -> Any:
    def silent(message: Any) -> Any:
        if not any(isinstance(part, ToolCall) for part in message.parts):
            return message
        return msgspec.structs.replace(message, parts=tuple(p for p in message.parts if not isinstance(p, Text)))

    return msgspec.structs.replace(request, messages=tuple(map(silent, request.messages)))


def refuses_null(dialect: Dialect) -> Dialect:
    real = dialect.client["chat"].parse_request

    def parse(data: bytes, route: Any) -> Any:
        if b'"top_p":null' in data:
            raise LocalDialectError("'top_p' must be a number", param="top_p")
        return real(data, route)

    return client(dialect, parse_request=parse)


def surrogates_pass(dialect: Dialect) -> Dialect:
    real = dialect.client["chat"].parse_request
    return client(dialect, parse_request=lambda data, route: real(data.replace(b"\\ud800", b"?"), route))


def crashes(*_: Any) -> Any:
    raise KeyError("choices")


def loose(dialect: Dialect) -> Dialect:
    """Every request is read as one that says hi."""
    real = dialect.client["chat"].parse_request
    greeting = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
    return client(dialect, parse_request=lambda _data, route: real(greeting, route))


# Defects of what goes upstream ----------------------------------------------------------------------------------------


def last_content(change: Callable[[list[Json]], list[Json]]) -> Change:
    """Change the blocks of the last Anthropic message."""

    def changed(made: Json) -> Json:
        *before, last = made["messages"]
        content = last["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        return {**made, "messages": [*before, {**last, "content": change(blocks)}]}

    return sent(changed)


def numbered() -> Change:
    numbers = count()
    return sent(lambda made: {**made, "user": str(next(numbers))})


def counts_messages(made: Json) -> Json:
    first, *rest = made["messages"]
    return {**made, "messages": [{**first, "content": f"{len(rest)}: {first['content']}"}, *rest]}


def system_backwards(made: Json) -> Json:
    system = made.get("system")
    return {**made, "system": system[::-1]} if isinstance(system, list) else made


def without_inputs(made: Json) -> Json:
    def emptied(block: Any) -> Any:
        return {**block, "input": {}} if isinstance(block, dict) and block.get("type") == "tool_use" else block

    def of_message(message: Json) -> Json:
        content = message["content"]
        return {**message, "content": content if isinstance(content, str) else [emptied(block) for block in content]}

    return {**made, "messages": [of_message(message) for message in made["messages"]]}


def silently_empty(dialect: Dialect) -> Dialect:
    """Arguments that do not parse become empty, and nobody is told."""
    real = dialect.upstream["chat"].render_request
    return upstream(dialect, render_request=lambda r, t: Rendered(body=real(r, t).body))


def without_results(made: Json) -> Json:
    return {**made, "messages": [message for message in made["messages"] if "tool_result" not in str(message)]}


# Defects of what comes back -------------------------------------------------------------------------------------------


def leaking(made: Json) -> Json:
    """The upstream's own finish word, given on."""
    choices = [{**c, "finish_reason": c.get("native_finish_reason", c["finish_reason"])} for c in made["choices"]]
    return {**made, "choices": choices}


def damaged_seal(part: Any) -> Any:
    if getattr(part, "seal", None) is None:
        return part
    return msgspec.structs.replace(part, seal=msgspec.structs.replace(part.seal, data=part.seal.data.swapcase() + "!"))


def startled(event: Event) -> Event | None:
    """A ping taken for an error."""
    return Ended(complete=False) if isinstance(event, (Ping, Foreign)) else event


def latest_part(dialect: Dialect) -> Dialect:
    """Arguments go to the call that was opened last, whatever their index."""
    real = dialect.upstream["chat"].decoder

    class Decoder:
        def __init__(self, mint: Any) -> None:
            self._real, self._last = real(mint), 0

        def feed(self, frame: Frame) -> list[Event]:
            return [self._moved(event) for event in self._real.feed(frame)]

        def close(self) -> list[Event]:
            return list(self._real.close())

        def _moved(self, event: Event) -> Event:
            if isinstance(event, PartStarted) and isinstance(event.value, ToolCall):
                self._last = event.part
            return msgspec.structs.replace(event, part=self._last) if isinstance(event, ArgumentsDelta) else event

    return upstream(dialect, decoder=Decoder)


def hoarding(dialect: Dialect) -> Dialect:
    """Everything is written at the end."""
    real = dialect.client["chat"].encoder

    class Encoder:
        def __init__(self, reply: Any) -> None:
            self._real = real(reply)
            self._kept: list[Frame] = []
            self.losses = self._real.losses

        def feed(self, event: Event) -> list[Frame]:
            self._kept += self._real.feed(event)
            if not isinstance(event, (Ended, Failed)):
                return []
            return self._kept

    return client(dialect, encoder=Encoder)


def never_twice_the_same(dialect: Dialect) -> Dialect:
    numbers = count()
    return payloads(lambda chunk: {**chunk, "id": f"chatcmpl-{next(numbers)}"})(dialect)


def speechless(dialect: Dialect) -> Dialect:
    errors = msgspec.structs.replace(dialect.errors, render=lambda _info: b"{}")
    return msgspec.structs.replace(dialect, errors=errors)


def usage_everywhere(chunk: Json) -> Json:
    return {**chunk, "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}


# Defects of framing and of the gateway ----------------------------------------------------------------------------------


class PacketsAreFrames:
    """Each packet is read as if frames began and ended with it."""

    def feed(self, data: bytes) -> list[Frame]:
        decoder = SseDecoder()
        return [*decoder.feed(data), *decoder.close()]

    def close(self) -> list[Frame]:
        return []


class LinesEndInLf:
    """Line ends of other systems are part of the line."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> list[Frame]:
        self._data += data
        return []

    def close(self) -> list[Frame]:
        made = []
        for block in self._data.split(b"\n\n"):
            lines = [line[6:] for line in block.split(b"\n") if line.startswith(b"data: ")]
            names = [line[7:].decode() for line in block.split(b"\n") if line.startswith(b"event: ")]
            if lines:
                made.append(Frame(data=b"\n".join(lines), event=names[0] if names else None))
        return made


class Forgetful(Target):
    """A gateway whose responses do not close what feeds them."""

    def __init__(self, *wiring: Any) -> None:
        super().__init__(*wiring)
        real = self.gateway.send

        async def send(request: Request) -> Response:
            response = await real(request)

            async def nothing() -> None: ...

            kept: Any = response.body
            if not isinstance(kept, bytes):

                class Body:
                    aclose = staticmethod(nothing)
                    __aiter__ = kept.__aiter__

                response.body = Body()
            return response

        self.gateway.send = send  # type: ignore[method-assign]  # the defect itself


class Rewriting(Target):
    """A gateway that reads and writes the JSON it should pass."""

    async def exchange(self, request: Request) -> Exchange:
        assert isinstance(request.body, bytes)
        request.body = _json.encode(_json.decode(request.body))
        return await super().exchange(request)


# The table --------------------------------------------------------------------------------------------------------------


def packets(pair: Pair) -> Pair:
    return msgspec.structs.replace(pair, framers={"sse": PacketsAreFrames})


def only_lf(pair: Pair) -> Pair:
    return msgspec.structs.replace(pair, framers={"sse": LinesEndInLf})


def forgetful(pair: Pair) -> Pair:
    return msgspec.structs.replace(pair, wire=Forgetful)


def rewriting(pair: Pair) -> Pair:
    return msgspec.structs.replace(pair, wire=Rewriting)


CHAT, ANTHROPIC, GEMINI = "openai_chat", "anthropic", "gemini"

SEEDS: dict[str, tuple[str, str, str, Change]] = {
    "every_legal_request_is_translated_or_refused_by_name": (CHAT, ANTHROPIC, ANTHROPIC, lambda d: upstream(d, render_request=crashes)),
    "any_bytes_are_read_or_refused": (CHAT, ANTHROPIC, ANTHROPIC, lambda d: upstream(d, parse_response=crashes)),
    "legal_requests_are_answered": (CHAT, ANTHROPIC, ANTHROPIC, sent(with_members(max_tokens="many"))),
    "illegal_requests_are_refused": (CHAT, ANTHROPIC, CHAT, loose),
    "upstream_requests_fit_the_native_model": (CHAT, ANTHROPIC, ANTHROPIC, sent(with_members(brand_new=1))),
    "upstream_requests_speak_one_dialect": (CHAT, ANTHROPIC, ANTHROPIC, sent(with_members(stop=["END"]))),
    "text_is_conserved": (CHAT, ANTHROPIC, CHAT, text_changed(str.strip)),
    "system_texts_come_first_and_in_order": (CHAT, ANTHROPIC, ANTHROPIC, sent(system_backwards)),
    "neighbouring_turns_merge_in_order": (CHAT, ANTHROPIC, ANTHROPIC, sent(lambda m: {**m, "messages": [*m["messages"], {"role": "user", "content": "!"}]})),
    "every_call_is_answered_at_once": (CHAT, ANTHROPIC, ANTHROPIC, sent(without_results)),
    "as_many_results_as_calls": (CHAT, GEMINI, CHAT, asked(swapped_results)),
    "tool_ids_stay_apart_and_legal": (CHAT, ANTHROPIC, CHAT, of_parts(short_id)),
    "tool_ids_come_back_as_they_were": (CHAT, ANTHROPIC, ANTHROPIC, parsed(in_parts(short_id))),
    "tool_names_stay_apart_and_legal": (CHAT, ANTHROPIC, CHAT, asked(same_name)),
    "arguments_mean_what_they_meant": (CHAT, ANTHROPIC, ANTHROPIC, sent(without_inputs)),
    "broken_arguments_are_no_secret": (CHAT, ANTHROPIC, ANTHROPIC, silently_empty),
    "numbers_keep_their_spelling": (CHAT, ANTHROPIC, ANTHROPIC, sent(exact.plain)),
    "no_blank_text_goes_out": (CHAT, ANTHROPIC, ANTHROPIC, last_content(lambda blocks: [*blocks, {"type": "text", "text": " "}])),
    "text_stays_beside_calls": (CHAT, ANTHROPIC, CHAT, asked(without_text_beside_calls)),
    "nothing_is_dropped_in_silence": (CHAT, ANTHROPIC, ANTHROPIC, sent(without("top_p"))),
    "clamping_is_declared": (CHAT, ANTHROPIC, ANTHROPIC, sent(lambda m: {**m, "temperature": 0.3} if "temperature" in m else m)),
    "max_tokens_is_always_there": (CHAT, ANTHROPIC, ANTHROPIC, sent(without("max_tokens"))),
    "rendering_is_pure": (ANTHROPIC, CHAT, CHAT, numbered()),
    "a_longer_talk_starts_the_same": (ANTHROPIC, CHAT, CHAT, sent(counts_messages)),
    "null_is_absent": (CHAT, ANTHROPIC, CHAT, refuses_null),
    "signatures_come_back_byte_by_byte": (CHAT, ANTHROPIC, ANTHROPIC, parsed(in_parts(damaged_seal))),
    "text_is_never_normalised": (CHAT, ANTHROPIC, CHAT, text_changed(lambda text: unicodedata.normalize("NFKC", text))),
    "parts_keep_their_order": (CHAT, ANTHROPIC, CHAT, asked(backwards)),
    "the_normal_form_is_normal": (CHAT, ANTHROPIC, ANTHROPIC, last_content(lambda blocks: [*blocks, {"type": "text", "text": "!"}])),
    "answers_fit_the_clients_model": (CHAT, ANTHROPIC, CHAT, body(without("object"))),
    "every_finish_word_has_a_meaning": (CHAT, ANTHROPIC, CHAT, body(leaking)),
    "a_call_ends_an_answer": (CHAT, ANTHROPIC, ANTHROPIC, parsed(finishes("tool_calls", "length"))),
    "usage_adds_up": (CHAT, ANTHROPIC, ANTHROPIC, each(usage_off_by_one)),
    "a_stream_is_its_plain_twin": (CHAT, ANTHROPIC, ANTHROPIC, each(lose_arguments)),
    "any_granularity_says_the_same": (CHAT, ANTHROPIC, ANTHROPIC, each(lose_whitespace)),
    "noise_changes_nothing": (CHAT, ANTHROPIC, ANTHROPIC, each(startled)),
    "a_stream_is_one_answer": (CHAT, ANTHROPIC, CHAT, fresh_ids()),
    "every_choice_ends_once": (CHAT, ANTHROPIC, CHAT, frames(no_done)),
    "tool_calls_come_in_one_piece_after_the_other": (CHAT, ANTHROPIC, CHAT, payloads(in_calls(with_members(index=0)))),
    "interleaving_changes_nothing": (ANTHROPIC, CHAT, CHAT, latest_part),
    "usage_comes_when_asked_for": (CHAT, ANTHROPIC, CHAT, payloads(usage_everywhere)),
    "a_broken_stream_is_no_success": (CHAT, ANTHROPIC, ANTHROPIC, each(complete_anyway)),
    "a_replay_repeats_every_byte": (CHAT, ANTHROPIC, CHAT, never_twice_the_same),
    "nothing_is_hoarded": (CHAT, ANTHROPIC, CHAT, hoarding),
    "every_error_has_an_envelope": (CHAT, ANTHROPIC, CHAT, speechless),
}  # fmt: skip
"""By law: client, upstream, the dialect that is broken, and how."""

WIRINGS: dict[str, tuple[str, str, Callable[[Pair], Pair]]] = {
    "any_cutting_gives_the_same": (CHAT, ANTHROPIC, packets),
    "every_spelling_means_the_same": (CHAT, ANTHROPIC, only_lf),
    "a_client_that_leaves_closes_the_upstream": (CHAT, ANTHROPIC, forgetful),
    "identity_keeps_what_it_does_not_know": (CHAT, CHAT, rewriting),
}
"""Laws that no dialect can break: client, upstream, and what is put together wrongly."""

__all__ = ["SEEDS", "WIRINGS", "in_choices", "surrogates_pass"]
