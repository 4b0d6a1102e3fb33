from setu import _json
from setu.http import Headers, Request, Response
from setu.transport.simulated import Simulated
from tests.clocks import RealClock
from tests.loops import in_loop

ORIGIN = "http://simulated.invalid"


class Network:
    def __init__(self) -> None:
        self.seen: list[str] = []
        self.closed = 0

    async def send(self, request: Request) -> Response:
        self.seen.append(request.origin)
        return Response(204)

    async def aclose(self) -> None:
        self.closed += 1


def chat(origin: str) -> Request:
    body = _json.encode({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]})
    headers = Headers.of({"content-type": "application/json", "authorization": "Bearer mock"})
    return Request(method="POST", origin=origin, path="/v1/chat/completions", headers=headers, body=body)


@in_loop
async def test_only_the_simulated_origin_is_answered_here() -> None:
    network = Network()
    transport = Simulated(network, ORIGIN, RealClock())
    here = await transport.send(chat(ORIGIN))
    out = await transport.send(chat("https://api.example"))
    object_ = _json.decode(await here.read())["object"]
    await transport.aclose()

    assert (here.status, object_) == (200, "chat.completion")
    assert (out.status, network.seen, network.closed) == (204, ["https://api.example"], 1)
