"""Print every setting as a table, for ENVIRONMENT_SETUP.md."""

from __future__ import annotations

import argparse
import sys

from backend.settings_table import settings_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(options: argparse.Namespace) -> int:
    sys.stdout.write(settings_table())
    return 0
