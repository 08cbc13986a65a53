"""`tito milestone list`: the networks that the learner will train."""


def list_milestones():
    """Show the milestones and what they need."""
    from tito import console, standing, workspace

    space = workspace.find()
    usable = {one.module.number for one in standing.standings(space) if one.usable}
    ready = []
    for one in space.curriculum.milestones:
        missing = [number for number in one.requires if number not in usable]
        script = space.root / "milestones" / one.script
        trained = (space.root / "runs" / one.name / "weights.safetensors").exists()
        here = "trained" if trained else "ready" if script.exists() else "not in this release yet"
        state = f"needs module {', '.join(missing)}" if missing else here
        ready += [one.name] if state == "ready" else []
        console.say(f"  {one.name:14}{one.title:46}{state}", style="green" if state in ("ready", "trained") else None)
    console.next_step(f"tito milestone run {ready[0]}" if ready else "tito")
