"""`tito bench`: the same work on the learner's package and in its peers, side by side.

cases/          what is done, one file a case
peers/          who does it: our package, PyTorch, tinygrad
case_process    measures one case, in a process of its own for each number of threads
  measuring     takes the times, in turns
  step_profile  looks at our own steps, op by op
recording       starts those processes and gathers a record
bounds          derives from a record what bounds a step
table, page     show a record in the terminal, and as the book's page; figure draws the page's rooflines
terminal        the conversation: what runs, what is missing, one table after the other
"""
