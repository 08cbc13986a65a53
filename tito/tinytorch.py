"""`import tinytorch` is the package that you write. This file, installed beside `tito`, finds it and gives way to it."""

from tito.launcher import launch

launch()
