"""`python -m local.browser`: a Chromium for the end-to-end tests.

An installed Chromium or Chrome is taken; else Debian's by apt-get, as root; else Playwright's own download.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")


def is_installed() -> bool:
    """Whether a browser is there already, the machine's or Playwright's."""
    return any(map(shutil.which, NAMES)) or _has_playwright_browser()


def _has_playwright_browser() -> bool:
    from playwright.sync_api import sync_playwright  # takes a moment to load

    with sync_playwright() as playwright:
        return os.path.exists(playwright.chromium.executable_path)


def install_with_apt() -> bool:
    """Debian's Chromium, where we are root and there is an apt-get."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    commands = (
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium", "fonts-liberation"],
    )
    return all(subprocess.run(command, env=env, check=False).returncode == 0 for command in commands)


def install_with_playwright() -> bool:
    """Playwright's own Chromium, into the user's cache."""
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    return subprocess.run(command, check=False).returncode == 0


def main() -> int:
    if is_installed():
        return 0
    print("Installing a Chromium for the end-to-end tests", flush=True)
    if install_with_apt() or install_with_playwright():
        return 0
    print("No Chromium could be installed: install chromium, then try again.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
