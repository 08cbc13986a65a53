"""The page of commands, made from tito's own help."""

import re

HEAD = """# The commands of tito

Every command's own help, `tito COMMAND --help`, as a page. Module names are accepted as `03`, `3`, `layers` or `03_layers`, and a
command's last line of output is always the next command.
"""


def page():
    """Return the page in Markdown."""
    import typer

    from tito.app import app

    group = typer.main.get_command(app)
    return "\n".join([HEAD, *walk(group, "tito")])


def walk(group, name):
    """Yield the sections on a group's commands."""
    for word, command in group.commands.items():
        if getattr(command, "commands", None):
            yield f"## {name} {word}\n\n{command.help or ''}\n"
            yield from walk(command, f"{name} {word}")
        elif not command.hidden:
            level = "###" if name.count(" ") else "##"
            yield f"{level} {name} {word}\n"
            yield from about(command)


def about(command):
    """Yield what a command does, and its options."""
    from tito.book.reference import escaped

    yield re.sub(r"\n(?=\S)", " ", escaped((command.help or "").replace("\b", ""))) + "\n"
    rows = []
    for parameter in command.params:
        names = ", ".join(f"`{option}`" for option in [*parameter.opts, *parameter.secondary_opts] if option != "--help")
        if names and not getattr(parameter, "hidden", False):
            required = parameter.param_type_name == "argument"
            label = f"`{parameter.name.upper()}`" if required else names
            rows.append(f"| {label} | {escaped(getattr(parameter, 'help', None) or '')} |")
    if rows:
        yield "\n".join(["| | |", "|---|---|", *rows]) + "\n"
