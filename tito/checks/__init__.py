"""Checking what the learner wrote: in the notebook, in the terminal, and for the judge.

Two sides, and between them nothing but values. Learner code may do anything on its side; it earns nothing there, because the
answers are on the other.

    the course's side, which knows the answers            the learner's side, which knows the inputs
    ------------------------------------------            ------------------------------------------
    cases        draws inputs (with draws.Draws), and
                 takes examples from docstrings
    runner       starts the other side, with limits  -->  learner_process  imports the learner's module and calls it with
                                                                           copies of the inputs, through the observe_
    observation  reads what comes, trusting nothing  <--                   functions of checks.py
    compare      finds what differs
    checking     names the wrong turn: a verdict
    blame        asks whether an earlier exercise
                 is at fault
    wording      has the words, layout the lines

What crosses the boundary: the inputs and the `observe_` functions one way, values the other way, both as JSON of a strict form
(`wire`). Oracles, misconceptions and what docstring examples show stay on the course's side. `learner_process.py` and `wire.py`
need NumPy alone, because they are copied into a sandbox that shows nothing else (`tito.grading.sandbox`).

Who uses it: `trial` for `tito module test` (a copy of the package, the learner's notebook in it), `tito.grading.judge` for marks
(the same in a sandbox, with seeds that nobody knows), and `notebook` for `check("03.2")`. In a notebook both sides share the
kernel: it helps its owner, and decides no mark.
"""
