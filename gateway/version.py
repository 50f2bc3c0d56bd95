"""The version of what runs: in a module of its own, so that whoever names it loads nothing else."""

__version__ = "0.1.0"
