"""`tito bench`: the same work on the learner's package and in its peers, side by side.

`cases/` says what is done, one file a case; `peers/` who does it; `measuring` takes the times, in a process for each case and
number of threads (`worker`); `run` gathers them into a record; `table` shows a record, `page` makes the book's page of one.
"""
