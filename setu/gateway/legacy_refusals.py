"""What a proxy before this one refused of Responses requests, with its codes: its clients tell them apart by these."""

from collections.abc import Mapping

from setu import _json
from setu._json import Json
from setu.errors import LocalDialectError

_REFUSED: Mapping[str, tuple[str, str]] = {
    "background": ("background_not_supported", "answers are given at once: send the request without 'background'"),
    "prompt": ("prompt_reference_not_supported", "stored prompts are not known here: send the 'input' itself"),
}
_SAYS_NOTHING = frozenset({b"null", b"false"})


def refuse(body: Json) -> None:
    """Pass what that proxy answered.

    Raises:
        LocalDialectError: a run in the background, or a stored prompt.
    """
    if not any(b'"%s"' % name.encode() in body for name in _REFUSED):
        return
    members = _json.split(body, trusted=True)
    for name, (code, message) in _REFUSED.items():
        if members.get(name, b"null") not in _SAYS_NOTHING:
            raise LocalDialectError(message, param=name, code=code)
