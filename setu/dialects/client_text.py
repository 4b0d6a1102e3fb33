"""Bodies of clients: text that can be written again."""

import re

from setu import _json
from setu.errors import LocalDialectError

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def check_text(body: bytes) -> None:
    """Refuse text that cannot be written again.

    Raises:
        LocalDialectError: bytes that are not UTF-8, or half of a surrogate pair.
    """
    try:
        body.decode()
        if _SURROGATE.search(body):
            _json.encode(_json.decode(body))
    except UnicodeDecodeError as error:
        raise LocalDialectError(f"the body is not valid UTF-8 at byte {error.start}") from None
    except _json.JsonError as error:
        raise LocalDialectError(f"the body is not valid JSON: {error}") from None
