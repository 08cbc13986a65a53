"""`tito grade sandbox`: which sandboxes work on this machine, and the image that podman and docker need."""

import typer


def sandbox(
    build: str = typer.Option(None, "--build", metavar="podman|docker", help="Make the image that podman or docker needs."),
    base: str = typer.Option(None, "--base", help="An image with Python to make it of; by default Python's own, slim."),
):
    """Show in what submissions can run here, and try to get out of it.

    Bubblewrap needs nothing else. Podman and docker need an image with Python, NumPy and numba: --build makes it, which
    downloads them. Nothing else in this course downloads an image.
    """
    from tito import console
    from tito.grading import container, sandbox as sandboxes

    if build:
        make(build, base or container.base())
    first = None
    for name in sandboxes.SANDBOXES:
        problem = sandboxes.problem(name)
        leaks = "" if problem else sandboxes.probe(name)
        said = problem or (f"leaks: {leaks}" if leaks else "holds")
        console.say(sandboxes.line(name, said), style="red" if leaks else None)
        first = first or (None if problem or leaks else name)
    if first is None:
        console.next_step("do what one of these lines says, then tito grade sandbox")
        raise typer.Exit(1)
    console.say(f"tito grade autograde uses {first}; --sandbox NAME chooses another.")
    console.next_step("tito grade autograde 01")


def make(name, base):
    """Make the image.

    Raises:
        typer.Exit: The engine is not there, or it fails.
    """
    import shutil

    from tito import console
    from tito.commands.grade.autograde import refuse
    from tito.grading import container

    if name not in ("podman", "docker"):
        refuse(f"--build takes podman or docker, not {name}", "tito grade sandbox --build docker")
    if not shutil.which(name):
        refuse(f"{name} not found", f"install {name}, or bubblewrap, which needs no image")
    console.say(f"{container.image()}:\n")
    console.say(container.containerfile(base))
    if container.Engine(name).build(base):
        refuse(f"\n{name} did not make the image: read why above", f"fix that, then tito grade sandbox --build {name}", 1)
