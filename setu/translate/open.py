"""Open a translation: one request's way to an upstream and its answer's way back.

The gateway fetches what `needs` names, renders, sends, and feeds what comes back. When both sides speak the same
dialect the translation is the identity.
"""

from setu.chat.ids import Mint
from setu.dialects.record import (
    Dialect,
    Reply,
    Route,
)
from setu.translate.bridge import Bridge
from setu.translate.identity import Identity
from setu.translate.session import Destination, Translation
from setu.translate.splice import Head, wants_usage


def open_translation(client: Dialect, route: Route, head: Head, to: Destination) -> Translation:
    """Open a session for one target.

    Raises:
        LocalDialectError: translation is needed and the body does not follow the client's dialect.
    """
    same = client.name == to.dialect.name and route.operation in to.dialect.upstream
    # Gemini's counts and embeddings name the model within the body again, and it must be the path's.
    renamed = route.operation in {"count_tokens", "embed"} and route.model not in {None, to.model}
    if same and not renamed:
        return Identity(client, route, head, to)
    return Bridge(client, route, head, to)


def reply_for(head: Head, *, mint: Mint, created: int, prefix: str) -> Reply:
    """Return what an answer to this request is rendered with."""
    return Reply(
        model=head.model or "",
        id=mint(prefix),
        created=created,
        mint=mint,
        stream_usage=wants_usage(head.stream_options),
    )
