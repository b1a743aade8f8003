"""Where the project and its data are, for every process; reads .env into the environment."""

import logging
import os
import sys
from pathlib import Path

import environ

ROOT = Path(__file__).resolve().parents[1]
ENV_FILE = ROOT / ".env"


def read_env_file(file: Path) -> None:
    """Read the file into the environment, whose own variables take precedence.

    Raises:
        SystemExit: the file is there and cannot be read, and the environment has no settings of its
            own: this would look like a developer's machine. The status is that of an unsafe start
            (config.checks).
    """
    # It would log a line that it cannot read, with the password in it. config.env_file_checks names
    # the number of the line.
    logging.getLogger("environ").setLevel(logging.ERROR)
    try:
        with file.open(encoding="utf-8-sig") as content:
            environ.Env.read_env(content)
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        # systemd, for example, reads such a file as root and hands its settings over.
        if os.environ.get("SECRET_KEY") or os.environ.get("DATABASE_URL"):
            return
        reason = error.strerror if isinstance(error, OSError) else "it is not in UTF-8"
        sys.stderr.write(f"Error: {file} cannot be read: {reason}.\n")
        raise SystemExit(3) from None


read_env_file(ENV_FILE)
# Tests and benches set another folder, so that they never touch a developer's data.
VAR = Path(os.environ.get("DAYBREAK_VAR") or ROOT / "var").resolve()
