"""Where a browser is, and why there is none."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

OPTIONS = (
    # Tests often run as root and in containers, where Chromium's own sandbox cannot be set up.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
)


def find() -> str | None:
    """The path of an installed Chromium; TEST_BROWSER names another."""
    given = os.environ.get("TEST_BROWSER")
    if given:
        return given
    return next((found for name in NAMES if (found := shutil.which(name))), None)


if __name__ == "__main__":
    found = find()
    if found is None:
        raise SystemExit(
            "There is no Chromium: the browser's tests are skipped.\n"
            "Install the packages chromium and fonts-noto-cjk and try again "
            "(Debian: apt install chromium fonts-noto-cjk), or name one in TEST_BROWSER."
        )
    print(f"{found}: the browser's tests run.")
