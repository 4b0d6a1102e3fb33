"""What media are, by their first bytes: clients mislabel them and providers refuse the label (B-MED-01, B-MED-02)."""

import base64
import binascii

_ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "application/x-pdf": "application/pdf",
}
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_HEAD = 24
"""Characters of base64 that hold every signature: 18 bytes."""


def sniff(b64: str) -> str | None:
    """Return the MIME type that the first bytes of base64 text prove, or None when they prove nothing."""
    head = b64[:_HEAD]
    try:
        data = base64.b64decode(head[: len(head) // 4 * 4])
    except (binascii.Error, ValueError):
        return None
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((mime for magic, mime in _MAGIC if data.startswith(magic)), None)


def plain_mime(mime: str) -> str:
    """Return a MIME type in lower case, without parameters, by its registered name."""
    bare = mime.split(";", 1)[0].strip().lower()
    return _ALIASES.get(bare, bare)


def true_mime(b64: str, mime: str) -> str:
    """Return what the bytes are, or else what their label says."""
    return sniff(b64) or plain_mime(mime)
