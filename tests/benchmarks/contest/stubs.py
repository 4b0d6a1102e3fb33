"""Recordings as WireMock's stubs, with all that a stub has words for."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from setu.cassette.model import Interaction
from setu.cassette.pieces import pieces_of, timing_of
from tests.benchmarks.contest.exchanges import fields, target_of


def write(interactions: Sequence[Interaction], room: Path, *, paced: bool, dribble: bool) -> None:
    """Write one mapping and one body file for each recording below `room`."""
    for name in ("mappings", "__files"):
        (room / name).mkdir(parents=True)
    for number, interaction in enumerate(interactions):
        (room / "__files" / f"{number}.body").write_bytes(interaction.exchange.body)
        stub = _stub(interaction, f"{number}.body", paced=paced, dribble=dribble)
        (room / "mappings" / f"{number}.json").write_text(json.dumps(stub), encoding="utf-8")


def _stub(interaction: Interaction, body: str, *, paced: bool, dribble: bool) -> dict[str, Any]:
    exchange = interaction.exchange
    asked = exchange.request
    assert isinstance(asked.body, bytes)
    response: dict[str, Any] = {
        "status": exchange.status,
        "statusMessage": interaction.reason,
        "headers": fields(exchange.headers),
        "bodyFileName": body,
    }
    pieces = pieces_of(exchange)
    timing = timing_of(exchange)
    if paced and timing is not None:
        response["fixedDelayMilliseconds"] = timing.ttfb_ms
    if dribble and len(pieces) > 1:
        last = timing.events_ms[-1] if paced and timing is not None else 0
        response["chunkedDribbleDelay"] = {"numberOfChunks": len(pieces), "totalDuration": last}
    same = {"equalToJson": asked.body.decode()}
    return {"request": {"method": asked.method, "url": target_of(asked), "bodyPatterns": [same]}, "response": response}
