"""`tito doctor`: what could be wrong with an installation and a workspace, each with the way to mend it."""

import typer


def doctor():
    """Say what is wrong here, and how to mend it."""
    from tito import console, diagnosis

    findings = list(diagnosis.examine())
    for finding in findings:
        word = "ok" if finding.fine else "look" if finding.optional else "mend"
        console.say(f"  {word:5}{finding.text}", style={"ok": None, "look": "yellow", "mend": "red"}[word])
        if not finding.fine:
            console.say(f"       {finding.remedy}")
    broken = [finding for finding in findings if not finding.fine and not finding.optional]
    console.next_step(broken[0].remedy if broken else "tito")
    raise typer.Exit(1 if broken else 0)
