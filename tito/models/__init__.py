"""Trained networks as files: what is in them, how good they are, and the formats of other programs.

`python -m tito.models` runs in a process of its own, on the package of the workspace: see `jobs.py`.
"""
