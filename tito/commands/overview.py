"""The bare `tito`: the learner's progress, and the next command."""

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
    standings = standing.standings(space)
    current = next_module(standings)
    console.say(f"TinyTorch in {space.root}")
    console.say()
    for each in standings:
        state = "current" if each is current and each.state == "open" else each.state
        console.say(line(each, state), style=STYLES[state])
    console.say()
    for milestone in space.curriculum.milestones:
        state, words = stage(space, milestone, standings)
        console.say(f"  {console.SIGNS[state]} {milestone.name:16}{words}", style=STYLES[state])
    console.next_step(next_command(space, standings))


def line(standing, state):
    """Return a module's line: its sign, number and name, its state, and what it needs."""
    from tito import console

    module, count = standing.module, len(standing.passed)
    needs = f"needs {', '.join(module.requires)}" if module.requires and state != "done" else ""
    passed = f"{count} exercise{'s pass' if count != 1 else ' passes'}" if count and standing.state in ("open", "edited") else ""
    return f"  {console.SIGNS[state]} {module.number} {module.name:13}{WORDS[state]:33}{passed or needs}".rstrip()


def stage(space, milestone, standings):
    """Return the state of a milestone: the name of its sign, and words."""
    from tito.evidence import passed

    usable = {each.module.number for each in standings if each.usable}
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
    """Return whether a run of a milestone has saved its weights."""
    return (space.root / "runs" / milestone.name / "weights.safetensors").is_file()


def next_module(standings):
    """Return the first module that is not done and has its prerequisites, or None."""
    usable = {each.module.number for each in standings if each.usable}
    for each in standings:
        if each.state in ("open", "edited") and usable.issuperset(each.module.requires):
            return each
    return None


def next_command(space, standings):
    """Return the next command: an untrained milestone comes before a module that is not started."""
    current = next_module(standings)
    started = current is not None and (bool(current.passed) or current.state == "edited")
    milestones = space.curriculum.milestones
    ready = [each for each in milestones if stage(space, each, standings) == ("ready", "ready to run")]
    if started:
        return f"tito module test {current.module.number}"
    if ready:
        return f"tito milestone run {ready[0].name}"
    return f"tito module start {current.module.number}" if current else "tito milestone list"
