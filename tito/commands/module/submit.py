"""`tito module submit`: pack a module to hand it in."""

import typer


def submit(
    module: str = typer.Argument(help="03, 3 or layers."),
    name: str = typer.Option(None, help="Your id in the class, if your teacher asks for it."),
):
    """Pack your notebook into a zip file, to hand in."""
    from tito import console, workspace
    from tito.files import replace_atomically
    from tito.grading import intake, parcel
    from tito.notebooks.copies import way_back

    space = workspace.find()
    chosen = space.curriculum.module(module)
    workspace.check_released(chosen)
    path = space.notebook(chosen)
    size = path.stat().st_size
    if size > intake.LARGEST:
        console.say(
            f"{space.label(path)} has {size / 2**20:.0f} MB, and at most {intake.LARGEST / 2**20:.0f} MB can be handed in"
        )
        console.next_step("clear its outputs (in Jupyter: Edit, Clear Outputs of All Cells), save it, then run the command again")
        raise typer.Exit(1)
    data = parcel.pack(chosen, path, name)
    odd = []
    notebooks, _ = parcel.unpack(data, odd)
    try:
        _, notes = intake.notebook(intake.Handed(path.name, notebooks[path.name]))
    except intake.Unreadable as error:
        way, command = way_back(path)
        console.say(console.wrap(f"{error}: {way}"), style="red")
        console.next_step(command)
        raise typer.Exit(1) from None
    target = space.root / f"{chosen.folder}.zip"
    replace_atomically(target, data)
    console.say(f"{space.label(target)} contains {space.label(path)}, as it is saved now.")
    for note in [*notes, *odd]:
        console.say(note, style="yellow")
    console.next_step(f"hand in {target}; tito module test {chosen.number} shows what it will be marked on")
