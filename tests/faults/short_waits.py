"""Shorten the product's waits in a worker of these tests, so that no test has to wait as long.

FAULT_SHORT_WAITS is JSON: module → name → seconds. A name that no longer exists stops the worker.
"""

from __future__ import annotations

import importlib
import json
import os
from datetime import timedelta

for module_name, waits in json.loads(os.environ.get("FAULT_SHORT_WAITS") or "{}").items():
    module = importlib.import_module(module_name)
    for name, seconds in waits.items():
        is_span = isinstance(getattr(module, name), timedelta)
        setattr(module, name, timedelta(seconds=seconds) if is_span else seconds)
