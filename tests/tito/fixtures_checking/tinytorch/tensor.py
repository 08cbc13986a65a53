# Made by tito from modules/01_tensor/tensor.ipynb: edit that file, then run `tito module complete 01`.
# tensor.ipynb, cell 3
import os
import sys

import numpy as np

from tinytorch.given.op import op


class Tensor:
    def __init__(self, data):
        self.data = data


# tensor.ipynb, cell 5
@op
def right(a, b):
    return a @ b


# tensor.ipynb, cell 7
@op
def wrong(a, b):
    return a[..., :, :1] * b[..., :1, :]


# tensor.ipynb, cell 9
@op
def stub(a, b):
    raise NotImplementedError("01.3 stub")


# tensor.ipynb, cell 11
@op
def needs_stub(a, b):
    return stub.forward(a, b) + 1


# tensor.ipynb, cell 13
@op
def raises(a, b):
    shape = a.shape[5]
    return a


# tensor.ipynb, cell 15
@op
def hangs(a, b):
    while True:
        pass


# tensor.ipynb, cell 17
@op
def exits(a, b):
    os._exit(3)


# tensor.ipynb, cell 19
@op
def quits(a, b):
    sys.exit("no more")


# tensor.ipynb, cell 21
@op
def returns_none(a, b):
    a @ b


# tensor.ipynb, cell 23
@op
def returns_tensor(a, b):
    return Tensor(a @ b)


# tensor.ipynb, cell 25
@op
def changes(a, b):
    out = a @ b
    a *= 2
    return out


# tensor.ipynb, cell 27
@op
def float64(a, b):
    return a @ b * np.float64(1)


# tensor.ipynb, cell 29
@op
def prints(a, b):
    print("here is", a.shape)
    return a @ b


# tensor.ipynb, cell 31
@op
def recurses(a, b):
    return recurses.forward(a, b)


# tensor.ipynb, cell 33
@op
def hungry(a, b):
    return np.ones(2**40)


# tensor.ipynb, cell 35
@op
def last(a, b):
    return a @ b


# tensor.ipynb, cell 37
def divide(a, b):
    if b == 0:
        raise ValueError("cannot divide by 0")
    return a / b
