"""The environment's settings, with what was given on the command line over them."""

from __future__ import annotations

import argparse

from backend.settings import ModelSettings, Settings
from core.engine import RuntimeMode


def add_runtime_mode(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--runtime-mode", choices=[mode.value for mode in RuntimeMode], help="which weights stay loaded"
    )


def settings_from(options: argparse.Namespace) -> Settings:
    """Every option that is named like a model setting and was given wins over the environment."""
    given = {name: value for name, value in vars(options).items() if name in ModelSettings.model_fields}
    return Settings(models=ModelSettings(**{name: value for name, value in given.items() if value is not None}))
