"""What a run was judged with: the suite, a digest of its rules, the vendors' SDKs that were there."""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from setu.bundled import data_dir

SDKS = ("openai", "anthropic", "google-genai")
_RULES = ("catalogue", "openapi")


@cache
def rules_sha() -> str:
    """Return the SHA-256 of the catalogue and of the OpenAPI document: two reports with one digest asked the same."""
    digest = hashlib.sha256()
    for folder in _RULES:
        for path in sorted((data_dir("conformance") / folder).rglob("*")):
            if path.is_file():
                # Line ends are git's business, not a rule.
                text = path.read_bytes().replace(b"\r\n", b"\n")
                name = path.relative_to(data_dir("conformance")).as_posix()
                digest.update(f"{name}\0{len(text)}\0".encode() + text)
    return digest.hexdigest()


def sdks() -> Mapping[str, str]:
    """Return the versions of the vendors' SDKs that are installed; none is imported."""
    found = {}
    for name in SDKS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
