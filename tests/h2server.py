"""An HTTP/2 server for tests, every frame of which a test controls; and certificates for it."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import h2.exceptions
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Connection:
    """One connection as the server sees it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.writer = writer
        self.streams: dict[int, Stream] = {}

    async def flush(self) -> None:
        self.writer.write(self.state.data_to_send())
        await self.writer.drain()

    async def goaway(self, last: int | None = None) -> None:
        self.state.close_connection(last_stream_id=last)
        await self.flush()


class Stream:
    """One request; `left` is set when the client resets it, `code` says with which error."""

    def __init__(self, connection: Connection, number: int, fields: dict[str, str]) -> None:
        self.connection = connection
        self.number = number
        self.fields = fields
        self.body = b""
        self.left = asyncio.Event()
        self.code: int | None = None

    async def head(self, status: int = 200, **fields: str) -> None:
        named = [(name.replace("_", "-"), value) for name, value in fields.items()]
        self.connection.state.send_headers(self.number, [(":status", str(status)), *named])
        await self.connection.flush()

    async def data(self, piece: bytes, *, end: bool = False) -> None:
        self.connection.state.send_data(self.number, piece, end_stream=end)
        await self.connection.flush()

    async def reset(self, code: int = 2) -> None:
        self.connection.state.reset_stream(self.number, code)
        await self.connection.flush()


Serve = Callable[[Stream], Awaitable[None]]


class H2:
    """A handler for `RawServer`: each request is given to `serve`. `connections` are all there were."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self.connections: list[Connection] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(writer)
        self.connections.append(connection)
        connection.state.initiate_connection()
        await connection.flush()
        tasks: list[asyncio.Future[None]] = []
        try:
            while data := await reader.read(65536):
                for event in connection.state.receive_data(data):
                    self._take(connection, event, tasks)
                await connection.flush()
        finally:
            for task in tasks:
                task.cancel()

    def _take(self, connection: Connection, event: h2.events.Event, tasks: list[asyncio.Future[None]]) -> None:
        if isinstance(event, h2.events.RequestReceived):
            fields = {_text(name): _text(value) for name, value in event.headers or ()}
            connection.streams[event.stream_id] = Stream(connection, event.stream_id, fields)
        elif isinstance(event, h2.events.DataReceived):
            connection.streams[event.stream_id].body += event.data or b""
            connection.state.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            tasks.append(asyncio.ensure_future(self._safe(connection.streams[event.stream_id])))
        elif isinstance(event, h2.events.StreamReset):
            stream = connection.streams[event.stream_id]
            stream.code = int(event.error_code or 0)
            stream.left.set()

    async def _safe(self, stream: Stream) -> None:
        with contextlib.suppress(ConnectionError, h2.exceptions.ProtocolError):
            await self._serve(stream)


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode()


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for 127.0.0.1; return what a server takes, and the file that a client trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "setu tests")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    authority, secret = folder / "authority.pem", folder / "key.pem"
    authority.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, secret)
    return context, authority
