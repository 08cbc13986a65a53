"""`tito bench`: the same work in the learner's package and in its peers, side by side.

cases/          what is measured, one file per case
peers/          the frameworks: our package, PyTorch, tinygrad
case_process    measures one case, in a separate process for each number of threads
  measuring     times the variants in turn
  step_profile  profiles our own steps, op by op
recording       starts those processes and collects a record
bounds          computes from a record what limits a step
table, page     show a record in the terminal and on the book's page; figure draws the page's rooflines
terminal        what the user sees: what runs, what is missing, one table after another
"""
