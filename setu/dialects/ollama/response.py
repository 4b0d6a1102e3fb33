"""A whole answer."""

import msgspec

from setu._json import JsonError
from setu.chat.fold import fold
from setu.chat.ids import Mint
from setu.chat.request import Message
from setu.chat.response import Candidate, ChatResponse
from setu.dialects.ollama.decoder import Decoder
from setu.errors import DialectError, ProviderError, RemoteDialectError


def parse_response(body: bytes, mint: Mint) -> ChatResponse:
    """Read an answer: a stream of one line, or the lines of a stream that nobody asked for.

    Raises:
        ProviderError: the body holds an error.
        RemoteDialectError: the body holds no answer.
    """
    decoder = Decoder(mint)
    lines = [body] if body.count(b"\n{") == 0 else body.splitlines()
    try:
        events = [event for line in lines if line.strip() for event in decoder.read(line.strip())]
    except (DialectError, JsonError, RecursionError) as error:
        raise RemoteDialectError(f"the upstream's answer cannot be read: {error}") from None
    folded = fold([*events, *decoder.close()])
    if folded.error is not None:
        raise ProviderError(folded.error)
    if not folded.complete:
        raise RemoteDialectError("the upstream's answer is not done", param="done")
    response = folded.response
    if response.candidates:
        return response
    return msgspec.structs.replace(response, candidates=(Candidate(messages=(Message(role="assistant", parts=()),)),))
