"""Losses on their way to the client: named as the client wrote them, short enough for a header."""

import re
from collections.abc import Iterable, Mapping

import msgspec

from setu import _json
from setu.dialects.record import Loss
from setu.errors import LocalDialectError

HEADER = "x-setu-loss"
LIMIT = 2048
"""Bytes a header may take; beyond it a count stands for the rest."""


_CANONICAL = {"response_format": "output", "parallel_tool_calls": "parallel", "reasoning_effort": "thinking"}
"""Names that renderers use for fields which the canonical model calls otherwise."""


def in_words_of(losses: Iterable[Loss], params: Mapping[str, str]) -> tuple[Loss, ...]:
    """Rename canonical pointers to the client dialect's own; drop repetitions."""
    renamed = (msgspec.structs.replace(loss, pointer=_own_pointer(loss.pointer, params)) for loss in losses)
    return tuple(dict.fromkeys(renamed))


def param_in_words_of(param: str, params: Mapping[str, str]) -> str:
    """Rename the parameter that an error names (`n`, `tools[0].name`) as the client wrote it."""
    head = _HEAD.match(param)
    assert head is not None  # it matches the empty string
    wire = params.get(_CANONICAL.get(head[0], head[0]))
    return param if wire is None else wire.lstrip("/").replace("/", ".") + param[head.end() :]


_HEAD = re.compile(r"[^.\[]*")


def _own_pointer(pointer: str, params: Mapping[str, str]) -> str:
    """Return the client's pointer for a whole canonical one, else for the field it begins with."""
    path = pointer.removeprefix("/")
    head, _, rest = path.partition("/")
    if path in params:
        return params[path]
    for lead, wire in params.items():
        if lead.endswith(".") and head.startswith(lead):
            return wire + path.removeprefix(lead).replace(".", "/")
    field = _CANONICAL.get(head, head)
    if field not in params:
        return pointer
    # The members of a canonical field are not those of the client's; the items of a list are.
    return f"{params[field]}/{rest}" if rest[:1].isdigit() else params[field]


def header_value(losses: Iterable[Loss]) -> str | None:
    """Return the `x-setu-loss` header: a JSON array of {phase, pointer, reason, severity}, ASCII, or None.

    Every loss counts: what does not fit is given as a last element `{"more": n}`.
    """
    texts = [_ascii(_json.encode(loss)) for loss in losses]
    if not texts:
        return None
    kept: list[str] = []
    size = 2
    for index, text in enumerate(texts):
        size += len(text) + 1
        if size > LIMIT - 16:
            kept.append(f'{{"more":{len(texts) - index}}}')
            break
        kept.append(text)
    return f"[{','.join(kept)}]"


def refuse(losses: Iterable[Loss]) -> None:
    """Refuse a request that cannot be said whole.

    Raises:
        LocalDialectError: something that may change the answer would be lost; names the first such member.
    """
    grave = [loss for loss in losses if loss.phase == "request" and loss.severity == "warn"]
    if grave:
        told = "; ".join(f"{loss.pointer}: {loss.reason}" for loss in grave)
        raise LocalDialectError(
            f"the target cannot express {told}", param=grave[0].pointer.lstrip("/"), code="unsupported_parameter"
        )


def _ascii(text: bytes) -> str:
    """Escape as JSON may what a header field may not hold: everything but printable ASCII."""
    return "".join(char if " " <= char <= "~" else _escaped(char) for char in text.decode())


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
