"""Write plain values as YAML text: the same text every time, made for review.

A YAML library's emitter chooses styles by its own analysis and escapes emoji; a cassette wants literal blocks where
they are exact, one line for lists, and nothing else. What is read back is checked by the writer, not trusted here.
"""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# One line each: small facts beside each other read better than a column.
_FLOW_KEYS = frozenset({"status", "wire", "timing"})

# YAML 1.1 printable characters without those that some reader takes for a line break (U+0085, U+2028, U+2029) or
# drops (U+FEFF). Tabs are legal but editors turn them into spaces.
_LITERAL = re.compile(
    "[\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]+"  # as ranges
)
# Editors strip spaces at line ends, and a text of line feeds alone has no line to take its indentation from.
_FRAGILE = re.compile(r" (?:\n|\Z)|\A\n+\Z")
_PLAIN_FLOW = re.compile(r"[A-Za-z/](?:[A-Za-z0-9 _./;=+()*-]*[A-Za-z0-9_./;=+()*-])?")
_PLAIN_BLOCK = re.compile(r"[A-Za-z/][A-Za-z0-9_./;=+()*%&?~@$!,:-]*[A-Za-z0-9_./;=+()*%&?~@$!-]")
_RESERVED = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = re.compile('["\\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]')


def fits_literal(text: str) -> bool:
    """Say whether a literal block gives the text back exactly, in every reader and through every editor."""
    return _LITERAL.fullmatch(text) is not None and _FRAGILE.search(text) is None


def emit_item(value: Mapping[str, Any]) -> str:
    """Return the mapping as one item of a block sequence at the left margin, LF-terminated."""
    lines = "".join(_mapping(value, 2))
    return "-" + lines[1:]


def _mapping(value: Mapping[str, Any], indent: int) -> Iterator[str]:
    for key, item in value.items():
        lead = f"{' ' * indent}{_scalar(key)}:"
        if isinstance(item, Mapping) and item and key not in _FLOW_KEYS:
            yield lead + "\n"
            yield from _mapping(item, indent + 2)
        else:
            yield f"{lead} {_value(item, indent + 2)}\n"


def _value(value: Any, indent: int) -> str:
    """Return a value that starts on its key's line; `indent` is that of further lines."""
    if isinstance(value, bytes):
        return _binary(value, indent)
    if isinstance(value, str):
        if _PLAIN_BLOCK.fullmatch(value) and value.lower() not in _RESERVED:
            return value
        if "\n" in value:
            return _literal(value, indent) if fits_literal(value) else _quoted(value, indent)
        return _scalar(value)
    return _flow(value)


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value) if isinstance(value, int) else _scalar(str(value))


def _scalar(text: str) -> str:
    if _PLAIN_FLOW.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    return f'"{_escape(text)}"'


def _literal(text: str, indent: int) -> str:
    margin = " " * indent
    chomp = "-" if not text.endswith("\n") else "+" if text.endswith("\n\n") else ""
    # A first line that starts with a space would set the block's indentation.
    lead = "2" if text.lstrip("\n").startswith(" ") else ""
    lines = (margin + line if line else "" for line in text.removesuffix("\n").split("\n"))
    return f"|{lead}{chomp}\n" + "\n".join(lines)


def _quoted(text: str, indent: int) -> str:
    """Return a double-quoted scalar with one line of text a line (an escaped line break is no text)."""
    margin = " " * indent
    lines = (_escape(line) for line in text.splitlines(keepends=True)) if "\n" in text else iter((_escape(text),))
    # A continuation line loses its leading spaces unless the first is escaped.
    kept = ("\\" + line if line.startswith(" ") else line for line in lines)
    return '"' + f"\\\n{margin}".join(kept) + '"'


def _binary(data: bytes, indent: int) -> str:
    text = base64.b64encode(data).decode()
    lines = (f"\n{' ' * indent}{text[at : at + 76]}" for at in range(0, len(text), 76))
    return "!!binary |" + "".join(lines) if data else '!!binary ""'


def _escape(text: str) -> str:
    return _ESCAPED.sub(_escape_one, text)


def _escape_one(found: re.Match[str]) -> str:
    character = found.group()
    code = ord(character)
    return _ESCAPES.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
