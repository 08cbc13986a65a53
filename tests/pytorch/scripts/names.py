"""A character-level MLP with an embedding that learns to make up names of rivers."""

import torch
import torch.nn.functional as F

words = """amur elbe ebro oder main saale isar lech inn rhine rhone loire seine somme meuse tagus douro tiber arno volta
niger congo zambezi limpopo orange nile indus ganges mekong yenisei lena ob irtysh don volga dnieper danube drava sava
tisza vistula thames severn trent tyne tweed shannon liffey yukon fraser columbia snake platte ohio wabash hudson
potomac amazon parana orinoco madeira xingu tocantins murray darling waikato""".split()
chars = sorted(set("".join(words)))
stoi = {s: i + 1 for i, s in enumerate(chars)}
stoi["."] = 0
itos = {i: s for s, i in stoi.items()}
vocab_size, block_size, n_embd, n_hidden = len(itos), 3, 8, 48


def build_dataset(words):
    X, Y = [], []
    for w in words:
        context = [0] * block_size
        for ch in w + ".":
            ix = stoi[ch]
            X.append(context)
            Y.append(ix)
            context = context[1:] + [ix]
    return torch.tensor(X), torch.tensor(Y)


def make_model():
    g = torch.Generator().manual_seed(2147483647)
    C = torch.randn((vocab_size, n_embd), generator=g)
    W1 = torch.randn((n_embd * block_size, n_hidden), generator=g) * (5 / 3) / ((n_embd * block_size) ** 0.5)
    W2 = torch.randn((n_hidden, vocab_size), generator=g) * 0.01
    b2 = torch.randn(vocab_size, generator=g) * 0
    return dict(C=C, W1=W1, gain=torch.ones((1, n_hidden)), shift=torch.zeros((1, n_hidden)), W2=W2, b2=b2)


def train(model, steps=60):
    X, Y = build_dataset(words)
    C, W1, gain, shift, W2, b2 = parameters = list(model.values())
    for p in parameters:
        p.requires_grad = True
    lossi = []
    for i in range(steps):
        ix = torch.arange(i * 37, i * 37 + 64) % X.shape[0]
        emb = C[X[ix]]
        preact = emb.view(emb.shape[0], -1) @ W1
        mean, std = preact.mean(0, keepdim=True), preact.std(0, keepdim=True)
        h = torch.tanh(gain * (preact - mean) / std + shift)
        logits = h @ W2 + b2
        loss = F.cross_entropy(logits, Y[ix])

        for p in parameters:
            p.grad = None
        loss.backward()

        lr = 0.1 if i < 40 else 0.05
        for p in parameters:
            p.data += -lr * p.grad
        lossi.append(loss.log10().item())

    with torch.no_grad():
        counts = torch.zeros((vocab_size, vocab_size), dtype=torch.int32)
        for w in words:
            for ch1, ch2 in zip("." + w, w + "."):
                counts[stoi[ch1], stoi[ch2]] += 1
        P = (counts + 1).float()
        P /= P.sum(1, keepdim=True)
        nll = -sum(P[stoi[a], stoi[b]].log().item() for w in words for a, b in zip("." + w, w + "."))
        onehot = F.one_hot(torch.tensor([stoi[ch] for ch in "nile"]), num_classes=vocab_size).float()
        lossi += [nll / X.shape[0], (onehot @ P).sum().item()]
    return lossi


def sample(model, count=5):
    g = torch.Generator().manual_seed(2147483647 + 10)
    C, W1, gain, shift, W2, b2 = model.values()
    for _ in range(count):
        out, context = [], [0] * block_size
        while True:
            h = torch.tanh(gain * (C[torch.tensor([context])].view(1, -1) @ W1) + shift)
            probs = F.softmax(h @ W2 + b2, dim=1)
            ix = torch.multinomial(probs, num_samples=1, generator=g).item()
            context = context[1:] + [ix]
            out.append(ix)
            if ix == 0 or len(out) > 12:
                break
        print("".join(itos[i] for i in out))


if __name__ == "__main__":
    model = make_model()
    print(train(model))
    sample(model)
