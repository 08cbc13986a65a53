"""`tito bench`: the same work on the learner's package and in its peers, side by side.

`cases/` says what is done, one file a case; `peers/` who does it; `measuring` takes the times, in a process for each case and
number of threads (`case_process`); there `step_profile` looks at our own steps, op by op. `recording` gathers all that into a record, of which
`bounds` derives what bounds a step; `table` shows a record, `page` makes the book's page of it, `figure` the page's rooflines.
"""
