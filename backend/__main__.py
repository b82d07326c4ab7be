"""``python -m backend COMMAND``: finds the command's module, imports only that, and turns errors into one sentence."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from backend.cpu_quota import cpu_quota
from core.errors import KhalaError

COMMANDS = {
    "serve": "run the dispatcher and its workers",
    "worker": "run one worker (serve starts these itself)",
    "doctor": "look for what could keep Khala from working here",
    "status": "say how a running system is, or wait until it is ready",
    "generate": "make songs without a server",
    "decode": "turn codes into audio",
    "encode": "turn audio into codes",
    "download": "fetch the published weights",
    "inspect": "say what a checkpoint directory holds",
    "verify": "check a checkpoint's numbers against float32",
    "openapi": "print the API's OpenAPI document",
    "settings": "print every setting as a table",
}


def main(arguments: Sequence[str]) -> int:
    """Run one command; 0 when it went well, 1 when it failed, 2 when it was called wrongly."""
    parser = argparse.ArgumentParser(
        prog="python -m backend",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="commands:\n" + "\n".join(f"  {name:<10}{purpose}" for name, purpose in COMMANDS.items()),
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those below; each knows --help")
    command = parser.parse_args(arguments[:1]).command

    # Threads that spin while they wait for each other make a model tens of times slower as soon as another program
    # wants a core. OpenMP reads this when torch is loaded, which is still to come; workers inherit it.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if quota := cpu_quota():
        os.environ.setdefault("OMP_NUM_THREADS", str(quota))
    # Imported here and by name, so that serve never pays for (or imports) what only the model commands need.
    module = importlib.import_module(f"backend.cli.{command}")
    own = argparse.ArgumentParser(prog=f"python -m backend {command}", description=module.__doc__)
    module.add_arguments(own)
    options = own.parse_args(arguments[1:])

    try:
        return int(module.run(options))
    except KhalaError as error:
        sentence = str(error)
    except ValidationError as error:
        sentence = "; ".join(f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors())
    except OSError as error:
        sentence = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    except KeyboardInterrupt:
        sentence = "Interrupted."
    sys.stderr.write(f"{sentence}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
