"""Check what the learner wrote: in the notebook, in the terminal, and for the judge.

There are two sides, and only values pass between them. Learner code may do anything on its side; that earns nothing, because the
answers are on the other side.

    the course's side, which knows the answers            the learner's side, which knows the inputs
    ------------------------------------------            ------------------------------------------
    cases        draws inputs (with draws.Draws), and
                 takes examples from docstrings
    runner       starts the other side, with limits  -->  learner_process  imports the learner's module and calls it with
                                                                           copies of the inputs, through the observe_
    observation  reads the answer, trusts nothing    <--                   functions of checks.py
    compare      finds what differs
    checking     names the likely mistake: a verdict
    blame        finds out whether an earlier exercise
                 is at fault
    wording      writes the sentences, layout the lines

The inputs and the `observe_` functions cross the boundary in one direction, values in the other, both as strict JSON (`wire`).
Oracles, misconceptions and the expected outputs of docstring examples stay on the course's side. `learner_process.py` and
`wire.py` need only NumPy, because they are copied into a sandbox that contains nothing else (`tito.grading.sandbox`).

Three callers use it: `trial` for `tito module test` (a copy of the package with the learner's notebook in it),
`tito.grading.judge` for marks (the same in a sandbox, with secret seeds), and `notebook` for `check("03.2")`. In a notebook both
sides share the kernel: that helps the learner, and gives no marks.
"""
