"""Calls at the corners: every dtype, every awkward shape, infinities and ties, as expressions that both frameworks understand.

`python tests/corners/calls.py` asks PyTorch for all of them and writes `recorded.json`.
"""

import json
from pathlib import Path

import numpy as np

RECORDED = Path(__file__).with_name("recorded.json")
NUMBERS = {  # dtype -> its lowest and highest number, and some in between, with ties
    "uint8": [0, 255, 1, 3, 3, 200],
    "int8": [-128, 127, 0, -1, 3, 3],
    "int16": [-32768, 32767, 0, -1, 3, 3],
    "int32": [-2147483648, 2147483647, 0, -1, 3, 3],
    "int64": [-9223372036854775808, 9223372036854775807, 0, -1, 3, 3],
    "bool": [False, True, True, False, True, False],
    "float32": [-1.5, 2.0, 0.0, 0.25, 3.0, 3.0],
    "float64": [-1.5, 2.0, 0.0, 0.25, 3.0, 3.0],
}
SHAPES = {"0-d": (), "size 1": (1,), "nothing": (0,), "no rows": (0, 3), "no columns": (3, 0), "table": (2, 3)}
ENTRYWISE = """x.exp() x.log() x.sqrt() x.abs() t.sigmoid(x) t.tanh(x) t.relu(x) -x x*2 x*0.5 x/2 x+1 1-x x//2 x%2 x**2 x//-3 x%-3 7%x
 x==3 x>1 x<=0 x!=3 ~x x&1 x|1 x^3 x.float() x.long() x+x x*x x/x""".split()
ALONG = """x.sum() x.mean() x.max() x.min() x.amax() x.amin() x.argmax() x.argmin() x.var() x.std() x.sum(0) x.sum(-1) x.mean(0)
 x.mean(-1) x.amax(-1) x.amin(-1) x.argmax(-1) x.argmin(-1) x.max(-1)[0] x.max(0)[1] x.min(-1)[0] x.min(-1)[1] x.var(-1)
 x.var(0,False) x.var(False) x.std(0) x.sum(-1,True) x.amax(0,True) t.softmax(x,0) t.softmax(x,-1) t.log_softmax(x,-1)
 t.logsumexp(x,-1) t.logsumexp(x,0) t.logsumexp(x,-1,True)""".split()
SHAPED = """x.T x.mT x.flatten() x.flatten(0,-1) x.squeeze() x.squeeze(0) x.squeeze(-1) x.unsqueeze(0) x.unsqueeze(-1) x[[]] x[None] x[...]
 x[0] x[-1:] len(x) list(x)[0:0] x.reshape(-1) x.unsqueeze(3) x.unsqueeze(-4) x.squeeze(2) x.squeeze(-3) x.flatten(2) x.flatten(0,4)
 x.flatten(1,0) x.sum(5) x.T.sum(0) x.numel() x.tolist() (3.0)in(x) (9.0)in(x)""".split()
ENDS = [float(word) for word in "nan inf -inf 0 1 -2".split()]
SPECIAL = [  # expressions of x and their values, in float32, with their gradients
    *(
        (expression, ENDS)
        for expression in ENTRYWISE
        if "|" not in expression and "&" not in expression and "^" not in expression
    ),
    *((f"x**{power}", ENDS) for power in ("0", "0.0", "1", "-1", "0.5", "3")),
    *((f"{base}**x", ENDS) for base in ("0.0", "2", "1.5")),
    *(
        (expression, ENDS)
        for expression in ("x.sum()", "x.mean()", "x.max()", "x.min()", "x.amax(0)", "x.amin(0)", "x.max(0)[0]")
    ),
    *((f"{f}(x,0)", x) for f in ("t.softmax", "t.log_softmax", "t.logsumexp") for x in (ENDS, ENDS[1:], ENDS[2:], ENDS[2:3] * 2)),
    ("t.logsumexp(x,0)", [2.0, ENDS[1], ENDS[1]]),
    ("t.logsumexp(x,0)", [1000.0, ENDS[1]]),
    *(
        (f"x.{f}", [3.0, 3.0, 3.0])
        for f in ("std()", "var()", "std(0,False)", "max()", "min()", "amax()", "max(0)[0]", "min(0)[0]")
    ),
    *((f"x.{f}", [2.0]) for f in ("std()", "var()", "var(0,False)", "mean(0)", "max(0)[0]")),
    *((f"x.{f}", 2.0) for f in ("std()", "sum(0)", "mean(-1)", "amax(0)", "max(0)[0]", "min(-1)[0]", "sum(-1,True)")),
    ("x.std(0)", [[3.0, 1.0], [3.0, 2.0]]),
    ("x.var(0,correction=0)", [[3.0, 1.0], [3.0, 2.0]]),
    ("x[0]**x[1]", [[0.0, 0.0, ENDS[1], ENDS[1], ENDS[1], ENDS[2], 2.0], [0.0, 2.0, 0.0, -1.0, 2.0, 3.0, ENDS[1]]]),
    ("x[0]/x[1]", [[1.0, 0.0, ENDS[1], 2.0], [0.0, 0.0, ENDS[1], ENDS[1]]]),
    ("t.nn.functional.leaky_relu(x)", ENDS),
    ("t.nn.functional.gelu(x)", ENDS),
    ("t.nn.functional.max_pool2d(x.reshape(1,1,2,3),2,1,1)", [ENDS[2]] * 6),
    ("t.nn.functional.max_pool2d(x.reshape(1,1,2,3),2,1,1)", ENDS),
    ("t.nn.functional.max_pool2d(x.reshape(1,1,2,3),2,1,1)", [1.0, 1.0, 1.0, 2.0, 2.0, 1.0]),
]
IN_PLACE = ["x+=1", "x+=0.5", "x*=2", "x*=0.5", "x/=2", "x//=2", "x%=2", "x**=2", "x-=1", "x&=1", "x|=1", "x^=1"]


def calls():
    """Yield for each call: its name, the expression, the values, and the dtype."""
    for dtype, numbers in NUMBERS.items():
        for expression in (*ENTRYWISE, *ALONG, *IN_PLACE, "t.nn.functional.max_pool2d(x.reshape(1,1,2,3),2,1,1)"):
            yield f"{expression} of {dtype}", expression, numbers, dtype
    for shape, size in SHAPES.items():
        values = np.linspace(-1.0, 2.0, int(np.prod(size))).reshape(size).tolist()
        for expression in (*ENTRYWISE[:13], *ALONG, *SHAPED):
            yield f"{expression} of {shape}", expression, np.reshape(values, size), "float32"
    for number, (expression, values) in enumerate(SPECIAL):
        yield f"{expression} at the ends, {number}", expression, values, "float32"


def outcome(t, make, expression, values, dtype):
    """Return what a call gives: ["error"], or the result's dtype, shape and numbers, and the gradient of x if there is one."""
    array = np.array(values, dtype)
    differentiable = array.dtype.kind == "f" and "=" not in expression.replace("==", "").replace("!=", "").replace(
        "<=", ""
    ).replace("correction=", "")
    x = make(array, differentiable)
    try:
        if differentiable or "=" not in expression or any(sign in expression for sign in ("==", "!=", "<=")):
            out = eval(expression, {"t": t, "x": x})
        else:
            names = {"t": t, "x": x}
            exec(expression, names)
            out = names["x"]
    except Exception as error:
        return ["error", f"{type(error).__name__}: {error}"[:60]]
    if not hasattr(out, "numel"):
        return ["python", repr(out)]
    result = [str(out.dtype).removeprefix("torch."), list(out.shape), plain(out.detach().tolist())]
    if differentiable and out.requires_grad:
        try:
            out.sum().backward()
            result.append(plain(x.grad.tolist()))
        except Exception as error:
            result.append(f"{type(error).__name__}: {error}"[:60])
    return result


def plain(values):
    """Round floats to seven digits, which JSON keeps short."""
    if isinstance(values, list):
        return [plain(value) for value in values]
    return float(f"{values:.7g}") if isinstance(values, float) else values


def pytorch():
    """Return the outcome of every call in PyTorch, by its name."""
    import torch

    def make(array, requires_grad):
        return torch.tensor(array, requires_grad=requires_grad)

    return {name: outcome(torch, make, *call) for name, *call in calls()}


if __name__ == "__main__":
    lines = [f"{json.dumps(name)}: {json.dumps(result)}" for name, result in pytorch().items()]
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
