"""Update a workspace made by an older version of the course.

- `origin`: digests of what a workspace was given, to tell the learner's changes from the course's.
- `moved`: rewrites imports of given code that has moved.
- `merge`: merges one notebook's cells, the learner's and the current ones.
- `files`: updates the whole workspace, so that nothing is lost if it is killed at any moment.
"""
