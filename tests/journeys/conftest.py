"""A real browser for the journeys: the machine's own Chromium, headless."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# WebGL without a graphics card, so that the map is drawn as in a real browser.
SOFTWARE_GL = (
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)
# What a page becomes is waited for as long as a busy machine may take.
expect.set_options(timeout=20_000)
LEVELS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.fixture(scope="module")
def chromium(django_db_setup: None) -> Iterator[Browser]:
    """Playwright runs an event loop in this thread until it is stopped, and Django
    refuses queries beside a running loop; here they are made between its turns."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", *SOFTWARE_GL]
        )
        yield browser
        browser.close()


@dataclass
class Watched:
    """A person's page, with everything the browser complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._on_request)

    def _on_console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def _on_request(self, request: Any) -> None:
        if not request.url.startswith(("http://localhost:", "data:", "blob:")):
            self.complaints.append(f"left the machine: {request.url}")

    def rules_broken(self) -> list[str]:
        """What axe finds against WCAG 2.2 A and AA on the page as it is now."""
        found = Axe().run(self.page, options=LEVELS).response["violations"]
        return [f"{rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in found]


@pytest.fixture
def at_work(chromium: Browser, live_server: Any) -> Iterator[Callable[..., Watched]]:
    """Open a browser in which the given person has signed in."""
    contexts = []

    def open_for(user: User, **more: Any) -> Watched:
        client = Client()
        client.force_login(user)
        context = chromium.new_context(base_url=live_server.url, **more)
        contexts.append(context)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        context.add_cookies(
            [{"name": cookie.key, "value": cookie.value, "url": live_server.url}]
        )
        watched = Watched(context.new_page())
        watched.watch()
        return watched

    yield open_for
    for context in contexts:
        context.close()
