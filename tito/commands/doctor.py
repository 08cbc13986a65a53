"""`tito doctor`: find problems of the installation and the workspace, and how to fix them."""

import typer


def doctor():
    """Show what is wrong here, and how to fix it."""
    from tito import console, diagnosis

    findings = list(diagnosis.examine())
    for finding in findings:
        word = "ok" if finding.fine else "look" if finding.optional else "fix"
        console.say(f"  {word:5}{finding.text}", style={"ok": None, "look": "yellow", "fix": "red"}[word])
        if not finding.fine:
            console.say(f"       {finding.remedy}")
    broken = [finding for finding in findings if not finding.fine and not finding.optional]
    console.next_step(broken[0].remedy if broken else "tito")
    raise typer.Exit(1 if broken else 0)
