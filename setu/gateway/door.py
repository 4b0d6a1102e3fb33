"""Who comes in: each request is let in as somebody, or answered 401."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from setu.access.audit import Auditor
from setu.access.caller import Caller
from setu.access.entrance import Mode, Refused, administrator, entered
from setu.access.keys import Keyring, NoKeys, Pass, digest_of, static_passes
from setu.access.said import Said, said_by, shown_key
from setu.cassette.redact import redact_text
from setu.chat.ids import Mint
from setu.dialects.registry import of_path
from setu.errors import AuthenticationError, DeniedError, ErrorInfo, SetuError
from setu.http import Headers, Request, Response
from setu.ports import Transport

__all__ = ["Door", "Porter", "admin_caller", "shown_key"]

RenderError = Callable[[Request, ErrorInfo], bytes]

_LONGEST_PATH = 200


class Porter:
    """Tells who asks.

    `keys` and `admin_keys` are those of the configuration, `ring` has the virtual ones. All are known by their digests
    alone. `audit` hears of everybody who was refused.
    """

    def __init__(
        self,
        mode: Mode = "keys",
        *,
        keys: Iterable[str] = (),
        admin_keys: Iterable[str] = (),
        ring: Keyring | None = None,
        now: Callable[[], float] = time.time,
        audit: Auditor | None = None,
    ) -> None:
        self._mode: Mode = mode
        self._static: Mapping[str, Pass] = static_passes(keys, admin_keys)
        self._ring = ring or NoKeys()
        self._now = now
        self._audit = audit

    async def enter(self, request: Request) -> Caller:
        """Return who asks.

        Raises:
            AuthenticationError: nobody who may come in.
            LocalDialectError: the tenant that it names cannot be one.
        """
        said = said_by(request)
        known = await self._find(said) if self._mode != "open" else None
        return self._let_in(request, said, entered(self._mode, said, known, self._now()))

    async def admin(self, request: Request) -> Caller:
        """Return the administrator who asks; in any mode only an administrator's key will do.

        Raises:
            AuthenticationError: no key of this gateway.
            DeniedError: one, but of somebody else.
        """
        said = said_by(request)
        known = await self._find(said)
        return self._let_in(request, said, administrator(said, known, self._now()))

    async def _find(self, said: Said) -> Pass | None:
        if said.key is None:
            return None
        await self._ring.refresh()
        digest = digest_of(said.key)
        return self._static.get(digest) or self._ring.find(digest)

    def _let_in(self, request: Request, said: Said, found: Caller | Refused) -> Caller:
        if isinstance(found, Caller):
            if found.key and found.forward is None:
                self._ring.used(found.key, self._now())
            return found
        if self._audit is not None:
            path = redact_text(request.path[:_LONGEST_PATH])
            self._audit.note(
                "auth_failure", found.key, reason=found.reason, shown=said.shown, method=request.method, path=path
            )
        if found.reason == "not admin":
            raise DeniedError(found.message, code="admin_key_required")
        raise AuthenticationError(found.message)


class Door(Porter):
    """A porter before a transport: what he lets in goes on, all else is answered in the words of its endpoint."""

    def __init__(
        self,
        inner: Transport,
        keys: Sequence[str],
        render_error: RenderError,
        mint: Mint,
        *,
        mode: Mode = "keys",
        ring: Keyring | None = None,
        now: Callable[[], float] = time.time,
        audit: Auditor | None = None,
    ) -> None:
        super().__init__(mode, keys=keys, ring=ring, now=now, audit=audit)
        self._inner = inner
        self._mint = mint
        self._render_error = render_error

    async def send(self, request: Request) -> Response:
        """Pass a request on, or refuse it."""
        try:
            await self.enter(request)
        except SetuError as error:
            return self._refused(request, error.info())
        return await self._inner.send(request)

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _refused(self, request: Request, info: ErrorInfo) -> Response:
        headers = Headers.of({"content-type": "application/json"})
        if info.status == 401:
            headers.add("www-authenticate", "Bearer")
        headers.add(of_path(request.path).request_id, request.headers.get("x-request-id") or self._mint("req_"))
        return Response(info.status, headers, self._render_error(request, info))


async def admin_caller(porter: Porter, request: Request) -> Caller:
    """Return the administrator who asks.

    Raises:
        AuthenticationError: no key of this gateway (401).
        DeniedError: one that is no administrator's (403).
    """
    return await porter.admin(request)
