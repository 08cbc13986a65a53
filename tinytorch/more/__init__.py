"""PyTorch's names beyond those in your files: `more/optim` holds given names and submodules of `tinytorch.optim`. Given.

`tinytorch/optim.py` is yours, so nothing is added to it. `given/imports.py` looks here for the rest:
`tinytorch.optim.lr_scheduler` is `more/optim/lr_scheduler.py`, and the names of `more/optim/__init__.py` are names of
`tinytorch.optim`.
"""
