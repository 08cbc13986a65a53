"""The bare `tito`: where the learner is, and the one next command."""

WORDS = {
    "done": "done",
    "borrowed": "borrowed",
    "edited": "changed since it was completed",
    "open": "not started",
    "current": "current",
    "absent": "not in this release yet",
}
STYLES = {
    "done": "green",
    "borrowed": "yellow",
    "edited": "yellow",
    "current": "bold cyan",
    "absent": "dim",
    "open": None,
    "passed": "green",
    "ready": "bold cyan",
}


def overview():
    """Print the map of the course: done, borrowed, current, not started, the milestones, and the next command."""
    from tito import console, standing, workspace

    space = workspace.find()
    found = standing.standings(space)
    current = next_module(found)
    console.say(f"TinyTorch in {space.root}")
    console.say()
    for one in found:
        state = "current" if one is current and one.state == "open" else one.state
        console.say(line(one, state), style=STYLES[state])
    console.say()
    for milestone in space.curriculum.milestones:
        state, words = stage(space, milestone, found)
        console.say(f"  {console.SIGNS[state]} {milestone.name:16}{words}", style=STYLES[state])
    console.next_step(next_command(space, found))


def line(one, state):
    """Return a module's line: its sign, number and name, how it stands, and what it needs."""
    from tito import console

    needs = f"needs {', '.join(one.module.requires)}" if one.module.requires and state != "done" else ""
    count = len(one.passed)
    passed = f"{count} exercise{'s pass' if count != 1 else ' passes'}" if count and one.state in ("open", "edited") else ""
    return f"  {console.SIGNS[state]} {one.module.number} {one.module.name:13}{WORDS[state]:31}{passed or needs}".rstrip()


def stage(space, milestone, found):
    """Return how a milestone stands: the name of its sign, and words."""
    from tito.evidence import passed

    usable = {one.module.number for one in found if one.usable}
    missing = [number for number in milestone.requires if number not in usable]
    evidence = passed.read(space, milestone)
    if evidence:
        return "passed", passed.in_words(evidence)
    if missing:
        return "open", f"needs {', '.join(missing)}"
    if not (space.root / "milestones" / milestone.script).exists():
        return "absent", "not in this release yet"
    if is_trained(space, milestone):
        return "ready", f"trained, not graded yet: tito milestone grade {milestone.name}"
    return "ready", "ready to run"


def is_trained(space, milestone):
    """Say whether a run of a milestone has left its weights."""
    return (space.root / "runs" / milestone.name / "weights.safetensors").is_file()


def next_module(found):
    """Return the first module that is not done and whose prerequisites are there; None if there is none."""
    usable = {one.module.number for one in found if one.usable}
    for one in found:
        if one.state in ("open", "edited") and usable.issuperset(one.module.requires):
            return one
    return None


def next_command(space, found):
    """Return the one next command: a milestone that nobody has trained yet comes before a module that nobody has begun."""
    current = next_module(found)
    begun = current is not None and (bool(current.passed) or current.state == "edited")
    ready = [one for one in space.curriculum.milestones if stage(space, one, found) == ("ready", "ready to run")]
    if begun:
        return f"tito module test {current.module.number}"
    if ready:
        return f"tito milestone run {ready[0].name}"
    return f"tito module start {current.module.number}" if current else "tito milestone list"
