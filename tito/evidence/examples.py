"""The examples that a milestone is graded on, read by the course's own code, never by the learner's.

`verdict.examples` runs it as `python examples.py COURSE DATA DATA_DIR SEED FILE`.
"""

import sys

BATCH = 64  # examples for comparing gradients with difference quotients


def draw(data, rng):
    """Return the test examples, and a batch of training examples, as a dict of arrays."""
    chosen = rng.choice(len(data.train_labels), BATCH, replace=False)
    return {
        "test_images": data.test_images,
        "test_labels": data.test_labels,
        "images": data.train_images[chosen],
        "labels": data.train_labels[chosen],
    }


def main():
    """Read the data and write the examples drawn from them; exit with status 2 if the data are missing."""
    course, name, data_dir, seed, path = sys.argv[1:]
    sys.path.insert(0, course)
    import numpy as np
    from safetensors.numpy import save_file

    from tinytorch import datasets

    try:
        data = getattr(datasets, name)(data_dir or None)
    except datasets.DataError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    drawn = draw(data, np.random.default_rng(int(seed)))
    save_file({name: np.ascontiguousarray(array) for name, array in drawn.items()}, path)


if __name__ == "__main__":
    main()
