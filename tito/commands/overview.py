"""The bare `tito`: where the learner is, and the one next command."""

WORDS = {
    "done": "done",
    "borrowed": "borrowed",
    "edited": "changed since it was completed",
    "open": "to come",
    "current": "current",
    "absent": "not in this release yet",
}
STYLES = {"done": "green", "borrowed": "yellow", "edited": "yellow", "current": "bold", "absent": "dim"}


def overview():
    """Print the map of the course: done, borrowed, current, to come, and the next command."""
    from tito import console, standing, workspace

    space = workspace.find()
    found = standing.standings(space)
    current = next_module(space, found)
    console.say(f"TinyTorch in {space.root}")
    console.say()
    for one in found:
        state = "current" if one is current and one.state == "open" else one.state
        console.say(line(one, WORDS[state]), style=STYLES.get(state))
    console.say()
    usable = {one.module.number for one in found if one.usable}
    for milestone in space.curriculum.milestones:
        missing = [number for number in milestone.requires if number not in usable]
        console.say(f"  {milestone.name:16}{'needs ' + ', '.join(missing) if missing else 'ready to run'}")
    console.next_step(advice(current, found))


def line(one, word):
    """Return a module's line: its number and name, how it stands, and what it needs."""
    needs = f"needs {', '.join(one.module.requires)}" if one.module.requires else ""
    passed = f"{len(one.passed)} exercises pass" if one.passed and one.state in ("open", "edited") else ""
    return f"  {one.module.number} {one.module.name:13}{word:31}{passed or needs}".rstrip()


def next_module(space, found):
    """Return the first module that is not done and whose prerequisites are there; None if there is none."""
    usable = {one.module.number for one in found if one.usable}
    for one in found:
        if one.state in ("open", "edited") and usable.issuperset(one.module.requires):
            return one
    return None


def advice(current, found):
    """Return the one next command."""
    if current is None:
        return "tito milestone list"
    if current.passed or current.state == "edited":
        return f"tito module test {current.module.number}"
    return f"tito module start {current.module.number}"
