"""What Converse wants of blocks and turns beyond their shapes: one member a block, results at once, no blank text."""

from collections.abc import Iterator
from typing import Any

from setu.conformance.judges.finding import Finding, flaw
from setu.conformance.judges.view import obj, objects

Flaws = Iterator[Finding]
Placed = Iterator[tuple[str, dict[str, Any]]]


def misshapen(body: dict[str, Any]) -> Flaws:
    """Yield unions that do not hold exactly one member (B-USG-12), calls without tools, documents without a text."""
    for path, block in _unions(body):
        if len(block) != 1:
            yield flaw("a block does not hold exactly one thing", path=path, got=sorted(block))
    used = any("toolUse" in block or "toolResult" in block for _, block in _blocks(body))
    if used and not obj(body.get("toolConfig")).get("tools"):
        yield flaw("tool blocks need a toolConfig (B-TOOL-09)", path="$.toolConfig")
    yield from _documents(body)


def _documents(body: dict[str, Any]) -> Flaws:
    names: list[Any] = []
    for place, message in enumerate(objects(body.get("messages"))):
        path = f"$.messages[{place}].content"
        blocks = objects(message.get("content"))
        if not blocks:
            yield flaw("a message without content (B-MSG-08)", path=path, got=message.get("content"))
        found = [obj(block["document"]).get("name") for block in blocks if "document" in block]
        if found and not any("text" in block for block in blocks):
            yield flaw("a document needs a text beside it (B-MED-06)", path=path)
        names += found
    if len({str(name) for name in names}) != len(names):
        yield flaw("document names come twice (B-MED-08)", path="$.messages", got=names)


def unanswered(body: dict[str, Any]) -> Flaws:
    """Yield calls that the next turn does not answer, and results without a call (B-TOOL-01)."""
    pending: list[Any] = []
    for place, message in enumerate(objects(body.get("messages"))):
        blocks = objects(message.get("content"))
        uses = [obj(block["toolUse"]) for block in blocks if "toolUse" in block]
        results = [obj(block["toolResult"]) for block in blocks if "toolResult" in block]
        if message.get("role") == "assistant":
            pending = [use.get("toolUseId") for use in uses if use.get("type") != "server_tool_use"]
            continue
        got = [result.get("toolUseId") for result in results]
        path = f"$.messages[{place}].content"
        if sorted(map(str, got)) != sorted(map(str, pending)):
            yield flaw("tool results do not answer the turn before (B-TOOL-01)", path=path, got=got, want=pending)
        elif results and not _leading(blocks, len(results)):
            yield flaw("tool results do not come first (B-TOOL-02)", path=path)
        pending = []
    if pending:
        yield flaw("the last tool calls are not answered", path="$.messages", got=[], want=pending)


def _leading(blocks: list[dict[str, Any]], count: int) -> bool:
    marked = [block for block in blocks if "cachePoint" not in block]
    return all("toolResult" in block for block in marked[:count])


def blank(body: dict[str, Any]) -> Flaws:
    """Yield empty texts, and results that say nothing (B-MSG-09); between other texts white space is taken."""
    for path, block in _blocks(body):
        text = block.get("text")
        if isinstance(text, str) and not (text.strip() if ".toolResult." in path else text):
            yield flaw("a blank text block", path=f"{path}.text", got=text)
        if "toolResult" in block and not objects(obj(block["toolResult"]).get("content")):
            yield flaw("a tool result without content", path=f"{path}.toolResult.content")


def _blocks(body: dict[str, Any]) -> Placed:
    for place, message in enumerate(objects(body.get("messages"))):
        for number, block in enumerate(objects(message.get("content"))):
            path = f"$.messages[{place}].content[{number}]"
            yield path, block
            for inner, part in enumerate(objects(obj(block.get("toolResult")).get("content"))):
                yield f"{path}.toolResult.content[{inner}]", part


def _unions(body: dict[str, Any]) -> Placed:
    for path, block in _blocks(body):
        yield path, block
        for kind, value in block.items():
            if kind == "reasoningContent":
                yield f"{path}.{kind}", obj(value)
            elif kind in ("image", "document", "video", "audio"):
                yield f"{path}.{kind}.source", obj(obj(value).get("source"))
    for place, block in enumerate(objects(body.get("system"))):
        yield f"$.system[{place}]", block
    config = obj(body.get("toolConfig"))
    for place, tool in enumerate(objects(config.get("tools"))):
        yield f"$.toolConfig.tools[{place}]", tool
    if "toolChoice" in config:
        yield "$.toolConfig.toolChoice", obj(config["toolChoice"])
