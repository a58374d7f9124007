"""Pages that scripts draw: a Chromium that is already installed draws them, and asks for nothing by itself.

Each request of a page comes to us, and what we answer was fetched like everything else: by the rules of robots.txt, at the host's pace,
from public addresses only, within the bounds of one request. Pictures, films, fonts, frames, styles and whatever is not a GET are not
asked for at all. Chromium's own way to the network is shut: no name resolves in it, and its proxy is a port where nobody listens.
"""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from schemas.errors import SetupError

if TYPE_CHECKING:
    from playwright.async_api import Route

#: What it is called, by system.
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

#: Scripts and data for one page; those of news sites need a handful, their advertisers hundreds.
MOST_REQUESTS: Final = 40

#: How long a page may draw once its scripts are there, and wait for them, in seconds.
DRAWS_FOR: Final = 5.0
LOADS_FOR: Final = 120.0

_KINDS: Final = frozenset({"script", "xhr", "fetch"})

_SHUT: Final = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    # Without it WebRTC would send to any address, past the proxy.
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
)

#: Port 9 discards (RFC 863) where it is served at all; "<-loopback>" sends even this machine's addresses there.
_NOWHERE: Final = {"server": "http://127.0.0.1:9", "bypass": "<-loopback>"}

#: Headers of the stored answer that are no longer true of its unpacked body.
_OF_THE_WIRE: Final = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection", "set-cookie"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a page gets for one of its requests."""

    status: int
    headers: tuple[tuple[str, str], ...]
    #: Encodings undone.
    content: bytes


Fetch = Callable[[str], Awaitable[Fetched | None]]
"""Asks for an address on behalf of a page; None where it may not be had."""


class DrawError(Exception):
    """A page could not be drawn."""


class Browser:
    """A Chromium that is running."""

    def __init__(self, chromium: Any) -> None:  # noqa: ANN401  playwright is an extra, and its types with it
        """Use ``Browser.started``."""
        self._chromium = chromium

    @classmethod
    @asynccontextmanager
    async def started(cls) -> AsyncIterator[Self]:
        """Start it, and end it with the block.

        Raises:
            SetupError: If playwright or a Chromium is not installed, or it does not start.
        """
        try:
            from playwright.async_api import Error, async_playwright  # noqa: PLC0415  an extra
        except ImportError as error:
            message = 'render = true needs playwright; install it with: pip install "babelwire[browser]"'
            raise SetupError(message) from error
        program = next(filter(None, map(shutil.which, NAMES)), None)
        if program is None:
            message = f"render = true needs a Chromium, and none of {', '.join(NAMES)} is in the PATH; install one"
            raise SetupError(message)
        # Chromium refuses its own sandbox to root.
        arguments = [*_SHUT, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        async with async_playwright() as driver:
            try:
                chromium = await driver.chromium.launch(executable_path=program, args=arguments, proxy=_NOWHERE)  # type: ignore[arg-type]
            except Error as error:
                first = str(error).partition("\n")[0]
                message = f"{program} does not start ({first}); try it by hand with --headless --dump-dom about:blank"
                raise SetupError(message) from error
            try:
                yield cls(chromium)
            finally:
                await chromium.close()

    async def draw(self, url: str, page: Fetched, fetch: Fetch) -> bytes:
        """Draw a page that was fetched, and give it as it stands then, as HTML in UTF-8.

        Args:
            url: Its address.
            page: Its answer; it is not asked for again.
            fetch: Asks for what it needs.

        Raises:
            DrawError: If it does not come to rest, or brings the browser down.
        """
        from playwright.async_api import Error  # noqa: PLC0415

        # A context of its own: no page sees what another one left.
        context = await self._chromium.new_context(service_workers="block", accept_downloads=False)
        try:
            answers = _Answers(url, page, fetch)
            await context.route("**/*", answers.give)
            await context.route_web_socket("**/*", lambda socket: socket.close())
            tab = await context.new_page()
            await tab.goto(url, wait_until="load", timeout=LOADS_FOR * 1000)
            # One that never rests is taken as it is by then.
            with suppress(Error):
                await tab.wait_for_load_state("networkidle", timeout=DRAWS_FOR * 1000)
            return str(await tab.content()).encode("utf-8", "replace")
        except Error as error:
            first = str(error).partition("\n")[0]
            raise DrawError(first) from error
        finally:
            await context.close()


class _Answers:
    """Answers the requests of one page."""

    def __init__(self, url: str, page: Fetched, fetch: Fetch) -> None:
        self._url = url
        self._page: Fetched | None = page
        self._fetch = fetch
        self._asked = 0

    async def give(self, route: "Route") -> None:
        request = route.request
        if request.url == self._url and request.is_navigation_request() and self._page is not None:
            page, self._page = self._page, None
            await _fulfil(route, page)
            return
        self._asked += 1
        is_wanted = request.resource_type in _KINDS and request.method == "GET" and self._asked <= MOST_REQUESTS
        found = await self._fetch(request.url) if is_wanted else None
        if found is None:
            await route.abort()
        else:
            await _fulfil(route, found)


async def _fulfil(route: "Route", found: Fetched) -> None:
    headers = {name: value for name, value in found.headers if name.lower() not in _OF_THE_WIRE}
    await route.fulfill(status=found.status, headers=headers, body=found.content)
