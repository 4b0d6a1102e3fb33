"""A request as a command that repeats it."""

import base64
import shlex

from setu.http import Request
from setu.providers.signing import CREDENTIALS

_OF_THE_CLIENT = frozenset({"accept-encoding", "connection", "content-length", "host", "user-agent", "accept"})
"""Headers that every client writes in its own way."""


HIDDEN = "$API_KEY"
"""What stands for a value that nobody may see; the shell puts the reader's own in its place."""


def curl(request: Request) -> str:
    """Return a shell command that sends a request again, whole; credentials are named, not shown."""
    base = shlex.quote(request.origin) if request.origin else '"$BASE_URL"'
    words = ["curl", "-sN", "-X", request.method, base + shlex.quote(request.target)]
    for name, value in request.headers.items():
        if name in CREDENTIALS or value == HIDDEN:
            words += ["-H", f'"{name}: {HIDDEN}"']
        elif name not in _OF_THE_CLIENT and not name.startswith("x-schemathesis"):
            words += ["-H", shlex.quote(f"{name}: {value}")]
    body = request.body if isinstance(request.body, bytes) else b""
    if not body:
        return " ".join(words)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # an argument cannot hold it, so it comes by the pipe
        piped = f"echo {base64.b64encode(body).decode()} | base64 -d | "
        return piped + " ".join([*words, "--data-binary", "@-"])
    return " ".join([*words, "--data-raw", shlex.quote(text)])
