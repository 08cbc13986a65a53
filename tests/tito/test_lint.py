"""Every rule of the authors' lint is kept by a small course, and turns red at the fault that is planted in it."""

import ast
import re
import shutil
import sys
from pathlib import Path

import pytest

from tito import cli
from tito.lint import RULES, named
from tito.lint.course import Course
from tito.lint.encoding import silent
from tito.lint.exercises import given_away
from tito.lint.problem import Problem
from tito.workspace import WorkspaceError

FIXTURE = Path(__file__).parent / "fixtures_lint"
AREAS, SCALING = "modules/01_areas/areas.py", "modules/02_scaling/scaling.py"
CHECKS, PACKAGE, MILESTONE = "modules/01_areas/checks.py", "tinytorch/given/text.py", "milestones/measure.py"
RECORD = (
    '{"date": "", "machine": {"processor": "", "cores": 2, "load": 0, "system": "", "python": "", "settings": {}}, '
    '"libraries": {"numpy": {"version": ""}}, "cases": []}'
)
TABLE = "rectangles * self.factors"


@pytest.fixture
def root(tmp_path):
    """A copy of the fixture course, with its package exported."""
    copy = Path(shutil.copytree(FIXTURE, tmp_path / "course"))
    course = Course(copy)
    for module in course.modules:
        course.space.exported(module).write_text(course.text(module), encoding="utf-8")
    return copy


def plant(root, file, old, new):
    """Replace a text that stands in a file exactly once; an empty one means: append."""
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    assert not old or text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
    path.write_text(text.replace(old, new) if old else text + new, encoding="utf-8")


def markdown(text):
    """Return a markdown cell that goes at the end of a source."""
    return f"\n# %% [markdown]\n# {text}\n"


def code(text):
    """Return a shown cell that goes at the end of a source."""
    return f"\n# %%\n{text}\n"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_clean_course_keeps_every_rule(rule, root):
    assert [str(problem) for problem in rule.problems(Course(root))] == []


# fmt: off
FAULTS = [
    ("exports", AREAS, "widths * heights * unit ** 2", "heights * widths * unit ** 2", "tinytorch/areas.py:<return widths * heights>: is not what modules/01_areas/areas.py exports"),
    ("exports", "tinytorch/areas.py", "", "\n", "tinytorch/areas.py:36: is not what"),
    ("lists", "tinytorch/given/built.py", "", "NAMES = {}\n", "tinytorch/given/built.py:1: is not what its sources give"),
    ("measurements", "book/benchmarks.md", "", "# 0.5 ms\n", "book/benchmarks.md: belongs to no record"),
    ("measurements", "benchmarks/results/cpu.json", "", RECORD, "book/benchmarks.md: does not exist"),
    ("unwritten", AREAS, "    ### BEGIN SOLUTION\n    if", "    return rectangles.prod(1) * unit ** 2\n    ### BEGIN SOLUTION\n    if", f"{AREAS}:<#| export\ndef area>, cell 5: 01.1 area is not written, yet its check says: failed"),
    ("solved", AREAS, "unit ** 2\n    ###", "unit ** 3\n    ###", f"{AREAS}:<#| export\ndef area>, cell 5: the reference of 01.1 area does not pass: failed"),
    ("solved", CHECKS, "unit ** power for", "unit ** power + 1 for", "the reference of 01.1 area does not pass"),
    ("solved", AREAS, "    widths, heights = sides(rectangles)\n", "    from tinytorch.scaling import Scaler\n    widths, heights = sides(rectangles)\n", "raised ModuleNotFoundError: No module named 'tinytorch.scaling'"),
    ("checks", CHECKS, "def draw_area", "def draw_areas", "checks.py: draw_area is missing"),
    ("checks", CHECKS, "def draw_area", "def draw_areas", "checks.py:5: draw_areas belongs to no exercise"),
    ("checks", CHECKS, "import numpy as np", "import numpy as np\n\ndef late():\n    import scipy", "imports scipy"),
    ("checks", CHECKS, "import numpy as np", "import nump as np", "cannot be loaded: ModuleNotFoundError"),
    ("misconceptions", CHECKS, "power=1", "power=2", "01.1 area: 'the unit counts once; it must count for either side' is not caught"),
    ("misconceptions", CHECKS, 'misconceptions_area = {\n', 'misconceptions_area = {\n    "again":\n        lambda rectangles, unit: oracle_area(rectangles, unit, power=1),\n', "is named as: again"),
    ("misconceptions", CHECKS, '    "the sides were added, not multiplied":\n', '    "the unit counts once; it must count for either side":\n', "01.1 area has 1 misconceptions, and needs 2"),
    ("draws", CHECKS, "rng.standard_normal((count, 2), np.float32)", "np.float32([[1, -2]] * 4)", "01.1 area: two seeds draw the same"),
    ("draws", CHECKS, "rng.standard_normal((count, 2), np.float32)", "np.full((count, 2), rng.random(), np.float32)", "01.1 area: rectangles is constant in every case"),
    ("draws", CHECKS, "yield dict(rectangles", "return\n        yield dict(rectangles", "draw_area yields no cases"),
    ("survivors", "modules/01_areas/survivors.toml", "", '[[survivor]]\nexercise = "01.1"\nbefore = "x"\nafter = "y"\nreason = "z"\n', "01.1: 'x' -> 'y' is not a mutant any more"),
    ("survivors", "modules/01_areas/survivors.toml", "", '[[survivor]]\nexercise = "01.1"\nbefore = "if unit <= 0:"\nafter = "if unit < 0:"\n', "has no reason"),
    ("survivors", "modules/01_areas/survivors.toml", "", '[[spared]]\ncall = "slabs"\nreason = "z"\n', "no solution calls slabs"),
    ("staircase", AREAS, "import numpy as np\nrng", "import numpy as np\nfrom tinytorch.scaling import Scaler\nrng", f"{AREAS}:<from tinytorch.scaling>, cell 2: imports tinytorch.scaling.Scaler, which module 02 scaling builds"),
    ("staircase", SCALING, "from tinytorch.areas import area\n", "from tinytorch.areas import area\nfrom tinytorch import future\n", f"{SCALING}:<from tinytorch import future>, cell 3: imports tinytorch.future, which module 03 future builds"),
    ("staircase", SCALING, "", code("import tinytorch.scaling"), "imports tinytorch.scaling, which this notebook writes"),
    ("staircase", SCALING, "from tinytorch.areas import area\n", "import matplotlib\nfrom tinytorch.areas import area\n", "imports matplotlib in an exported cell"),
    ("forward-names", AREAS, "", code("Scaler(2)"), "uses Scaler, which module 02 scaling exports first"),
    ("forward-names", AREAS, "", code("import tinytorch as tt\ntt.growth"), f"{AREAS}:<tt.growth>, cell 11: uses growth, which module 02 scaling exports first"),
    ("forward-names", AREAS, "", code("from tinytorch import Scaler"), "uses Scaler, which module 02"),
    ("forward-names", SCALING, "", markdown("Some day you write `tinytorch.future.Crystal(ball)`."), "names tinytorch.future, which module 03"),
    ("floors", PACKAGE, "", "\nfrom tinytorch.areas import area\n", f"{PACKAGE}:<from tinytorch.areas>: imports tinytorch.areas.area: this file is given, that one is the learner's"),
    ("floors", PACKAGE, "", "\nimport tinytorch.drawing\n", "this file is given, that one is above the learner's"),
    ("floors", PACKAGE, "", "\nfrom tito import workspace\n", "imports tito.workspace: tinytorch/ must not depend on tito"),
    ("floors", MILESTONE, "", "\nfrom tito.bench import machine\n", "milestones/ must not depend on tito.bench"),
    ("floors", "tinytorch/spare.py", "", "a = 1\n", "tinytorch/spare.py: is among the learner's files"),
    ("width", AREAS, "", code("a = 1\n" + "b = " + "1" * 97), f"{AREAS}:<b = 1>, cell 11: the line has 101 columns, at most 100"),
    ("width", AREAS, "Return the area of every rectangle.", "Return the area of every rectangle, " + "however large " * 5 + "it is.", f"{AREAS}:<Return the area>, cell 5: the line has 11"),
    ("minutes", AREAS, "minutes=100", "minutes=181", "core work takes 181 minutes, at most 180"),
    ("minutes", AREAS, "minutes=100 ", "", "areas.py, cell 5: the header of exercise 01.1 needs a whole number: minutes="),
    ("minutes", AREAS, "points=2", "points=0", "01.1 area needs minutes and points of at least 1"),
    ("check-cells", AREAS, '# %% check="01.1"\ncheck("01.1")\n', "", f"{AREAS}:<#| export\ndef area>, cell 5: 01.1 area is followed by 0 check cells, and needs one"),
    ("check-cells", AREAS, "", '\n# %% check="01.1"\ncheck("01.1")\n', "is followed by 2 check cells"),
    ("check-cells", AREAS, 'check("01.1")\n', 'check("01.1"); print("fine")\n', 'the check cell must hold check("01.1") alone'),
    ("check-cells", SCALING, '# %% check="02.2"', '# %% check="02.1"', "a check of 02.1 comes after exercise 02.2"),
    ("check-cells", SCALING, "", '\n# %% [markdown] hint="02.1"\n# Late.\n', "a hint of 02.1 comes after exercise 02.2"),
    ("hints", SCALING, '# %% [markdown] hint="02.1"\n# The factors broadcast.\n', "", "02.1 Scaler has 0 hints, not 1 to 3"),
    ("hints", SCALING, "", '\n# %% [markdown] hint="02.2"\n# More.\n' * 3, "02.2 growth has 4 hints"),
    ("hints", SCALING, "The factors broadcast.", f"Return `{TABLE}`.", f"the hint holds a line of the solution of 02.1: return {TABLE}"),
    ("hints", AREAS, "the function above does that", "write `widths,heights=sides( rectangles )`", "holds a line of the solution of 01.1"),
    ("spoilers", AREAS, "", code("widths,  heights = sides(rectangles)  # once more"), f"{AREAS}:<widths,  heights>, cell 11: shows a line of the solution of 01.1"),
    ("answers", PACKAGE, "", f"\n# return {TABLE}\n", f"tinytorch/given/text.py: shows the answer to 02.1: return {TABLE}"),
    ("answers", MILESTONE, "", "\n# return area(scaled) / area(rectangles)\n", "milestones/measure.py: shows the answer to 02.2"),
    ("docstrings", AREAS, "Return the area of every rectangle.", "Returns the area of every rectangle.", 'area begins with "Returns"'),
    ("docstrings", AREAS, "Return the area of every rectangle.", "Return the area of every rectangle", "area needs a first line that ends with a full stop"),
    ("docstrings", AREAS, "        unit: Length of a unit in metres.\n", "", "area does not describe the parameter unit"),
    ("docstrings", AREAS, "        unit: Length", "        units: Length", "area describes units, which is not a parameter"),
    ("docstrings", AREAS, "    Returns:\n", "    It gives:\n", "area has no Returns"),
    ("docstrings", AREAS, "    Raises:\n", "    Careful:\n", "area has no Raises, and the solution raises"),
    ("docstrings", AREAS, "        >>> area(", "        area(", "area has no Example"),
    ("docstrings", SCALING, "        factors: Array of shape (2,).\n\n    Called", "        factor: Array of shape (2,).\n\n    Called", "__init__ does not describe the parameter factors"),
    ("sources", SCALING, "Euclid, Elements, book VI, 300 BC; Heath's translation, 1908.", "Euclid.", f"{SCALING}:<Source:>, cell 5: the source 'Euclid.' has no year"),
    ("sources", SCALING, "    Source:\n        Euclid, Elements, book VI, 300 BC; Heath's translation, 1908.\n", "", "names no Source in any docstring"),
    ("given-docstrings", AREAS, '    """Split rectangles of shape (n, 2) into widths and heights."""\n', "    rectangles = rectangles + 0\n", f"{AREAS}:<def sides>, cell 3: sides has no docstring"),
    ("given-docstrings", PACKAGE, '    """Return the text of a file."""\n', "", f"{PACKAGE}:<def load>: load has no docstring"),
    ("doctests", PACKAGE, "        4\n", "        5\n", "tinytorch/given/text.py:<>>> double>: 'double(2)' gives '4', not '5'"),
    ("doctests", AREAS, "array([600.])", "array([6.])", "tinytorch/areas.py:<>>> area>: 'area(np.array([[2.0, 3.0]]), unit=10)' gives 'array([600.])', not 'array([6.])' (areas.py, cell 5 (def area), line 16)"),
    ("doctests", PACKAGE, "number + number", "number + undefined", "raises NameError"),
    ("doctests", PACKAGE, "", "\nimport nowhere\n", "tinytorch/given/text.py:1: cannot be imported: ModuleNotFoundError"),
    ("prose", AREAS, "", markdown("You simply multiply."), AREAS + ':<You simply>, cell 11: "simply" belittles the reader'),
    ("prose", AREAS, "counts twice", "just counts twice", '"just" belittles'),
    ("prose", AREAS, "", markdown("Well done!"), '"Well done" praises'),
    ("prose", AREAS, "", code("# TODO: a picture"), '"TODO" is left over'),
    ("prose", AREAS, "", markdown("A rocket: \U0001f680"), "is an emoji"),
    ("prose", CHECKS, "the unit counts once", "the unit obviously counts once", CHECKS + ':<the unit obviously>: "obviously" belittles'),
    ("comments", PACKAGE, "", "\n# FIXME: faster\n", f"{PACKAGE}:<FIXME>: FIXME is left over"),
    ("plain-english", PACKAGE, "", "\n# Count Anew.\n", f'{PACKAGE}:<# Count>: "Anew" is not plain English: write again'),
    ("plain-english", AREAS, "import numpy as np\nrng", "import numpy as np  # mended\nrng", f'{AREAS}:<# mended>: "mended" is not plain English: write fix'),
    ("plain-english", "README.md", "", "Text.\nIt goes as far as here.\n", 'README.md:2: "as far as" is not plain English'),
    ("plain-english", "book/intro.md", "", "Whoever reads this.\n", 'book/intro.md:1: "Whoever" is not plain English'),
    ("habits", AREAS, "import numpy as np\nrng", "import numpy as np\nfrom math import *\nrng", "from math import *"),
    ("habits", PACKAGE, "", "\nimport pickle\n", "imports pickle"),
    ("habits", PACKAGE, "", "\nhasattr(double, 'name')\n", f"{PACKAGE}:<hasattr>: uses hasattr"),
    ("encoding", PACKAGE, ', encoding="utf-8"', "", f"{PACKAGE}:<with open>: open without encoding="),
    ("encoding", AREAS, "", code('open("a.txt").read()'), f"{AREAS}:<open>, cell 11: open without encoding="),
    ("encoding", CHECKS, "", "\ndef read(path):\n    return path.read_text()\n", "read_text without encoding="),
]

# What an author is told and need not change: lengths are guides.
LONG = [
    ("sizes", AREAS, "", code("a = 1\n" * 26), f"{AREAS}:<a = 1>, cell 11: the cell has 26 lines; 25 are usual"),
    ("sizes", AREAS, "", code("a = 1\n" * 12) * 20, "areas.py: half of the code cells have more than 6 lines"),
    ("sizes", AREAS, "", '\n# %% [markdown] question="01.2"\n# And?\n' * 4, "asks 5 questions; 4 are usual"),
    ("export-sizes", AREAS, "", code("#| export\ndef long(a):\n" + "    a += 1\n" * 40), "tinytorch/areas.py:38: long has 41 lines; 40 are usual"),
    ("export-sizes", AREAS, "", code("#| export\n" + "\n\n".join(f"def f{i}(a):\n" + "    a += 1\n" * 11 for i in range(3))), "half of the functions have more than 10 lines"),
    ("code-sizes", PACKAGE, "", "\na = 1\n" * 400, "tinytorch/given/text.py: has 40"),
    ("code-sizes", MILESTONE, "", "\ndef long(a):\n" + "    a += 1\n" * 40, f"{MILESTONE}:<def long>: long has 41 lines"),
    ("code-sizes", MILESTONE, "", "\ndef longer(a):\n" + "    a += 1\n" * 12, "milestones: half of the functions have more than 10 lines"),
]
# fmt: on


@pytest.mark.parametrize("rule, file, old, new, expected", FAULTS)
def test_a_planted_fault_is_found_with_its_place(rule, file, old, new, expected, root):
    plant(root, file, old, new)
    problems = [str(problem) for problem in named(rule).problems(Course(root)) if not problem.warning]
    assert any(placed(expected, root) in problem for problem in problems), problems


@pytest.mark.parametrize("rule, file, old, new, expected", LONG)
def test_what_is_long_is_reported_and_not_refused(rule, file, old, new, expected, root):
    plant(root, file, old, new)
    problems = named(rule).problems(Course(root))
    assert any(placed(expected, root) in str(problem) for problem in problems), problems
    assert all(problem.warning for problem in problems)


def placed(expected, root):
    """Put line numbers for texts: `areas.py:<def area>` becomes `areas.py:39`."""

    def number(found):
        text = (root / found[1]).read_text(encoding="utf-8")
        assert found[2] in text, found[0]
        return f"{found[1]}:{text[: text.index(found[2])].count(chr(10)) + 1}"

    return re.sub(r"(\S+):<(.+?)>(?=[:,])", number, expected, flags=re.DOTALL)


def test_every_rule_has_a_fault_that_it_finds():
    assert {rule.name for rule in RULES} == {fault[0] for fault in [*FAULTS, *LONG]}


@pytest.mark.parametrize(
    "drawn, words",
    [
        ("np.abs(rng.standard_normal((count, 2), np.float32))", ["without a negative entry"]),
        ("rng.standard_normal((2, 2), np.float32)", ["square"]),
        ("np.eye(2, dtype=np.float32) * rng.standard_normal()", ["square", "symmetric"]),
        ("rng.standard_normal((count, 2), np.float32)", []),
    ],
)
def test_draws_that_hide_mistakes_are_a_warning(drawn, words, root):
    if words:
        plant(root, CHECKS, "rng.standard_normal((count, 2), np.float32)", drawn)
    problems = [problem for problem in named("draws").problems(Course(root)) if "every array is" in problem.reason]
    assert [(problem.reason.rpartition("every array is ")[2], problem.warning) for problem in problems] == [
        (word, True) for word in words
    ]


def test_draws_whose_shapes_never_change_are_a_problem(root):
    def fixed():
        return [problem for problem in named("draws").problems(Course(root, ["01"])) if "the same shapes" in problem.reason]

    assert fixed() == []
    plant(root, CHECKS, "count += int(rng.integers(4))", "count += 1")
    assert [(problem.path, problem.warning) for problem in fixed()] == [(CHECKS, False)]


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.by_module], ids=lambda rule: rule.name)
def test_a_source_that_cannot_be_read_is_a_problem_and_no_crash(rule, root):
    plant(root, AREAS, "points=2", "points=two")
    found = [str(problem) for problem in rule.problems(Course(root, ["01"]))]
    assert found and all(problem.startswith(f"{AREAS}, cell 5: ") and "from 'two' on" in problem for problem in found)


def test_what_an_export_refuses_is_a_problem_with_cell_and_line(root):
    plant(root, AREAS, "return rectangles[:, 0]", "return rectangles[:, 0")
    assert [str(problem) for problem in named("exports").problems(Course(root, ["01"]))] == [
        f"{AREAS}, cell 3: line 8: is not Python: '[' was never closed"
    ]


@pytest.mark.parametrize(
    "text, faulty",
    [
        ("open(path)", True),
        ("open(path, 'w')", True),
        ("open(path, mode='r')", True),
        ("open(path, 'rb')", False),
        ("open(path, 'a' if fresh else 'wb')", True),
        ("open(path, 'ab' if fresh else 'wb')", False),
        ("open(path, encoding='utf-8')", False),
        ("open(path, **options)", False),
        ("path.open()", True),
        ("path.open('rb')", False),
        ("gzip.open(path)", False),
        ("gzip.open(path, 'rt')", True),
        ("io.open(path, 'w')", True),
        ("Image.open(path)", False),
        ("path.read_text()", True),
        ("path.read_text('utf-8')", False),
        ("path.write_text(text)", True),
        ("path.write_text(text, 'utf-8')", False),
        ("subprocess.run(words, text=True)", True),
        ("subprocess.run(words)", False),
        ("subprocess.run(words, text=True, encoding='utf-8')", False),
        ("Popen(words, universal_newlines=True)", True),
        ("subprocess.run(words, text=False)", False),
        ("path.read_bytes()", False),
    ],
)
def test_which_calls_leave_the_encoding_to_the_system(text, faulty):
    assert bool(list(silent(ast.parse(text)))) == faulty


@pytest.mark.parametrize(
    "hint, told",
    [
        ("Write `return a * b`.", True),
        ("You need `a*b`.", True),
        ("Multiply: a  *  b", True),
        ("`a * bias` is another thing", False),
        ("Return out.", False),
        ("The product of a and b.", False),
        ("Use `total = sum( a , axis = 0 )`", True),
        ("sum(a)", False),
    ],
)
def test_which_hints_give_a_line_away(hint, told):
    lines = ["return a * b", "return out", "total = sum(a, axis=0)  # downwards"]
    assert bool(given_away(hint, lines)) == told


def test_prerequisites_are_exported_afresh(root):
    plant(root, "tinytorch/areas.py", "", "\nraise RuntimeError('stale')\n")
    assert named("solved").problems(Course(root)) == []


def test_a_line_of_prose_may_be_of_any_width(root):
    plant(root, AREAS, "", markdown("word " * 30))
    assert named("width").problems(Course(root)) == []


def test_what_is_at_hand_is_no_forward_name(root):
    plant(root, SCALING, "", code("#| export\ndef sides(a): return a\n\n\ndef max(a): return a"))
    plant(root, AREAS, "", code("import tinytorch as tt\ntt.sides, max(1, 2)"))
    assert named("forward-names").problems(Course(root)) == []


def test_only_the_modules_asked_for_are_judged(root):
    plant(root, SCALING, "", markdown("Simply put."))
    assert named("prose").problems(Course(root, ["areas"])) == []
    assert len(named("prose").problems(Course(root, ["2"]))) == 1


def test_a_module_without_source_cannot_be_judged(root):
    with pytest.raises(WorkspaceError, match="modules/03_future/future.py does not exist yet"):
        Course(root, ["03"])


@pytest.mark.parametrize(
    "problem, text",
    [
        (Problem("a.py", "is long", 3, 2), "a.py:3, cell 2: is long"),
        (Problem("a.py", "is long", cell=2), "a.py, cell 2: is long"),
        (Problem("a.py", "is long"), "a.py: is long"),
    ],
)
def test_a_problem_names_its_place(problem, text):
    assert str(problem) == text


@pytest.fixture
def tito(root, monkeypatch, capsys):
    """Run tito in the fixture course, and return its exit status and what it printed."""

    def run(*words, folder=root):
        monkeypatch.delenv("TINYTORCH_WORKSPACE", raising=False)
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["tito", "dev", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code or 0, capsys.readouterr().out

    return run


def test_check_passes_and_says_what_comes_next(tito):
    status, text = tito("check")
    assert status == 0
    assert f"{len(RULES)} rules, 2 modules, 3 exercises: all kept" in text
    assert text.rstrip().endswith("Next: tito dev mutate")
    assert text.isascii()


def test_check_fails_with_the_rule_and_the_place(tito, root):
    plant(root, AREAS, "", markdown("You simply multiply."))
    status, text = tito("check", "--rule", "prose", "--rule", "minutes")
    assert status == 1
    assert "2 rules, 2 modules, 3 exercises: 1 not kept" in text
    assert '"simply" belittles the reader' in text and text.rstrip().endswith("tito dev check --rule prose")


def test_a_warning_is_shown_and_breaks_nothing(tito, root):
    plant(root, CHECKS, "rng.standard_normal((count, 2), np.float32)", "np.abs(rng.standard_normal((count, 2), np.float32))")
    status, text = tito("check", "01", "--rule", "draws")
    assert status == 0
    assert "look: modules/01_areas/checks.py" in text


def test_a_course_without_exercises_is_a_failure(tito, root):
    for folder in ("01_areas", "02_scaling"):
        shutil.rmtree(root / "modules" / folder)
    status, text = tito("check")
    assert status == 1
    assert "nothing was checked" in text


def test_check_lists_its_rules(tito):
    status, text = tito("check", "--list")
    assert status == 0
    assert all(rule.name in text and rule.purpose for rule in RULES)


@pytest.mark.parametrize(
    "words, says",
    [
        (("check", "--rule", "prosa"), "did you mean prose?"),
        (("check", "07"), "there is no module '07'"),
        (("export", "03"), "does not exist yet"),
    ],
)
def test_misuse_has_status_2(words, says, tito):
    status, text = tito(*words)
    assert status == 2
    assert says in text


def test_a_learners_workspace_is_no_place_for_authors(tito, root):
    shutil.rmtree(root / "tito")
    status, text = tito("check")
    assert status == 2
    assert "learner's workspace" in text


def test_export_writes_what_differs(tito, root):
    before = (root / "tinytorch" / "areas.py").read_bytes()
    plant(root, "tinytorch/areas.py", "", "\n")
    status, text = tito("export", "--check")
    assert status == 1
    assert re.search(r"tinytorch/areas.py +differs", text) and re.search(r"tinytorch/scaling.py +in sync", text)
    assert (root / "tinytorch" / "areas.py").read_bytes() != before
    status, text = tito("export")
    assert status == 0
    assert re.search(r"tinytorch/areas.py +written", text)
    assert (root / "tinytorch" / "areas.py").read_bytes() == before
    assert tito("export", "--check")[0] == 0


def test_an_export_that_is_refused_has_status_1_and_changes_nothing(tito, root):
    before = (root / "tinytorch" / "areas.py").read_bytes()
    plant(root, AREAS, "return rectangles[:, 0]", "return rectangles[:, 0")
    status, text = tito("export", "01")
    assert status == 1
    assert "areas.py, cell 3 (def sides), line 8" in text
    assert (root / "tinytorch" / "areas.py").read_bytes() == before


SETUP = 'from tito import notebook\ncheck = notebook("{}")\n'


def test_run_names_the_cell_that_fails(tito, root):
    pytest.importorskip("ipykernel", reason="notebooks run in a kernel")
    pytest.importorskip("nbclient", reason="notebooks run in a kernel")
    plant(root, AREAS, SETUP.format("01"), "def check(number): pass\n")
    plant(root, SCALING, SETUP.format("02"), "def check(number): pass\n")
    plant(root, SCALING, "", code("from tinytorch.areas import area\narea(np.ones((2, 2)))"))
    plant(root, AREAS, "", code("1 / 0"))
    status, text = tito("run")
    assert status == 1
    assert re.search(r"01_areas +failed", text) and "areas.ipynb, cell 10 (1 / 0) fails" in text and "ZeroDivisionError" in text
    assert re.search(r"02_scaling +ok", text)
