"""The course's tool: everything around the notebooks that the learner writes."""


def __getattr__(name):
    """Give `from tito import notebook` its function, loaded on first use so that `tito` starts fast."""
    if name == "notebook":
        from tito.checks.notebook import notebook

        globals()["notebook"] = notebook  # importing the submodule bound its own name here
        return notebook
    raise AttributeError(f"module 'tito' has no attribute {name!r}")
