"""Look for whatever could keep Khala from working here; one line each, with the next step where one is needed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from backend.cli.chosen_settings import add_runtime_mode, settings_from
from backend.doctor.finding import Verdict
from backend.doctor.machine import check_machine, check_ports


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--short", action="store_true", help="what takes no time, and only what is not well")
    parser.add_argument("--checkpoints", type=Path, help="a checkpoint tree; by default the one that would be used")
    add_runtime_mode(parser)


def run(options: argparse.Namespace) -> int:
    settings = settings_from(options)
    findings = list(check_machine(settings))
    if not options.short:
        from backend.doctor.models import check_models

        findings += [*check_ports(settings), *check_models(settings, options.checkpoints)]
    for finding in findings:
        if not options.short or finding.verdict is not Verdict.OK:
            sys.stdout.write(f"{finding.line()}\n")
    return 1 if any(finding.verdict is Verdict.PROBLEM for finding in findings) else 0
