"""`tito milestone list`: the networks that the learner will train."""


def list_milestones():
    """Show the milestones and what they need."""
    from tito import console, standing, workspace
    from tito.commands.overview import STYLES, next_command, stage

    space = workspace.find()
    standings = standing.standings(space)
    for milestone in space.curriculum.milestones:
        state, words = stage(space, milestone, standings)
        console.say(f"  {console.SIGNS[state]} {milestone.name:13}{milestone.title}", style=STYLES[state])
        console.say(f"    {'':13}{words}", style="dim")
    console.next_step(next_command(space, standings))
