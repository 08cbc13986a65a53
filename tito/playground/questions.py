"""What a page may ask of the playground, and the largest body that is read."""

QUESTION, FILE = 2**17, 2**24  # bytes of a question, and of a network
LIMITS = {"hidden": (4, 512), "epochs": (1, 100), "batch": (1, 1000), "seed": (0, 2**32 - 1)}
KINDS = {  # of questions: what each of them says
    "predict": ("digit", "off"),
    "field": ("digit", "off", "layer", "unit"),
    "train": (*LIMITS, "lr"),
    "stop": (),
}


class Refusal(Exception):
    """A question that cannot be answered; the message is for the user."""

    def __init__(self, text, status=400):
        self.status = status
        super().__init__(text)


async def body(request, most):
    """Return the body of a request, or refuse it once it is too long."""
    said = request.headers.get("content-length", "0")
    parts, size = [], int(said) if said.isdigit() else most + 1
    if size <= most:
        size = 0
        async for part in request.stream():
            parts.append(part)
            size += len(part)
            if size > most:
                break
    if size > most:
        raise Refusal(f"the request has more than {most} bytes", 413)
    return b"".join(parts)


def checked(message):
    """Return a question if it is one, with numbers within their limits."""
    if not isinstance(message, dict) or message.get("type") not in KINDS:
        raise Refusal("the playground does not know this question")
    kind = message["type"]
    made = {name: message.get(name) for name in ("type", *KINDS[kind])}
    if kind in ("predict", "field"):
        made |= {"id": message.get("id"), "model": str(message.get("model")), "off": made["off"] or []}
        require_digit(made["digit"])
        require_neurons(made["off"], [made.get("layer", 0), made.get("unit", 0)])
    if kind == "train":
        require_options(made)
    return made


def require_digit(digit):
    """Refuse what is not a picture of 28 by 28."""
    if not isinstance(digit, list) or len(digit) != 784 or not all(isinstance(x, (int, float)) and 0 <= x <= 1 for x in digit):
        raise Refusal("a digit is 784 numbers from 0 to 1")


def require_neurons(off, chosen):
    """Refuse neurons, those that are off and the one that is chosen, which are not pairs of a layer and a number."""
    pairs = [*off, chosen] if isinstance(off, list) else [off]
    if not all(isinstance(pair, list) and len(pair) == 2 and all(type(x) is int and x >= 0 for x in pair) for pair in pairs):
        raise Refusal("neurons are named by a layer and a number")


def require_options(options):
    """Refuse a training whose numbers are beyond their limits."""
    for name, (least, most) in LIMITS.items():
        if type(options[name]) is not int or not least <= options[name] <= most:
            raise Refusal(f"{name} needs a whole number from {least} to {most}, got {options[name]}")
    if not isinstance(options["lr"], (int, float)) or not 0 < options["lr"] <= 10:
        raise Refusal(f"the learning rate needs a number above 0 and up to 10, got {options['lr']}")
