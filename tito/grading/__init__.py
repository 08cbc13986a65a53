"""Grading a class: releases, the sandbox, the judge, nbgrader's gradebook."""
