"""Fetch the facts that a translation needs: stored seals, the bytes of media."""

import asyncio
from hashlib import blake2b

from setu.chat.parts import Inline
from setu.chat.seals import Seal
from setu.errors import LocalDialectError
from setu.http import Request
from setu.ports import Fetcher, SealStore
from setu.providers.signing import CREDENTIALS
from setu.translate.session import Fetched, Needs

MAX_URLS = 32


def tenant_of(request: Request) -> str:
    """Return who a client is as far as its credentials say, as a digest; the same empty word for all without any."""
    shown = [f"{name}: {value}" for name in CREDENTIALS for value in request.headers.getall(name)]
    shown += [pair for pair in request.query.split("&") if pair.startswith("key=")]
    return blake2b("\n".join(shown).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest() if shown else ""


async def gather(needs: Needs, seals: SealStore[Seal], media: Fetcher[Inline] | None) -> Fetched:
    """Return what there is; without a fetcher no URL is fetched, and the renderer says what it cannot send.

    Raises:
        LocalDialectError: a URL cannot be fetched, or there are too many.
    """
    found = seals.get(needs.seals) if needs.seals else {}
    if not needs.media or media is None:
        return Fetched(seals=found)
    if len(needs.media) > MAX_URLS:
        raise LocalDialectError(f"the request names more than {MAX_URLS} media URLs", code="too_many_media")
    async with asyncio.TaskGroup() as tasks:
        fetching = {url: tasks.create_task(_settled(media, url)) for url in needs.media}
    results = {url: task.result() for url, task in fetching.items()}
    for result in results.values():
        if isinstance(result, LocalDialectError):
            raise result
    return Fetched(seals=found, media={url: got for url, got in results.items() if isinstance(got, Inline)})


async def _settled(media: Fetcher[Inline], url: str) -> Inline | LocalDialectError:
    """One refused URL must not turn into a group of errors."""
    try:
        return await media.fetch(url)
    except LocalDialectError as error:
        return error
