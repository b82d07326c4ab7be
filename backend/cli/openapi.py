"""Print the API's OpenAPI document; openapi.json at the root is a copy of it."""

from __future__ import annotations

import argparse
import json
import sys

from backend.bootstrap import build_backend
from backend.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There is nothing to choose."""


def run(options: argparse.Namespace) -> int:
    document = build_backend(Settings()).app.openapi()
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return 0
