#!/usr/bin/env python3
"""Make the README's screenshots: the real service in a real Chromium, one small PNG a scene in docs/."""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from playwright.sync_api import sync_playwright

from app.api import create_app
from app.checker import Checker
from app.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

FOLDER = Path(__file__).resolve().parent.parent / "docs"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PATIENCE_MS = 120_000


def main(arguments: list[str] | None = None) -> int:
    """Make them; 2 if there is no Chromium."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the files go")
    folder = parser.parse_args(arguments).folder
    chromium = next(filter(None, map(shutil.which, (os.environ.get("ORIGINALITY_CHROMIUM", ""), "chromium"))), None)
    if chromium is None:
        print("screenshots: no Chromium was found: install one, or name it in ORIGINALITY_CHROMIUM", file=sys.stderr)
        return 2
    with _service() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1100, "height": 760}, color_scheme="light")
        page.set_default_timeout(PATIENCE_MS)
        _walk(page, address, folder)
        browser.close()
    return 0


def _walk(page: Page, address: str, folder: Path) -> None:
    """Go the learner's way: a worn idea, its report, a suggestion taken, what that moved, the map."""
    page.goto(f"{address}/?example=titanic")
    page.get_by_role("button", name="Check the idea").click()
    page.locator(".verdict").wait_for()
    page.screenshot(path=folder / "page-report.png")
    page.locator("#map-title").scroll_into_view_if_needed()
    page.locator("section:has(> #map-title)").screenshot(path=folder / "page-map.png")
    page.locator("section:has(> #grid-title)").screenshot(path=folder / "page-pairs.png")
    page.locator("[data-take]").first.click()
    page.get_by_role("button", name="Check again").click()
    page.locator(".compared").wait_for()
    page.locator(".compared").screenshot(path=folder / "page-change.png")


@contextmanager
def _service() -> Iterator[str]:
    settings = Settings.from_environment()
    app = create_app(settings, Checker.open(settings, build=True))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.02)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


if __name__ == "__main__":
    sys.exit(main())
