"""Probes of the other endpoints that clients use; what comes is the judges' business."""

from typing import Any

from setu.conformance.judges.view import View, objects, seq
from setu.conformance.lab import Lab, refused
from setu.conformance.probes.probe import Probes
from setu.conformance.probes.tools import WEATHER

PROBES = Probes()

MESSAGES, RESPONSES, EMBEDDINGS = "/v1/messages", "/v1/responses", "/v1/embeddings"
ANTHROPIC_VERSION = {"anthropic-version": "2023-06-01"}


@PROBES.add("ANT-001", "ANT-002", needs=("anthropic",))
async def anthropic_client(lab: Lab) -> None:
    tool = {"name": "look_at_sky", "description": "Looks.", "input_schema": WEATHER}
    asked: dict[str, Any] = {"model": lab.aim.model, "max_tokens": 256}
    asked["messages"] = [{"role": "user", "content": "Say hello."}]
    for more in ({}, {"tools": [tool], "tool_choice": {"type": "any"}}, {"model": "no-such-model-setu"}):
        for stream in (False, True):
            await lab.ask({**asked, **more, "stream": stream}, path=MESSAGES, headers=ANTHROPIC_VERSION)


@PROBES.add("GEM-001", "GEM-002", needs=("gemini",))
async def gemini_client(lab: Lab) -> None:
    asked: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}]}
    declared = {"name": "look_at_sky", "description": "Looks.", "parameters": WEATHER}
    forced = {"functionCallingConfig": {"mode": "ANY"}}
    for more in ({}, {"tools": [{"functionDeclarations": [declared]}], "toolConfig": forced}):
        for method, query in (("generateContent", ""), ("streamGenerateContent", "alt=sse")):
            path = f"/v1beta/models/{lab.aim.model}:{method}"
            await lab.ask({**asked, **more}, path=path, query=query)


@PROBES.add("RSP-001", "RSP-002", "RSP-003", "RSP-004", "RSP-005", "RSP-006", needs=("responses",))
async def responses_client(lab: Lab) -> None:
    tool = {"type": "function", "name": "look_at_sky", "parameters": WEATHER, "strict": False}
    asked: dict[str, Any] = {"model": lab.aim.model, "input": "Say hello.", "store": False}
    for more in ({}, {"tools": [tool], "tool_choice": "required"}):
        for stream in (False, True):
            exchange = await lab.ask({**asked, **more, "stream": stream}, path=RESPONSES)
            if exchange.status != 200:
                lab.hold("RSP-001", exchange, f"status {exchange.status}, expected 200")


@PROBES.add("EMB-001", "EMB-002", "EMB-003", "EMB-004", "EMB-005", "EMB-006", needs=("embeddings",))
async def embeddings_client(lab: Lab) -> None:
    asked: dict[str, Any] = {"model": lab.aim.embedding, "input": ["the sea", "the sky", "café"]}
    plain = await lab.ask(asked, path=EMBEDDINGS)
    count = len(seq(View(plain).document.get("data")))
    if plain.status != 200 or count != 3:
        lab.hold("EMB-002", plain, f"{count} embeddings for 3 inputs")
    coded = await lab.ask({**asked, "encoding_format": "base64"}, path=EMBEDDINGS)
    if coded.status == 200 and lab.simulated:
        same = _numbers(View(coded)) == _numbers(View(plain))
        lab.hold("EMB-004", coded, None if same else "base64 and float are other numbers")
    short = await lab.ask({**asked, "dimensions": 256}, path=EMBEDDINGS)
    if short.status == 200:
        sizes = {len(row) for row in _numbers(View(short))}
        lab.hold("EMB-005", short, None if sizes == {256} else f"{sorted(sizes)} numbers, 256 were asked for")
    else:
        lab.hold("EMB-005", short, refused(short))
    empty = await lab.ask({**asked, "input": []}, path=EMBEDDINGS)
    lab.hold("EMB-006", empty, refused(empty, 400, 422))


def _numbers(view: View) -> list[tuple[float, ...]]:
    """Return the embeddings as 32-bit floats, whichever way they came."""
    import base64
    import struct

    found = []
    for row in objects(view.document.get("data")):
        value = row.get("embedding")
        if isinstance(value, str):
            raw = base64.b64decode(value)
            found.append(struct.unpack(f"<{len(raw) // 4}f", raw))
        else:
            found.append(struct.unpack(f"<{len(seq(value))}f", struct.pack(f"<{len(seq(value))}f", *seq(value))))
    return found
