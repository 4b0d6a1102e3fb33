"""Where a check's basis can be read: an address for the kinds that have one."""

import re
from collections.abc import Callable

_ADDRESSES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"gh:([\w.-]+/[\w.-]+)#(\d+)"), lambda found: f"https://github.com/{found[1]}/issues/{found[2]}"),
    (re.compile(r"rfc(\d+)(#[\w.-]+)?"), lambda found: f"https://www.rfc-editor.org/rfc/rfc{found[1]}{found[2] or ''}"),
    (
        re.compile(r"whatwg:server-sent-events(#[\w-]+)?"),
        lambda found: f"https://html.spec.whatwg.org/multipage/server-sent-events.html{found[1] or ''}",
    ),
    (re.compile(r"pypi:([\w.-]+)"), lambda found: f"https://pypi.org/project/{found[1]}/"),
    (re.compile(r"npm:([@\w./-]+)"), lambda found: f"https://www.npmjs.com/package/{found[1]}"),
    (re.compile(r"(https?://[^\s<>\"']+)"), lambda found: found[1]),
)


def address(basis: str) -> str | None:
    """Return the URL of a basis; None where it is a name alone (`openai:#/…`, `B-STR-01`)."""
    for pattern, made in _ADDRESSES:
        found = pattern.fullmatch(basis)
        if found is not None:
            return made(found)
    return None
