"""Recorded calls made once more: what does the provider answer today?"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from setu.cassette.match import route_of
from setu.cassette.model import Interaction
from setu.cassette.scope import Scope
from setu.cassette.shape import PLACEHOLDER
from setu.errors import SetuError
from setu.http import Ending, Request
from setu.ports import Transport
from setu.providers.deployment import Deployment, url
from setu.providers.signing import sign
from setu.studio import Studio, key_of
from setu.transport.record import Record

_OF_THE_TIME = frozenset({401, 403, 408, 409, 425, 429})
"""Statuses that say something of a key, a quota or a moment, nothing of the request."""

_AT_ONCE = 4


class Outcome(NamedTuple):
    """A recording and what became of asking again: the answer of today, or why there is none.

    `failed` is set when the provider could not be reached, `skipped` when it was not asked.
    """

    recorded: Interaction
    found: Interaction | None = None
    failed: str = ""
    skipped: str = ""


def plan(
    interactions: Iterable[Interaction], deployed: Mapping[str, Deployment], limit: int
) -> tuple[list[Interaction], list[Outcome]]:
    """Return the calls to make, at most `limit` and each but once, and those that will not be made."""
    wanted: list[Interaction] = []
    skipped: list[Outcome] = []
    seen: dict[tuple[str, str], str] = {}
    for each in interactions:
        call = (each.exchange.request.origin, key_of(each))
        reason = _reason(each, deployed)
        if not reason and call in seen:
            reason = f"the same call as {seen[call]}, which is made once"
        if not reason and len(wanted) == limit:
            reason = f"over the limit of {limit} requests"
        if reason:
            skipped.append(Outcome(each, skipped=reason))
            continue
        seen[call] = each.place
        wanted.append(each)
    return wanted, skipped


async def ask(
    studio: Studio, wanted: Sequence[Interaction], deployed: Mapping[str, Deployment], live: Transport
) -> AsyncIterator[Outcome]:
    """Make calls, a few at a time, and yield each outcome as it comes; nothing is written. Closes `live`."""
    record = studio.recorder(None)
    gate = asyncio.Semaphore(_AT_ONCE)
    tasks = [asyncio.create_task(_ask(record, each, deployed, gate)) for each in wanted]
    try:
        for done in asyncio.as_completed(tasks):
            yield await done
    finally:
        for task in tasks:
            task.cancel()
        await record.aclose()
        await live.aclose()


async def again(
    studio: Studio, request: Request, deployed: Mapping[str, Deployment], scope: Scope | None
) -> tuple[Path, int]:
    """Make one call of its own and record it; return the cassette and the status of the answer.

    The request is as a miss has it, without credentials: the deployment whose host it is for signs it.

    Raises:
        SetuError: the host cannot be reached.
    """
    interactions: list[Interaction] = []
    transport = studio.recorder(scope, interactions.append)
    try:
        response = await transport.send(await signed(request, deployed))
        await response.read()
    finally:
        await transport.aclose()
    return studio.directory / studio.name_of(scope, interactions[0]), response.status


async def signed(request: Request, deployed: Mapping[str, Deployment]) -> Request:
    """Return a request with the credential of the deployment whose host it is for."""
    for deployment in deployed.values():
        if url(deployment, "/")[0] == request.origin:
            sign(request.headers, deployment.scheme, deployment.key)
            return await deployment.signer.sign(request) if deployment.signer is not None else request
    return request


async def _ask(
    record: Record, each: Interaction, deployed: Mapping[str, Deployment], gate: asyncio.Semaphore
) -> Outcome:
    request = each.exchange.request
    async with gate:
        try:
            asked = await signed(msgspec.structs.replace(request, headers=request.headers.copy()), deployed)
            return Outcome(each, await record.observe(asked))
        except SetuError as error:
            return Outcome(each, failed=str(error))


def _reason(interaction: Interaction, deployed: Mapping[str, Deployment]) -> str:
    """Return why a recorded call is not made again; empty when it is."""
    exchange, recording = interaction.exchange, interaction.recording
    request = exchange.request
    assert isinstance(request.body, bytes)
    route = route_of(request)
    if recording.side == "client":
        return "the client's side of a translated call"
    if exchange.status in _OF_THE_TIME or exchange.status >= 500:
        return f"a {exchange.status} says nothing lasting"
    if exchange.end is not Ending.COMPLETE:
        return f"the recorded answer broke off ({exchange.end.value})"
    if request.method not in ("GET", "POST") or (route is None and request.method != "GET"):
        return f"this {request.method} may change something"
    if any(place.startswith(("request.body", "request.uri", "request.path")) for place in recording.redacted):
        return "a secret was taken out of the request"
    if f'"{PLACEHOLDER}'.encode() in request.body:
        return "its media were not kept"
    if not any(each.callable and url(each, "/")[0] == request.origin for each in deployed.values()):
        return f"no key for {request.origin}"
    return ""
