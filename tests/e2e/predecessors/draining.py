"""A process that is told to stop while it streams."""

import http.client
import json
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e.predecessors.serving import CHAT, Started, said, terminate


def drained(folder: Path, config: str) -> tuple[bytes, int | None]:
    """Ask for a slow stream, terminate the process in its middle; return the whole answer and the exit status."""
    with Started(folder, config) as started:
        started.play("stall=1500ms@event=3")
        line = http.client.HTTPConnection(urlsplit(started.url).netloc, timeout=20)
        line.request("POST", CHAT, json.dumps(said("at length", stream=True)), {"content-type": "application/json"})
        answer = line.getresponse()
        body = answer.read1(10)
        terminate(started)
        body += answer.read()
        line.close()
    return body, started.serving.status
