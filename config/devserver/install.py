"""Install a file of requirements with pip, and say how far it is: `make` runs this file.

pip's own output has hundreds of lines, and its quiet mode none. This program runs before anything
is installed, so it imports nothing but the standard library.
"""

from __future__ import annotations

import subprocess
import sys
from collections import deque

# Packages from one line to the next.
STEP = 10
# Lines of pip's output that are shown if it fails.
LAST_LINES = 20


def install(requirements: str) -> int:
    """Return pip's exit status."""
    say(f"Installing {requirements}; the first time this takes about a minute …")
    pip = subprocess.Popen(  # noqa: S603 (the Makefile names the file)
        [sys.executable, "-m", "pip", "install", "--disable-pip-version-check",
         "--progress-bar", "off", "--requirement", requirements],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
    )  # fmt: skip
    count, last = 0, deque[str](maxlen=LAST_LINES)
    for line in pip.stdout or ():
        if line.startswith("Collecting "):
            count += 1
            if count % STEP == 0:
                say(f"  {count} packages …")
        elif line.startswith("Installing collected packages"):
            say(f"  {count} packages are here; unpacking them …")
        elif "Retrying" in line:
            say(f"  {line.strip()}")
        elif not line.startswith("Requirement already satisfied"):
            last.append(line)
    if status := pip.wait():
        say("".join(last))
    return status


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(install(sys.argv[1]))
