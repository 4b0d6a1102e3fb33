"""One origin that is answered here, by the simulator; every other goes out."""

from setu.http import Request, Response
from setu.ports import Clock, Transport


class Simulated:
    """Answers what goes to `origin` as a simulated provider would, and passes on the rest."""

    def __init__(self, inner: Transport, origin: str, clock: Clock) -> None:
        from setu.transport.simulate.simulator import Simulator  # most gateways have none

        self._inner = inner
        self._origin = origin
        self._simulator = Simulator(clock)

    async def send(self, request: Request) -> Response:
        if request.origin == self._origin:
            return await self._simulator.send(request)
        return await self._inner.send(request)

    async def aclose(self) -> None:
        await self._simulator.aclose()
        await self._inner.aclose()
