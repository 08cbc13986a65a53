"""Mistakes planted in reference solutions: which are made, which are caught, and what is reported of the others."""

import ast
import json
import shutil
import sys
from pathlib import Path

import pytest

from tito import cli
from tito.lint.course import Course
from tito.mutants import planting, scoring

FIXTURE = Path(__file__).parent / "fixtures_lint"
AREAS, CHECKS = "modules/01_areas/areas.py", "modules/01_areas/checks.py"
SURVIVORS = [("if unit <= 0:", "if unit < 0:"), ("if unit <= 0:", "if unit <= -1:")]


@pytest.fixture
def root(tmp_path):
    return Path(shutil.copytree(FIXTURE, tmp_path / "course"))


def plant(root, file, old, new):
    text = (root / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (root / file).write_text(text.replace(old, new), encoding="utf-8")


def made(text):
    """Return every mutation of a text."""
    return list(planting.mutated(ast.parse(text), lambda node: True))


@pytest.mark.parametrize(
    "text, expected",
    [
        ("a + b", {"a - b", "a", "b"}),
        ("a * b", {"a / b", "a + b", "a", "b"}),
        ("a @ b", {"a * b", "a", "b"}),
        ("a ** 2", {"a * 2", "a", "2", "a ** 3", "a ** 1"}),
        ("-a", {"a"}),
        ("not a", {"a"}),
        ("a < b", {"a <= b", "a > b"}),
        ("a == b", {"a != b"}),
        ("a is None", {"a is not None"}),
        ("a < b <= c", {"a <= b <= c", "a > b <= c", "a < b < c", "a < b >= c"}),
        ("a and b", {"a or b", "a", "b"}),
        ("a or b or c", {"a and b and c", "b or c", "a or c", "a or b"}),
        ("True", {"False"}),
        ("0.5", {"1.5", "1.0"}),
        ("'mean'", {"'meanx'"}),
        ("', '", set()),
        ("f(a)", set()),
        ("f(a, b)", {"f(b, a)", "f(b)", "f(a)"}),
        ("np.maximum(a, b)", {"np.minimum(a, b)", "np.maximum(b)", "np.maximum(a)"}),
        ("a.reshape(-1, b)", {"a.reshape(b, -1)", "a.reshape(1, b)", "a.reshape(-1)", "a.reshape(b)"}),
        ("f(a, key=b)", {"f(key=b)", "f(a)"}),
        ("a.sum(axis=1)", {"a.prod(axis=1)", "a.mean(axis=1)", "a.sum()", "a.sum(axis=2)", "a.sum(axis=0)"}),
        (
            "a.sum(axis=-1)",
            {"a.prod(axis=-1)", "a.mean(axis=-1)", "a.sum()", "a.sum(axis=1)", "a.sum(axis=-2)", "a.sum(axis=-0)"},
        ),
        ("a.sum(axis=None)", {"a.prod(axis=None)", "a.mean(axis=None)", "a.sum()", "a.sum(axis=0)"}),
        ("min(a)", {"max(a)"}),
        ("a if b else c", {"a if not b else c"}),
        ("[a for a in b if a]", {"[a for a in b if not a]", "[a for a in b]"}),
        ("a[1:]", {"a[:]", "a[2:]", "a[0:]"}),
        ("f'{a + 1} and 2'", set()),
    ],
)
def test_the_mutations_of_an_expression(text, expected):
    found = set(made(f"x = {text}")) - {"pass"}
    assert found == {ast.unparse(ast.parse(f"x = {one}")) for one in expected}


@pytest.mark.parametrize(
    "text, expected",
    [
        ("a += b", {"a -= b", "pass"}),
        (
            "try:\n    a()\nfinally:\n    b()",
            {
                "if True:\n    a()\n    b()",
                "pass",
                *(f"try:\n    {x}\nfinally:\n    {y}" for x, y in (("pass", "b()"), ("a()", "pass"))),
            },
        ),
        ("with a():\n    b()", {"if True:\n    b()", "pass", "with a():\n    pass"}),
        ("with np.errstate():\n    b()", {"pass", "with np.errstate():\n    pass"}),
        ("for a in b:\n    c()", {"for a in b:\n    c()\n    break", "for a in b:\n    pass", "pass"}),
        ("a = 'b'\nc = a", {"a = 'bx'\nc = a", "c = a\na = 'b'", "pass\nc = a", "a = 'b'\npass"}),
        ("a = 'b'\nc = d", {"a = 'bx'\nc = d", "pass\nc = d", "a = 'b'\npass"}),
        ("a()\nb()", {"b()\na()", "pass\nb()", "a()\npass"}),
        ("a.astype(b)", {"a", "pass"}),
        (
            "isinstance(a, (b, c))",
            {"isinstance(a, b)", "isinstance(a, c)", "isinstance((b, c), a)", "isinstance(a)", "isinstance((b, c))", "pass"},
        ),
        ("@op\ndef f(a):\n    return a", {"@op\ndef f(a):\n    return np.float32(a)", "@op\ndef f(a):\n    pass", "pass"}),
        ("def f(a):\n    return f(b)", {"def f(a):\n    return b", "def f(a):\n    pass", "pass"}),
        ("if a:\n    b()", {"if not a:\n    b()", "if a:\n    pass", "pass"}),
        ("while a:\n    b()", {"while not a:\n    b()", "while a:\n    pass", "pass"}),
        ("return a", {"pass"}),
        ("raise ValueError(f'{a + 1} {b}')", {"pass"}),
        ("pass", set()),
    ],
)
def test_the_mutations_of_a_statement(text, expected):
    assert set(made(text)) == expected


def test_mutating_leaves_the_tree_as_it_was():
    tree = ast.parse("def f(a):\n    if a > 1 and not a:\n        return [a + 1, a.sum(axis=0)]\n    return max(a, 2)")
    before = ast.unparse(tree)
    assert len(list(planting.mutated(tree, lambda node: True))) > 15
    assert ast.unparse(tree) == before


def test_only_what_stands_between_the_marks_is_mutated(root):
    course = Course(root)
    module = course.modules[0]
    mutants = planting.mutants(course, module, course.exercises(module)[0])
    solution = {
        "if unit <= 0:",
        "raise ValueError(f'area needs a unit above 0, got {unit}')",
        "widths, heights = sides(rectangles)",
        "return widths * heights * unit ** 2",
    }
    assert len(mutants) == 22
    assert {line for mutant in mutants for line in mutant.before.split("\n")} <= solution
    assert all("unit: Length of a unit in metres." in mutant.text for mutant in mutants)
    assert len({mutant.text for mutant in mutants}) == len(mutants)


def test_the_methods_of_a_class_are_mutated(root):
    course = Course(root)
    module = course.modules[1]
    mutants = planting.mutants(course, module, course.exercises(module)[0])
    assert ("return rectangles * self.factors", "return rectangles / self.factors") in {
        (one.before, one.after) for one in mutants
    }


def test_what_the_checks_catch_and_what_survives(root):
    course = Course(root)
    module = course.modules[0]
    (score,) = scoring.scores(course, module, course.exercises(module))
    assert [(mutant.before, mutant.after) for mutant in score.survivors] == SURVIVORS
    assert (score.total, score.caught, score.excused, score.outdated) == (22, 20, (), ())


def test_a_sharper_check_catches_the_survivors(root):
    plant(root, CHECKS, "(4, -1.0)", "(4, -1.0), (4, 0.0)")
    course = Course(root)
    (score,) = scoring.scores(course, course.modules[0], course.exercises(course.modules[0]), jobs=1)
    assert score.survivors == ()


def test_the_whole_package_is_fresh_for_each_mutant(root):
    """A mutant that changes what it imports must not be felt by the next one."""
    calls = len(Course(root).cases(Course(root).modules[0], "area"))
    plant(
        root,
        AREAS,
        "    widths, heights = sides(rectangles)\n",
        "    import tinytorch as given\n    given.count = getattr(given, 'count', 0) + 1\n"
        "    widths, heights = sides(rectangles)\n",
    )
    plant(
        root, AREAS, "return widths * heights * unit ** 2", f"return widths * heights * unit ** 2 * (given.count < {calls + 1})"
    )
    course = Course(root)
    (score,) = scoring.scores(course, course.modules[0], course.exercises(course.modules[0]), jobs=1)
    assert score.caught < score.total  # were the package kept, all after the first would count as caught


def test_a_mutant_that_never_ends_is_caught_and_the_next_ones_are_judged(root, monkeypatch):
    monkeypatch.setattr(scoring, "TIMEOUT", 0.5)
    plant(
        root,
        AREAS,
        "    widths, heights = sides(rectangles)\n",
        "    turns = 0\n    while turns < 1:\n        turns += 1\n    widths, heights = sides(rectangles)\n",
    )
    course = Course(root)
    (score,) = scoring.scores(course, course.modules[0], course.exercises(course.modules[0]))
    survivors = {(mutant.before, mutant.after) for mutant in score.survivors}
    assert ("turns += 1", "turns -= 1") not in survivors and ("turns += 1", "pass") not in survivors
    assert survivors > set(SURVIVORS)
    assert score.total > 30 and score.caught >= 22


@pytest.fixture
def tito(root, monkeypatch, capsys):
    """Run tito dev mutate in the fixture course, and return its exit status and what it printed."""

    def run(*words):
        monkeypatch.delenv("TINYTORCH_WORKSPACE", raising=False)
        monkeypatch.chdir(root)
        monkeypatch.setattr(sys, "argv", ["tito", "dev", "mutate", *words])
        monkeypatch.setattr(scoring, "GOAL", 0.9)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code or 0, capsys.readouterr().out

    return run


def test_the_report_shows_each_survivor_as_a_difference(tito, tmp_path):
    status, text = tito("01", "--json", str(tmp_path / "found.json"))
    assert status == 0
    assert "01 areas: 90.9 % of 22 mutants caught; 90.9 % without the 0 with a reason" in text
    assert "  01.1  area                                20 of 22 caught\n" in text
    assert "  01.1 survives\n      - if unit <= 0:\n      + if unit < 0:\n" in text
    assert text.rstrip().endswith("Next: tito dev check") and text.isascii()
    (found,) = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert (found["mutants"], found["caught"], len(found["survivors"])) == (22, 20, 2)


def test_too_few_caught_is_a_failure(tito, root):
    plant(root, CHECKS, "((3, 0.5), (5, 3.0), (4, -1.0))", "((3, 0.5), (4, -1.0), (2, 1.0))")
    plant(root, AREAS, "    if unit <= 0:\n", "    if unit <= 0 and unit != 7 and unit != 9:\n")
    status, text = tito("01")
    assert status == 1
    assert "Next: sharpen modules/01_areas/checks.py, then tito dev mutate 01" in text


def test_a_reason_is_told_and_changes_only_the_second_figure(tito, root):
    reason = (
        '[[survivor]]\nexercise = "01.1"\nbefore = "if unit <= 0:"\nafter = "if unit < 0:"\nreason = "a unit of 0 is a point"\n'
    )
    outdated = reason.replace("unit < 0", "unit > 0").replace("a unit of 0 is a point", "gone")
    (root / "modules/01_areas/survivors.toml").write_text(reason + outdated, encoding="utf-8")
    status, text = tito("--exercise", "01.1")
    assert status == 0
    assert "90.9 % of 22 mutants caught; 95.2 % without the 1 with a reason" in text
    assert "01.1 survives: a unit of 0 is a point" in text
    assert "01.1 is caught now, remove it from survivors.toml: 'if unit <= 0:' -> 'if unit > 0:'" in text


def test_one_exercise_alone(tito):
    status, text = tito("--exercise", "02.2")
    assert status == 0
    assert "growth" in text and "Scaler" not in text and "area " not in text


def test_a_reference_that_fails_teaches_nothing(tito, root):
    plant(root, AREAS, "unit ** 2\n    ###", "unit ** 3\n    ###")
    status, text = tito("01")
    assert status == 1
    assert "areas.py, cell 5: the reference of 01.1 area does not pass its check" in text


def test_an_unknown_exercise_is_misuse(tito):
    status, text = tito("--exercise", "01.7")
    assert status == 2
    assert "no exercise 01.7" in text


def test_nothing_to_mutate_is_a_failure(tito, root):
    for folder in ("01_areas", "02_scaling"):
        shutil.rmtree(root / "modules" / folder)
    status, text = tito()
    assert status == 1
    assert "nothing was mutated" in text


def test_checks_that_are_not_there_are_named_and_the_others_go_on(tito, root):
    (root / CHECKS).unlink()
    status, text = tito()
    assert status == 1
    assert "01 areas: nothing was mutated\n  modules/01_areas/checks.py is not there" in text
    assert "02 scaling: 92.8 % of 14 mutants caught" in text and text.rstrip().endswith("tito dev mutate 01")


def test_calls_that_change_no_result_are_spared(root):
    assert set(planting.mutated(ast.parse("f(a + b)\ng(a)"), lambda node: True, {"f"})) == {
        "pass\ng(a)",
        "f(a + b)\npass",
        "g(a)\nf(a + b)",
    }
    one = '[[spared]]\ncall = "f"\nreason = "it is only faster"\n'
    (root / "survivors.toml").write_text(
        f'{one}[[spared]]\nexercise = "01.2"\ncall = "g"\nreason = "so is it"\n', encoding="utf-8"
    )
    assert planting.spared(root / "survivors.toml", "01.1") == {"f"} and not planting.reasons(root / "survivors.toml")
    assert planting.spared(root / "survivors.toml", "01.2") == {"f", "g"}
