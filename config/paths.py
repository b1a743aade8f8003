"""Where the project and its data are, for every process; reads .env into the environment."""

import os
from pathlib import Path

import environ

ROOT = Path(__file__).resolve().parents[1]
environ.Env.read_env(ROOT / ".env")
# Tests and benches set another folder, so that they never touch a developer's data.
VAR = Path(os.environ.get("DAYBREAK_VAR") or ROOT / "var").resolve()
