"""Bringing a workspace that an older course wrote along to today's.

- `origin`: what a workspace was given, as digests, so that what its owner changed can be told from what the course changed.
- `moved`: imports of given code that has moved, rewritten.
- `merge`: one notebook's cells, the learner's and today's.
- `files`: the whole workspace: which files are written and which leave, and doing it so that a kill at any moment loses nothing.
"""
