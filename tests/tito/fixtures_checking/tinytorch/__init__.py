"""A package as a learner might have it, for the tests of the checks."""
