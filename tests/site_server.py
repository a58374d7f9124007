"""A real HTTP server for many hosts at once, each at a loopback address of its own, whose every byte and every stall is the test's.

It is written over plain streams, because a server that keeps the rules cannot break them: heads without end, bodies that stop in the
middle, an answer byte by byte. What was asked of it, and when, is in its log, and politeness is judged from that log alone.
"""

import asyncio
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: Longer heads of requests are answered with 431, in bytes.
LONGEST_HEAD = 64 * 1024

#: What goes out at once of a body that has no end.
PIECE = 16 * 1024

#: Ports that all hosts have free are not found at the first try when other servers come and go.
TRIES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request."""

    #: The loopback address it came in at.
    host: str
    method: str
    #: As it was sent, with the query.
    path: str
    #: Names in lower case; of a header that came twice the last.
    headers: Mapping[str, str]
    #: How often this path was asked for at this host, this time included.
    number: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer, and how it is sent."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    #: Seconds before the head, and between head and body.
    wait: float = 0.0
    wait_for_body: float = 0.0
    #: Seconds between one byte of the body and the next.
    between_bytes: float = 0.0
    #: Does the body begin anew at its end, without end?
    endless: bool = False
    #: Does the head go on without end?
    endless_head: bool = False
    #: Close the connection after so many bytes of the body; the length that was told stays that of the whole.
    cut_after: int | None = None

    def header(self, name: str) -> str | None:
        """Give the first header of that name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def without(self, *names: str) -> tuple[tuple[str, str], ...]:
        """Give the headers but for those of these names."""
        left_out = {name.lower() for name in names}
        return tuple((key, value) for key, value in self.headers if key.lower() not in left_out)


Answering = Callable[[Asked], Reply]
"""What one host answers. Called in the server's thread."""


@dataclass(slots=True, kw_only=True)
class Hit:
    """One line of the log."""

    host: str
    method: str
    path: str
    #: Names in lower case.
    headers: Mapping[str, str]
    #: When the request was read, in seconds of the monotonic clock.
    at: float
    #: Just before the last byte was sent, so that no client can have asked again by then; or when the answer was given up.
    ended: float | None = None
    #: None as long as no answer was decided on.
    status: int | None = None
    #: Bytes of the body that were handed to the connection.
    sent: int = 0


# ---- what the log tells ---------------------------------------------------------------------------


def paths(log: Sequence[Hit], host: str | None = None) -> list[str]:
    """Give what was asked for, in order, of one host or of all."""
    return [hit.path for hit in log if host in (None, hit.host)]


def gaps(log: Sequence[Hit], host: str) -> list[float]:
    """Give the seconds from each request at a host to the next, beginning to beginning."""
    return [later - earlier for earlier, later in pairwise(sorted(hit.at for hit in log if hit.host == host))]


def most_at_once(log: Sequence[Hit], host: str) -> int:
    """Say how many requests at a host were under way at once at most; one without an end is under way for good."""
    changes = [(hit.at, 1) for hit in log if hit.host == host]
    changes += [(hit.ended, -1) for hit in log if hit.host == host and hit.ended is not None]
    most = now = 0
    # At the same moment the one that ends comes first.
    for _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most


def disallowed(log: Sequence[Hit], rules: Mapping[str, Sequence[str]]) -> list[Hit]:
    """Give the requests that a host had forbidden.

    Args:
        log: The log.
        rules: For each host the beginnings of the paths that it forbids.
    """
    return [hit for hit in log if hit.path.startswith(tuple(rules.get(hit.host, ())))]


# ---- serving --------------------------------------------------------------------------------------


class SiteServer:
    """Hosts that are being served; see ``serving_hosts``."""

    def __init__(self, hosts: Mapping[str, Answering], *, with_tls: Sequence[str] = ()) -> None:
        """Serve nothing yet."""
        self.port = 0
        #: Every request since the server came up, in the order they were read.
        self.log: list[Hit] = []
        #: What went wrong in the server itself; raised when it is closed.
        self.faults: list[Exception] = []
        self._hosts = dict(hosts)
        self._with_tls = frozenset(with_tls)
        self._asked: Counter[tuple[str, str]] = Counter()
        self._connections: set[asyncio.Task[None]] = set()

    def base(self, host: str) -> str:
        """Give scheme, address and port of a host."""
        return f"{'https' if host in self._with_tls else 'http'}://{host}:{self.port}"

    async def run(self, is_up: Callable[[], None], until: asyncio.Event) -> None:
        """Serve until told to stop, then leave no connection open."""
        listeners = self._listeners()
        tls = _tls(sorted(self._with_tls)) if self._with_tls else None
        servers = [
            await asyncio.start_server(
                self._handler(host), sock=listener, limit=LONGEST_HEAD, ssl=tls if host in self._with_tls else None
            )
            for host, listener in listeners.items()
        ]
        is_up()
        try:
            await until.wait()
        finally:
            for server in servers:
                server.close()
            for task in self._connections:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
            # What was closed is taken out of the loop in its next turns.
            for _ in range(5):
                await asyncio.sleep(0)

    def _listeners(self) -> dict[str, socket.socket]:
        """Listen at every host, all with the same port."""
        for _ in range(TRIES):
            port, found = self.port, dict[str, socket.socket]()
            try:
                for host in self._hosts:
                    found[host] = socket.create_server((host, port), backlog=256)
                    port = found[host].getsockname()[1]
            except OSError:
                for listener in found.values():
                    listener.close()
            else:
                self.port = port
                return found
        message = f"no port that is free at all of {', '.join(self._hosts)}"
        raise OSError(message)

    def _handler(
        self, host: str
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._connections.add(task)
            try:
                with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                    while await self._one(host, reader, writer):
                        pass
            except Exception as error:  # noqa: BLE001  a fault of the test's own site
                self.faults.append(error)
            finally:
                self._connections.discard(task)
                # Not close(): a client that reads no more would keep it waiting for what is still to be sent.
                if writer.transport.get_write_buffer_size():
                    writer.transport.abort()
                writer.close()

        return handle

    async def _one(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; says whether another may follow on the same connection."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            writer.write(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            return False
        at = monotonic()
        method, path, headers = _request(head)
        self._asked[host, path] += 1
        asked = Asked(host=host, method=method, path=path, headers=headers, number=self._asked[host, path])
        hit = Hit(host=host, method=method, path=path, headers=headers, at=at)
        self.log.append(hit)
        try:
            reply = self._hosts[host](asked)
            hit.status = reply.status
            keep = await _send(writer, reply, hit, is_head=method == "HEAD")
        finally:
            if hit.ended is None:
                hit.ended = monotonic()
        return keep and headers.get("connection", "").lower() != "close"


def _request(head: bytes) -> tuple[str, str, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = (first + "  ").split(" ", 2)
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
    }
    return method, path, headers


async def _send(writer: asyncio.StreamWriter, reply: Reply, hit: Hit, *, is_head: bool) -> bool:
    """Send an answer; says whether the connection can be used again."""
    await asyncio.sleep(reply.wait)
    has_body = not is_head and reply.status not in {204, 304}
    can_go_on = not reply.endless and reply.cut_after is None
    headers = [*reply.headers]
    if (can_go_on and has_body) or reply.cut_after is not None:
        headers.append(("Content-Length", str(len(reply.body))))
    if not can_go_on:
        headers.append(("Connection", "close"))
    phrase = HTTPStatus(reply.status).phrase if reply.status in list(HTTPStatus) else "Whatever"
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in headers)]
    writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n")
    if reply.endless_head:
        while True:
            writer.write(b"X-And-So-On: " + b"x" * 1000 + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0.001)
    if not (has_body and reply.body):
        hit.ended = monotonic()
    writer.write(b"\r\n")
    await writer.drain()
    await asyncio.sleep(reply.wait_for_body)
    if has_body:
        await _send_body(writer, reply, hit)
    return can_go_on


async def _send_body(writer: asyncio.StreamWriter, reply: Reply, hit: Hit) -> None:
    body = reply.body if reply.cut_after is None else reply.body[: reply.cut_after]
    at_once = 1 if reply.between_bytes else PIECE
    while True:
        for start in range(0, len(body), at_once):
            if not reply.endless and start + at_once >= len(body):
                hit.ended = monotonic()
            writer.write(body[start : start + at_once])
            await writer.drain()
            hit.sent += len(body[start : start + at_once])
            if hit.ended is None:
                await asyncio.sleep(reply.between_bytes)
        if not reply.endless:
            return
        # Others want to be answered too.
        await asyncio.sleep(0.001)


def _tls(hosts: Sequence[str]) -> ssl.SSLContext:
    """Make what a server needs to speak TLS with a certificate that nobody has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(host)) for host in hosts]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "site.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context.load_cert_chain(file)
    return context


@dataclass(slots=True)
class _Stop:
    """How the thread of a server is told to stop; there once it runs."""

    loop: asyncio.AbstractEventLoop | None = None
    event: asyncio.Event | None = None
    error: BaseException | None = None
    is_ready: threading.Event = field(default_factory=threading.Event)


@contextmanager
def running(server: SiteServer) -> Iterator[SiteServer]:
    """Serve in a thread of its own; at the end every connection is closed."""
    stop = _Stop()

    async def main() -> None:
        stop.loop, stop.event = asyncio.get_running_loop(), asyncio.Event()
        await server.run(stop.is_ready.set, stop.event)

    def work() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:  # noqa: BLE001  raised again where the server was asked for
            stop.error = error
        finally:
            stop.is_ready.set()

    thread = threading.Thread(target=work, name="site server")
    thread.start()
    stop.is_ready.wait()
    try:
        if stop.error is None:
            yield server
    finally:
        if stop.loop is not None and stop.event is not None and thread.is_alive():
            with suppress(RuntimeError):  # it has ended by itself
                stop.loop.call_soon_threadsafe(stop.event.set)
        thread.join()
    if stop.error is not None:
        raise stop.error
    if server.faults:
        raise server.faults[0]
