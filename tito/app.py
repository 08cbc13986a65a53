"""All commands. Each is a function in its own file under `tito/commands`; its docstring is the help."""

import typer

from tito.commands import bench, doctor, init, playground, update
from tito.commands.book import build, serve
from tito.commands.dev import check as dev_check, export as dev_export, mutate as dev_mutate, run as dev_run
from tito.commands.grade import (
    autograde,
    collect,
    export as grade_export,
    extend,
    feedback,
    override,
    release,
    report,
    roster,
    sample,
    sandbox,
)
from tito.commands.milestone import grade as milestone_grade, list as milestone_list, run as milestone_run
from tito.commands.model import eval as model_eval, export as model_export, show as model_show
from tito.commands.module import complete, hint, reset, start, submit, test
from tito.nearest import Commands

OPTIONS = dict(cls=Commands, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
PASS_ON = dict(context_settings=dict(allow_extra_args=True, ignore_unknown_options=True, help_option_names=[]))

app = typer.Typer(**OPTIONS)


def version(wanted: bool):
    """Print the version and exit."""
    if wanted:
        from importlib.metadata import version

        print(version("tinytorch-course"))
        raise typer.Exit


@app.callback()
def tito(show_version: bool = typer.Option(False, "--version", callback=version, is_eager=True, help="Print the version.")):
    """Write a deep-learning framework in twelve notebooks. `tito` alone shows where you are."""


def example(words):
    """Return the options of a command that needs an argument: without one, it shows its help with an example."""
    return dict(no_args_is_help=True, epilog=f"Example: tito {words}")


app.command(**example("init mine"))(init.init)
app.command()(doctor.doctor)
app.command()(update.update)
app.command()(bench.bench)
app.command()(playground.playground)

module = typer.Typer(help="Work on a module: 03, 3 or layers; 03.2 for one exercise.", no_args_is_help=True, **OPTIONS)
module.command(**example("module start 03"))(start.start)
module.command(**example("module test 03, or 03.2 for one exercise"))(test.test)
module.command(**example("module complete 03"))(complete.complete)
module.command(**example("module hint 03.2"))(hint.hint)
module.command(**example("module reset 03"))(reset.reset)
module.command(**example("module submit 03"))(submit.submit)
app.add_typer(module, name="module")

milestone = typer.Typer(help="Train a network on what you have built.", no_args_is_help=True, **OPTIONS)
milestone.command("list")(milestone_list.list_milestones)
milestone.command("run", **example("milestone run mnist-mlp --epochs 5"), **PASS_ON)(milestone_run.run)
milestone.command("grade", **example("milestone grade mnist-mlp"))(milestone_grade.grade)
app.add_typer(milestone, name="milestone")

model = typer.Typer(help="Trained networks: show, measure, write for other programs.", no_args_is_help=True, **OPTIONS)
model.command(**example("model show runs/lenet5/weights.safetensors"))(model_show.show)
model.command("eval", **example("model eval runs/lenet5/weights.safetensors"))(model_eval.evaluate)
model.command(**example("model export runs/mnist-mlp/weights.safetensors --to web"))(model_export.export)
app.add_typer(model, name="model")

grade = typer.Typer(help="For instructors: releases and marks, in nbgrader's folders.", no_args_is_help=True, **OPTIONS)
grade.command(**example("grade release 03"))(release.release)
grade.command(**example("grade collect 03 moodle.zip"))(collect.collect)
grade.command(**example("grade autograde 03"))(autograde.autograde)
grade.command(**example("grade feedback 03"))(feedback.feedback)
grade.command("export", **example("grade export 03 --format canvas"))(grade_export.export)
grade.command(**example("grade report 03"))(report.report)
grade.command()(roster.roster)
grade.command(**example("grade sample practice"))(sample.sample)
grade.command()(sandbox.sandbox)
grade.command(**example("grade extend 03 alice --days 2"))(extend.extend)
grade.command(**example("grade override 03.2 alice 1"))(override.override)
app.add_typer(grade, name="grade")

book = typer.Typer(help="The course as a website.", no_args_is_help=True, **OPTIONS)
book.command()(build.build)
book.command()(serve.serve)
app.add_typer(book, name="book")

dev = typer.Typer(help="For authors of the course.", no_args_is_help=True, **OPTIONS)
dev.command("check")(dev_check.check)
dev.command("export")(dev_export.export)
dev.command("mutate")(dev_mutate.mutate)
dev.command("run")(dev_run.run)
app.add_typer(dev, name="dev")
