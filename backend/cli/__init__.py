"""The commands of ``python -m backend``, one module each: ``add_arguments(parser)``, ``run(options) -> exit code``."""
