"""The commands of `tito model`, one per file."""


def ask(name, **arguments):
    """Do a job of `tito.models` in a process of its own, on the package of the workspace, and exit with its status."""
    import json
    import subprocess
    import sys

    import typer

    from tito import leftovers, workspace

    space = workspace.find()
    plain = {key: str(value) if hasattr(value, "parts") else value for key, value in arguments.items() if value is not None}
    process = subprocess.Popen([sys.executable, "-P", "-m", "tito.models", json.dumps([name, plain])], env=space.environment())
    with leftovers.process(process):
        raise typer.Exit(process.wait())
