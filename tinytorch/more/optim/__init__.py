"""Names of `tinytorch.optim` that are given. Given."""
