"""Load the digits that come with scikit-learn, for those who have neither MNIST nor a network."""
import numpy as np

from tinytorch.datasets.errors import MissingData
from tinytorch.datasets.images import Digits

TRAINING = 1_500        # of 1,797 images; the rest, in the order of the file, are the test images


def digits() -> Digits:
    """Return scikit-learn's 8x8 digits, a stand-in that is not MNIST.

    Pixels are scaled from scikit-learn's 0 to 16 to the 0 to 255 of the other data sets.

    Returns:
        Images, uint8 (1500, 8, 8) and (297, 8, 8), and labels, uint8 (1500,) and (297,).

    Raises:
        MissingData: if scikit-learn is not installed.

    Example:
        >>> Digits.name
        'digits (8x8, not MNIST)'

    Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998.
    """
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise MissingData(f"The 8x8 digits come with scikit-learn, which is not installed ({error}). "
                          'Install the extra: pip install "tinytorch-course[digits]"') from None
    bunch = load_digits()
    images, labels = np.rint(bunch.images * (255 / 16)).astype(np.uint8), bunch.target.astype(np.uint8)
    return Digits(images[:TRAINING], labels[:TRAINING], images[TRAINING:], labels[TRAINING:])
