"""`import tinytorch` imports the package that you write. This file, installed beside `tito`, finds and loads it."""

from tito.launcher import launch

launch()
