"""What PyTorch has beside the names of your files: `more/optim` holds given names and submodules of `tinytorch.optim`. Given.

`tinytorch/optim.py` is yours, so nothing is added to it. `given/imports.py` looks here for what it does not hold:
`tinytorch.optim.lr_scheduler` is `more/optim/lr_scheduler.py`, and a name of `more/optim/__init__.py` is one of `tinytorch.optim`.
"""
