"""Embeddings of OpenAI's endpoint (EMB): shape, order, encodings.

Vectors are compared as float32 numbers, which is what every encoding of them says.
"""

import base64
import binascii
import struct
from collections.abc import Iterator
from math import isfinite
from typing import Any

from setu.conformance.judges.finding import Finding, Rules, both, flaw
from setu.conformance.judges.view import MISSING, View, is_count, obj, objects, seq

RULES = Rules()


def asks(view: View) -> bool:
    """Tell a request to OpenAI's endpoint."""
    request = view.exchange.request
    return request.method == "POST" and request.path.rstrip("/").endswith("/embeddings")


def embeds(view: View) -> bool:
    """Tell an answer of OpenAI's endpoint that is no error."""
    return asks(view) and view.ok


def inputs_of(asked: Any) -> int:
    """Count the inputs of a request: a text or a list of tokens is one."""
    if isinstance(asked, list) and not all(is_count(item) for item in asked):
        return len(asked)
    return 1


def rows(view: View) -> list[dict[str, Any]]:
    return objects(view.document.get("data"))


def numbers(value: Any) -> list[float] | None:
    """Return a vector as float32 numbers, whichever way it is written; None when it is neither."""
    try:
        if isinstance(value, str):
            packed = base64.b64decode(value, validate=True)
            return list(struct.unpack(f"<{len(packed) // 4}f", packed))
        return list(struct.unpack(f"<{len(value)}f", struct.pack(f"<{len(value)}f", *value)))
    except (binascii.Error, struct.error, OverflowError, TypeError):
        return None


@RULES.add("EMB-001", embeds)
def is_a_list_of_embeddings(view: View) -> Iterator[Finding]:
    for name, want in (("object", "list"), ("data", []), ("model", ""), ("usage", {})):
        got = view.document.get(name, MISSING)
        if got != want if name == "object" else not isinstance(got, type(want)):
            yield flaw(f"'{name}' is missing or wrong", path=f"$.{name}", got=got)
    for index, row in enumerate(seq(view.document.get("data"))):
        if obj(row).get("object") != "embedding" or not isinstance(obj(row).get("embedding"), (list, str)):
            yield flaw("an item is no embedding", path=f"$.data[{index}]", got=obj(row).get("object", MISSING))
    usage = obj(view.document.get("usage"))
    wrong = {name: usage.get(name) for name in ("prompt_tokens", "total_tokens") if not is_count(usage.get(name))}
    if wrong:
        yield flaw("usage lacks integer counts", path="$.usage", got=wrong)


@RULES.add("EMB-002", embeds)
def one_for_each_input_in_order(view: View) -> Iterator[Finding]:
    want = list(range(inputs_of(view.asked.get("input"))))
    got = [row.get("index") for row in rows(view)]
    if got != want:
        yield flaw("the indices are not those of the inputs, in order", path="$.data", got=got, want=want)


@RULES.add("EMB-003", embeds)
def vectors_are_finite_and_of_one_length(view: View) -> Iterator[Finding]:
    lengths = set()
    for index, row in enumerate(rows(view)):
        vector = numbers(row.get("embedding"))
        if not vector or not all(map(isfinite, vector)):
            yield flaw("an embedding is no list of finite numbers", path=f"$.data[{index}].embedding")
        else:
            lengths.add(len(vector))
    if len(lengths) > 1:
        yield flaw("embeddings differ in length", path="$.data", got=sorted(lengths))


@RULES.add("EMB-004", embeds)
def the_encoding_is_the_one_asked_for(view: View) -> Iterator[Finding]:
    wants_text = view.asked.get("encoding_format") == "base64"
    for index, row in enumerate(rows(view)):
        if isinstance(row.get("embedding"), str) != wants_text:
            want = "base64" if wants_text else "float"
            yield flaw("the encoding is not the one asked for (B-EMB-01)", path=f"$.data[{index}].embedding", want=want)
    theirs = _upstream_vectors(view)
    ours = [numbers(row.get("embedding")) for row in rows(view)]
    if theirs and theirs != ours:
        yield flaw("the numbers are not the upstream's (B-EMB-02)", path="$.data")


def _upstream_vectors(view: View) -> list[list[float] | None]:
    """Return the vectors of the upstream's own answer, in whichever of the known places they stand."""
    document = view.upstream.document if view.upstream is not None else {}
    found = [
        row.get("embedding", row.get("values")) for row in objects(document.get("data", document.get("embeddings")))
    ]
    if isinstance(document.get("embedding"), list):  # Titan's one vector
        found.append(document["embedding"])
    listed = document.get("embeddings")
    found += (
        seq(listed.get("float")) if isinstance(listed, dict) else [row for row in seq(listed) if isinstance(row, list)]
    )
    return [numbers(vector) for vector in found]


@RULES.add("EMB-005", both(embeds, lambda view: is_count(view.asked.get("dimensions"))))
def dimensions_are_honoured(view: View) -> Iterator[Finding]:
    want = view.asked["dimensions"]
    for index, row in enumerate(rows(view)):
        got = len(numbers(row.get("embedding")) or ())
        if got != want:
            yield flaw("the vector is not as long as asked", path=f"$.data[{index}].embedding", got=got, want=want)


@RULES.add("EMB-006", both(asks, lambda view: view.asked.get("input", MISSING) in ([], None, MISSING)))
def nothing_to_embed_is_an_error(view: View) -> Iterator[Finding]:
    if view.exchange.status != 400:
        yield flaw("an empty input is answered", got=view.exchange.status, want=400)
