// The numbers of the page: digits from drawings, networks from files, what their layers compute, and training an MLP.
// Everything is inside one function, so that its text can run in a worker, where a page opened as a file cannot load scripts.
"use strict";

function makeEngine() {
  const SIDE = 28, PIXELS = SIDE * SIDE, CLASSES = 10;
  const TARGET = 14;                    // the pixel at which MNIST's digits have their centre of mass
  const BOX = 20, KEPT = [17, 22];      // longer side of a digit in MNIST; sizes that need no scaling
  const STANDARD = [0.1307, 0.3081];    // mean and deviation of MNIST's pixels
  const UNIT = [0, 1];

  // ---- from a drawing to a digit ----------------------------------------------------------------------------------

  // The smallest box around what is not empty, as [left, top, right, bottom], or null.
  function boxOf(raster, side) {
    let left = side, top = side, right = 0, bottom = 0;
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++)
        if (raster[y * side + x] > 0) {
          if (x < left) left = x;
          if (x >= right) right = x + 1;
          if (y < top) top = y;
          bottom = y + 1;
        }
    return right > left ? [left, top, right, bottom] : null;
  }

  // By how much a drawing is scaled so that it is as large as MNIST's digits; 1 if it already is.
  function scaleOf(box, side) {
    const longer = Math.max(box[2] - box[0], box[3] - box[1]) * SIDE / side;
    return longer >= KEPT[0] && longer <= KEPT[1] ? 1 : BOX / longer;
  }

  // A square drawing (numbers from 0 to 1) as a digit of 28 by 28: scaled to MNIST's size, its centre of mass at pixel 14.
  // Null if it is empty. A digit that is not scaled is moved by whole pixels, so that it stays as sharp as it is.
  function toDigit(raster, side) {
    const box = boxOf(raster, side);
    if (!box) return null;
    const scale = scaleOf(box, side), unit = side / SIDE, pixel = unit / scale;
    let mass = 0, massX = 0, massY = 0;
    for (let y = box[1]; y < box[3]; y++)
      for (let x = box[0]; x < box[2]; x++) {
        const value = raster[y * side + x];
        mass += value; massX += value * (x + 0.5); massY += value * (y + 0.5);
      }
    const start = (centre) => {
      const exact = centre - (TARGET + 0.5) * pixel;
      return scale === 1 ? Math.round(exact / unit) * unit : exact;
    };
    const left = start(massX / mass), top = start(massY / mass), sums = summed(raster, side);
    const digit = new Float32Array(PIXELS);
    for (let y = 0; y < SIDE; y++)
      for (let x = 0; x < SIDE; x++) {
        const x0 = left + x * pixel, y0 = top + y * pixel;
        const area = at(sums, side, x0 + pixel, y0 + pixel) - at(sums, side, x0, y0 + pixel)
          - at(sums, side, x0 + pixel, y0) + at(sums, side, x0, y0);
        digit[y * SIDE + x] = Math.min(1, Math.max(0, area / (pixel * pixel)));
      }
    // A thin or pale drawing becomes as bright as MNIST's digits, whose strokes reach 1.
    const brightest = digit.reduce((most, value) => Math.max(most, value), 0);
    return scale === 1 ? digit : digit.map((value) => value / brightest);
  }

  // Sums of everything above and left of each corner of the pixels.
  function summed(raster, side) {
    const wide = side + 1, sums = new Float64Array(wide * wide);
    for (let y = 0; y < side; y++) {
      let row = 0;
      for (let x = 0; x < side; x++) {
        row += raster[y * side + x];
        sums[(y + 1) * wide + x + 1] = sums[y * wide + x + 1] + row;
      }
    }
    return sums;
  }

  // The sum up to a point between corners.
  function at(sums, side, x, y) {
    x = Math.min(side, Math.max(0, x)); y = Math.min(side, Math.max(0, y));
    const wide = side + 1, x0 = Math.min(side - 1, Math.floor(x)), y0 = Math.min(side - 1, Math.floor(y));
    const u = x - x0, v = y - y0, i = y0 * wide + x0;
    return (1 - v) * ((1 - u) * sums[i] + u * sums[i + 1]) + v * ((1 - u) * sums[i + wide] + u * sums[i + wide + 1]);
  }

  // ---- networks from files ----------------------------------------------------------------------------------------

  const product = (shape) => shape.reduce((a, b) => a * b, 1);
  const whole = (values) => Array.isArray(values) && values.every((value) => Number.isSafeInteger(value) && value >= 0);

  // Arrays by name, and texts, of a safetensors file. Nothing in it is believed before it is checked.
  function parseSafetensors(buffer) {
    const view = new DataView(buffer), size = buffer.byteLength;
    const length = size >= 8 ? Number(view.getBigUint64(0, true)) : Infinity;
    if (!(8 + length <= size)) throw new Error("this is not a whole safetensors file: it is cut short");
    let entries;
    try {
      entries = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(buffer, 8, length)));
    } catch { throw new Error("this is not a whole safetensors file: its header is not JSON"); }
    if (entries === null || typeof entries !== "object" || Array.isArray(entries))
      throw new Error("this is not a whole safetensors file: its header is not an object");
    const { __metadata__: texts = {}, ...rest } = entries, arrays = {};
    for (const [name, entry] of Object.entries(rest)) {
      const shape = entry && entry.shape, offsets = entry && entry.data_offsets, bytes = { F32: 4, F64: 8, F16: 2 }[entry && entry.dtype];
      if (!bytes) throw new Error(`${name} needs the dtype F32, F16 or F64, not ${entry && entry.dtype}`);
      if (!whole(shape) || !whole(offsets) || offsets.length !== 2 || product(shape) * bytes !== offsets[1] - offsets[0]
          || 8 + length + offsets[1] > size) throw new Error(`${name} does not fit the file`);
      const values = new Float32Array(product(shape)), from = 8 + length + offsets[0];
      for (let i = 0; i < values.length; i++)
        values[i] = bytes === 4 ? view.getFloat32(from + 4 * i, true)
          : bytes === 8 ? view.getFloat64(from + 8 * i, true) : half(view.getUint16(from + 2 * i, true));
      arrays[name] = { shape, values };
    }
    return { arrays, texts };
  }

  // The number that 16 bits mean.
  function half(bits) {
    const sign = bits >> 15 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
  }

  // A safetensors file: arrays by name, and texts for its header.
  function dumpSafetensors(arrays, texts) {
    let end = 0;
    const header = { __metadata__: texts };
    for (const [name, { shape, values }] of Object.entries(arrays))
      header[name] = { dtype: "F32", shape, data_offsets: [end, (end += 4 * values.length)] };
    let words = JSON.stringify(header);
    words += " ".repeat((8 - (new TextEncoder().encode(words).length % 8)) % 8);
    const head = new TextEncoder().encode(words), file = new Uint8Array(8 + head.length + end);
    new DataView(file.buffer).setBigUint64(0, BigInt(head.length), true);
    file.set(head, 8);
    for (const [name, { values }] of Object.entries(arrays))
      file.set(new Uint8Array(values.buffer, values.byteOffset, 4 * values.length), 8 + head.length + header[name].data_offsets[0]);
    return file.buffer;
  }

  const natural = (a, b) => a.localeCompare(b, "en", { numeric: true });

  // The layers of a network, worked out from the shapes of its arrays, as `tito model` does.
  function plan(arrays) {
    const weights = Object.keys(arrays).filter((name) => [2, 4].includes(arrays[name].shape.length));
    weights.sort((a, b) => arrays[b].shape.length - arrays[a].shape.length || natural(a, b));
    const shape = (name) => arrays[name].shape;
    const biasOf = (name) => {
      const bias = name.replace(/(weight|kernel)$/, "bias");
      return bias !== name && arrays[bias] && shape(bias).length === 1 && shape(bias)[0] === shape(name)[0] ? bias : null;
    };
    const convolutions = weights.filter((name) => shape(name).length === 4), linears = weights.filter((name) => shape(name).length === 2);
    const known = new Set([...weights, ...weights.map(biasOf)]), strange = Object.keys(arrays).filter((name) => !known.has(name));
    if (!linears.length || strange.length)
      throw new Error(`convolutions and linear layers do not have the arrays ${strange.slice(0, 3).join(", ") || "(no linear layer)"}`);
    const fits = paddings(convolutions.map(shape), shape(linears[0])[1]);
    if (fits.length !== 1) throw new Error(`its layers do not fit digits of ${SIDE} by ${SIDE}`);
    const layers = [];
    convolutions.forEach((weight, i) => layers.push({ kind: "conv2d", weight, bias: biasOf(weight), padding: fits[0][i] },
      { kind: "max_pool2d", size: 2 }, { kind: "relu" }));
    layers.push({ kind: "flatten" });
    linears.forEach((weight, i) => {
      const after = linears[i + 1];
      if ((after ? shape(after)[1] : CLASSES) !== shape(weight)[0]) throw new Error(`${weight} does not fit the layer after it`);
      layers.push({ kind: "linear", weight, bias: biasOf(weight) });
      if (after) layers.push({ kind: "relu" });
    });
    return layers;
  }

  // Each choice of paddings with which convolutions, each before a max-pool of 2, leave this many features.
  function paddings(convolutions, features) {
    let open = [{ side: SIDE, channels: 1, chosen: [] }];
    for (const [out, channels, size, wide] of convolutions)
      open = open.flatMap((state) => [0, Math.floor(size / 2)].map((padding) => ({
        side: size === wide && channels === state.channels ? Math.floor((state.side + 2 * padding - size + 1) / 2) : 0,
        channels: out, chosen: [...state.chosen, padding],
      })).filter((state) => state.side > 0));
    return open.filter((state) => state.channels * state.side ** 2 === features).map((state) => state.chosen);
  }

  // A network from the bytes of a file. `pixels` is null if the file does not say how pixels enter.
  function readModel(buffer) {
    const { arrays, texts } = parseSafetensors(buffer);
    let told = {};
    try { told = JSON.parse(texts["tinytorch.page"]) || {}; } catch { /* a file of another program */ }
    const layers = checkedLayers(told.layers, arrays) || plan(arrays);
    const sizes = layers.filter((layer) => layer.weight).map((layer) => (layer.kind === "conv2d" ? "conv " : "") + arrays[layer.weight].shape[0]);
    const pixels = Array.isArray(told.pixels) && told.pixels.length === 2 && told.pixels.every(Number.isFinite) && told.pixels[1] ? told.pixels : null;
    return { arrays, layers, pixels, texts, title: (layers[0].kind === "conv2d" ? "" : "784, ") + sizes.join(", ") };
  }

  // The layers that a file tells, if they are the ones that its arrays allow; else null.
  function checkedLayers(told, arrays) {
    if (!Array.isArray(told)) return null;
    const same = (a, b) => a.kind === b.kind && a.weight === b.weight && (a.padding || 0) === (b.padding || 0);
    const expected = plan(arrays);
    return told.length === expected.length && told.every((layer, i) => layer && same(layer, expected[i])) ? expected : null;
  }

  // ---- what the layers compute ------------------------------------------------------------------------------------

  // Pixels from 0 to 1 as the network takes them.
  function enter(model, digit) {
    const [mean, deviation] = model.pixels;
    return Float32Array.from(digit, (value) => (value - mean) / deviation);
  }

  function conv2d(input, [channels, height, width], layer, arrays) {
    const { shape: [out, , size], values: weight } = arrays[layer.weight], bias = layer.bias ? arrays[layer.bias].values : null;
    const rows = height + 2 * layer.padding - size + 1, columns = width + 2 * layer.padding - size + 1;
    const values = new Float32Array(out * rows * columns);
    for (let o = 0; o < out; o++)
      for (let y = 0; y < rows; y++)
        for (let x = 0; x < columns; x++) {
          let sum = bias ? bias[o] : 0;
          for (let c = 0; c < channels; c++)
            for (let i = 0; i < size; i++) {
              const v = y + i - layer.padding;
              if (v < 0 || v >= height) continue;
              for (let j = 0; j < size; j++) {
                const u = x + j - layer.padding;
                if (u >= 0 && u < width) sum += weight[((o * channels + c) * size + i) * size + j] * input[(c * height + v) * width + u];
              }
            }
          values[(o * rows + y) * columns + x] = sum;
        }
    return { shape: [out, rows, columns], values };
  }

  function maxPool(input, [channels, height, width], { size }) {
    const rows = Math.floor(height / size), columns = Math.floor(width / size);
    const values = new Float32Array(channels * rows * columns), from = new Int32Array(values.length);
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < rows; y++)
        for (let x = 0; x < columns; x++) {
          let best = (c * height + y * size) * width + x * size;
          for (let i = 0; i < size; i++)
            for (let j = 0; j < size; j++) {
              const place = (c * height + y * size + i) * width + x * size + j;
              if (input[place] > input[best]) best = place;
            }
          const place = (c * rows + y) * columns + x;
          values[place] = input[best]; from[place] = best;
        }
    return { shape: [channels, rows, columns], values, from };
  }

  function linear(input, layer, arrays) {
    const { shape: [out, features], values: weight } = arrays[layer.weight], values = new Float32Array(out);
    for (let o = 0; o < out; o++) {
      let sum = layer.bias ? arrays[layer.bias].values[o] : 0;
      for (let i = 0; i < features; i++) sum += weight[o * features + i] * input[i];
      values[o] = sum;
    }
    return { shape: [out], values };
  }

  // What each layer computes for a digit: a list of shapes and values. `off` lists neurons, or feature maps, as [layer, number]:
  // they give 0, whatever comes in.
  function forward(model, digit, off = []) {
    let shape = [1, SIDE, SIDE], values = enter(model, digit);
    return model.layers.map((layer, number) => {
      let made;
      if (layer.kind === "conv2d") made = conv2d(values, shape, layer, model.arrays);
      else if (layer.kind === "max_pool2d") made = maxPool(values, shape, layer);
      else if (layer.kind === "linear") made = linear(values, layer, model.arrays);
      else if (layer.kind === "relu") made = { shape, values: values.map((value) => Math.max(value, 0)) };
      else made = { shape: [values.length], values };
      const each = made.values.length / made.shape[0];
      for (const [at, unit] of off)
        if (at === number && unit < made.shape[0]) {
          made.values = made.values.slice();
          made.values.fill(0, unit * each, (unit + 1) * each);
        }
      ({ shape, values } = made);
      return made;
    });
  }

  // The field of a neuron: how much its value grows with each of the 784 pixels, for this digit. Of a feature map, its
  // largest value counts. For a neuron of a first linear layer these are its weights, whatever the digit.
  function field(model, digit, number, unit, off = []) {
    const outputs = forward(model, digit, off), last = outputs[number];
    let grad = new Float32Array(last.values.length);
    const each = last.values.length / last.shape[0];
    grad[unit * each + argmax(last.values.subarray(unit * each, (unit + 1) * each))] = 1;
    for (let at = number; at >= 0; at--) {
      for (const [layer, switched] of off)
        if (layer === at) {
          const size = outputs[at].values.length / outputs[at].shape[0];
          grad.fill(0, switched * size, (switched + 1) * size);
        }
      const before = at ? outputs[at - 1] : { shape: [1, SIDE, SIDE], values: enter(model, digit) };
      grad = backward(model.layers[at], grad, before, outputs[at], model.arrays);
    }
    return grad.map((value) => value / model.pixels[1]);
  }

  // The gradient of a layer's input, from that of its output.
  function backward(layer, grad, before, after, arrays) {
    const made = new Float32Array(before.values.length);
    if (layer.kind === "flatten") return grad;
    if (layer.kind === "relu") return grad.map((value, i) => (before.values[i] > 0 ? value : 0));
    if (layer.kind === "max_pool2d") { grad.forEach((value, i) => { made[after.from[i]] += value; }); return made; }
    const { shape: [out, inner, size], values: weight } = arrays[layer.weight];
    if (layer.kind === "linear") {
      for (let o = 0; o < out; o++)
        if (grad[o]) for (let i = 0; i < inner; i++) made[i] += grad[o] * weight[o * inner + i];
      return made;
    }
    const [, height, width] = before.shape, [, rows, columns] = after.shape;
    for (let o = 0; o < out; o++)
      for (let y = 0; y < rows; y++)
        for (let x = 0; x < columns; x++) {
          const value = grad[(o * rows + y) * columns + x];
          if (!value) continue;
          for (let c = 0; c < inner; c++)
            for (let i = 0; i < size; i++)
              for (let j = 0; j < size; j++) {
                const v = y + i - layer.padding, u = x + j - layer.padding;
                if (v >= 0 && v < height && u >= 0 && u < width)
                  made[(c * height + v) * width + u] += value * weight[((o * inner + c) * size + i) * size + j];
              }
        }
    return made;
  }

  function softmax(logits) {
    const most = logits.reduce((a, b) => Math.max(a, b), -Infinity), powers = Array.from(logits, (value) => Math.exp(value - most));
    const total = powers.reduce((a, b) => a + b, 0);
    return powers.map((value) => value / total);
  }

  const argmax = (values) => values.reduce((best, value, i) => (value > values[best] ? i : best), 0);

  // Say how pixels enter a network whose file does not: the way in which its loss on some digits is lower.
  function findPixels(model, images, labels, count = 200) {
    const loss = (pixels) => Array.from({ length: count }, (_, i) => {
      const digit = Float32Array.from(images.subarray(PIXELS * i, PIXELS * (i + 1)), (value) => value / 255);
      return -Math.log(Math.max(1e-300, softmax(forward({ ...model, pixels }, digit).at(-1).values)[labels[i]]));
    }).reduce((a, b) => a + b, 0);
    return loss(STANDARD) <= loss(UNIT) ? STANDARD : UNIT;
  }

  // ---- training an MLP --------------------------------------------------------------------------------------------

  // A generator of numbers from 0 to 1 (mulberry32), so that a seed gives the same training again.
  function random(seed) {
    let state = seed >>> 0;
    const next = () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    return next;
  }

  // The whole numbers below n in random order.
  function shuffled(n, next) {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(next() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  // An untrained MLP of two linear layers; weights as PyTorch draws them, uniform up to one over the root of the inputs.
  function makeMLP(hidden, next) {
    const draw = (count, features) => Float32Array.from({ length: count }, () => (2 * next() - 1) / Math.sqrt(features));
    const arrays = {
      "0.weight": { shape: [hidden, PIXELS], values: draw(hidden * PIXELS, PIXELS) },
      "0.bias": { shape: [hidden], values: draw(hidden, PIXELS) },
      "2.weight": { shape: [CLASSES, hidden], values: draw(CLASSES * hidden, hidden) },
      "2.bias": { shape: [CLASSES], values: draw(CLASSES, hidden) },
    };
    return { arrays, layers: plan(arrays), pixels: UNIT, texts: {}, title: `784, ${hidden}, 10` };
  }

  // Trains an MLP of two linear layers by stochastic gradient descent on pixels from 0 to 1.
  //
  // Four of five pixels are 0 and change nothing, so that both products with the first weight visit the others only. For that
  // its rows are pixels here, `first[pixel * hidden + unit]`, and four of them are added at a time.
  class Trainer {
    constructor(model) {
      const { arrays } = model, weight = arrays["0.weight"].values;
      const hidden = this.hidden = arrays["0.weight"].shape[0];
      this.first = new Float32Array(PIXELS * hidden);
      for (let j = 0; j < hidden; j++) for (let i = 0; i < PIXELS; i++) this.first[i * hidden + j] = weight[j * PIXELS + i];
      this.firstBias = arrays["0.bias"].values.slice();
      this.second = arrays["2.weight"].values.slice();
      this.secondBias = arrays["2.bias"].values.slice();
      this.places = new Uint16Array(PIXELS); this.shades = new Float32Array(PIXELS);
    }

    // The network as it is now.
    model() {
      const { hidden, first } = this, weight = new Float32Array(hidden * PIXELS);
      for (let j = 0; j < hidden; j++) for (let i = 0; i < PIXELS; i++) weight[j * PIXELS + i] = first[i * hidden + j];
      const arrays = {
        "0.weight": { shape: [hidden, PIXELS], values: weight }, "0.bias": { shape: [hidden], values: this.firstBias.slice() },
        "2.weight": { shape: [CLASSES, hidden], values: this.second.slice() }, "2.bias": { shape: [CLASSES], values: this.secondBias.slice() },
      };
      return { arrays, layers: plan(arrays), pixels: UNIT, texts: {}, title: `784, ${hidden}, 10` };
    }

    // Put the hidden units of one digit into `into`, and its logits into `logits`.
    one(images, index, into, logits) {
      const { hidden, first, firstBias, second, secondBias, places, shades } = this, start = PIXELS * index;
      let count = 0;
      for (let i = 0; i < PIXELS; i++) if (images[start + i]) { places[count] = i; shades[count++] = images[start + i] / 255; }
      into.set(firstBias);
      let k = 0;
      for (; k + 3 < count; k += 4) {
        const a = places[k] * hidden, b = places[k + 1] * hidden, c = places[k + 2] * hidden, d = places[k + 3] * hidden;
        const p = shades[k], q = shades[k + 1], r = shades[k + 2], s = shades[k + 3];
        for (let j = 0; j < hidden; j++) into[j] += p * first[a + j] + q * first[b + j] + r * first[c + j] + s * first[d + j];
      }
      for (; k < count; k++) { const a = places[k] * hidden, p = shades[k]; for (let j = 0; j < hidden; j++) into[j] += p * first[a + j]; }
      for (let j = 0; j < hidden; j++) if (into[j] < 0) into[j] = 0;
      for (let o = 0; o < CLASSES; o++) {
        let sum = secondBias[o];
        for (let j = 0; j < hidden; j++) sum += second[o * hidden + j] * into[j];
        logits[o] = sum;
      }
    }

    // Take one step on a batch; return its mean loss before the step, and how many digits were right.
    step(images, labels, batch, lr) {
      const { hidden, first, firstBias, second, secondBias } = this, count = batch.length;
      if (!this.units || this.units.length < count * hidden) {
        this.units = new Float32Array(count * hidden); this.errors = new Float32Array(count * CLASSES);
        this.columns = new Uint16Array(count); this.amounts = new Float32Array(count);
      }
      const { units, errors, columns, amounts } = this, logits = new Float64Array(CLASSES);
      let loss = 0, right = 0;
      for (let n = 0; n < count; n++) {
        this.one(images, batch[n], units.subarray(n * hidden, (n + 1) * hidden), logits);
        const chances = softmax(logits), label = labels[batch[n]];
        loss -= Math.log(Math.max(chances[label], 1e-300));
        right += argmax(logits) === label;
        for (let o = 0; o < CLASSES; o++) errors[n * CLASSES + o] = (chances[o] - (o === label)) / count;
      }
      // The gradient of the hidden units takes their place, once the second layer's weight has used both.
      const change = new Float32Array(CLASSES * hidden), unitErrors = new Float32Array(hidden);
      for (let n = 0; n < count; n++) {
        const from = n * hidden;
        unitErrors.fill(0);
        for (let o = 0; o < CLASSES; o++) {
          const error = errors[n * CLASSES + o], row = o * hidden;
          for (let j = 0; j < hidden; j++) { change[row + j] += error * units[from + j]; unitErrors[j] += error * second[row + j]; }
        }
        for (let j = 0; j < hidden; j++) units[from + j] = units[from + j] > 0 ? lr * unitErrors[j] : 0;
      }
      for (let i = 0; i < change.length; i++) second[i] -= lr * change[i];
      for (let o = 0; o < CLASSES; o++) { let sum = 0; for (let n = 0; n < count; n++) sum += errors[n * CLASSES + o]; secondBias[o] -= lr * sum; }
      for (let j = 0; j < hidden; j++) { let sum = 0; for (let n = 0; n < count; n++) sum += units[n * hidden + j]; firstBias[j] -= sum; }
      for (let i = 0; i < PIXELS; i++) {
        let some = 0;
        for (let n = 0; n < count; n++) { const shade = images[PIXELS * batch[n] + i]; if (shade) { columns[some] = n; amounts[some++] = shade / 255; } }
        const row = i * hidden;
        let k = 0;
        for (; k + 3 < some; k += 4) {
          const a = columns[k] * hidden, b = columns[k + 1] * hidden, c = columns[k + 2] * hidden, d = columns[k + 3] * hidden;
          const p = amounts[k], q = amounts[k + 1], r = amounts[k + 2], s = amounts[k + 3];
          for (let j = 0; j < hidden; j++) first[row + j] -= p * units[a + j] + q * units[b + j] + r * units[c + j] + s * units[d + j];
        }
        for (; k < some; k++) { const a = columns[k] * hidden, p = amounts[k]; for (let j = 0; j < hidden; j++) first[row + j] -= p * units[a + j]; }
      }
      return { loss: loss / count, right };
    }

    // Measure the network: mean loss, accuracy, confusion[label][guess], and the worst mistakes as [index, label, guess].
    evaluate(images, labels, gallery = 24) {
      const logits = new Float64Array(CLASSES), units = new Float32Array(this.hidden), mistakes = [];
      const confusion = Array.from({ length: CLASSES }, () => new Array(CLASSES).fill(0));
      let loss = 0, right = 0;
      for (let n = 0; n < labels.length; n++) {
        this.one(images, n, units, logits);
        const chances = softmax(logits), guess = argmax(logits);
        loss -= Math.log(Math.max(chances[labels[n]], 1e-300));
        right += guess === labels[n];
        confusion[labels[n]][guess]++;
        if (guess !== labels[n]) mistakes.push([n, labels[n], guess, chances[labels[n]]]);
      }
      mistakes.sort((a, b) => a[3] - b[3]);
      return { loss: loss / labels.length, accuracy: right / labels.length, confusion, mistakes: mistakes.slice(0, gallery).map((one) => one.slice(0, 3)) };
    }
  }

  // ---- data -------------------------------------------------------------------------------------------------------

  // The array of an IDX file of bytes: its shape and values.
  function parseIDX(bytes) {
    if (bytes.length < 4 || bytes[0] || bytes[1] || bytes[2] !== 8) throw new Error("this is not an IDX file of bytes");
    const axes = bytes[3], start = 4 + 4 * axes, view = new DataView(bytes.buffer, bytes.byteOffset);
    if (bytes.length < start || !axes) throw new Error("this IDX file is cut short");
    const shape = Array.from({ length: axes }, (_, i) => view.getUint32(4 + 4 * i));
    if (product(shape) !== bytes.length - start) throw new Error(`this IDX file promises ${shape.join(" x ")} bytes and holds ${bytes.length - start}`);
    return { shape, values: bytes.subarray(start) };
  }

  return { SIDE, PIXELS, CLASSES, TARGET, STANDARD, UNIT, boxOf, scaleOf, toDigit, parseSafetensors, dumpSafetensors, plan, readModel,
    forward, field, softmax, argmax, findPixels, random, shuffled, makeMLP, Trainer, parseIDX };
}

if (typeof module !== "undefined") module.exports = makeEngine;
