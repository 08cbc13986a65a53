"""The playground: the page See and learn, with predictions and training by the learner's own package.

`server.py` serves the page and passes on what it asks, once `questions.py` has checked it. The package runs in processes of its
own, `process.py`, which `keeping.py` starts and ends: one that predicts, which is started again when a file of the package has
changed, and one for a training.
"""
