"""The course's command-line tool, for everything around the learner's notebooks."""


def __getattr__(name):
    """Load the function of `from tito import notebook` on first use, so that `tito` starts fast."""
    if name == "notebook":
        from tito.checks.notebook import notebook

        globals()["notebook"] = notebook  # importing the submodule bound the name to the submodule
        return notebook
    raise AttributeError(f"module 'tito' has no attribute {name!r}")
