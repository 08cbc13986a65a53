// What the user sees and does: it asks the thread that computes, or a server, and shows the answers.
"use strict";

(() => {
  const engine = makeEngine(), $ = (id) => document.getElementById(id);
  const state = { model: null, models: {}, digit: null, off: [], chosen: null, busy: false, waiting: false, curves: null, data: null };

  // ---- whom to ask ------------------------------------------------------------------------------------------------

  // A worker made of the functions' own text: from a page opened as a file, no script of its own could be loaded.
  function startWorker() {
    const source = `${makeEngine}\n${makeWebGPU}\n${runWorker}\nconst engine = makeEngine(), answer = runWorker(engine, (message) => postMessage(message), makeWebGPU(engine));\nonmessage = (event) => answer(event.data);`;
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    worker.onmessage = (event) => hear(event.data);
    worker.onerror = (event) => hear({ type: "error", text: event.message });
    return (message) => worker.postMessage(message);
  }

  const remote = window.TINYTORCH_SERVER ? startRemote(window.TINYTORCH_SERVER, (message) => hear(message)) : null;
  const ask = remote || startWorker();

  function hear(message) {
    ({ loaded, prediction, field: showField, data: dataReady, progress, epoch: epochDone, finished, paused, saved, note, error: failed }[message.type])(message);
  }

  // ---- networks ---------------------------------------------------------------------------------------------------

  const NAMES = { lenet5: "LeNet-5", mlp: "MLP", own: "Your file", trained: "Trained here" };

  function loaded(about) {
    state.models[about.key] = about;
    if (![...$("model").options].some((option) => option.value === about.key)) $("model").add(new Option("", about.key));
    [...$("model").options].find((option) => option.value === about.key).text = `${NAMES[about.key] || about.key} (${about.title})`;
    $("problem").textContent = "";
    if (!state.model || about.key === "own") choose(about.key);
    else if (about.key === state.model) choose(about.key);
  }

  function choose(key) {
    const same = key === state.model, there = ({ layer, unit }) => unit < (state.models[key].units[layer] || [0])[0];
    $("model").value = state.model = key;
    state.off = same ? state.off.filter(([layer, unit]) => there({ layer, unit })) : [];
    if (!same || (state.chosen && !there(state.chosen))) state.chosen = null;
    const { trained, pixels } = state.models[key], said = [];
    if (trained.data) said.push(`trained on ${trained.data}`);
    if (trained.epochs) said.push(`${trained.epochs} epochs`);
    if (trained.accuracy) said.push(`${(100 * trained.accuracy).toFixed(2)} % of the test digits`);
    said.push(pixels[0] ? "pixels standardised" : "pixels from 0 to 1");
    $("about").textContent = said.join(", ");
    buildLayers();
    showChosen();
    predict();
  }

  async function openModel(file) {
    if (!file) return;
    if (file.size > 64 * 2 ** 20) return failed({ text: `${file.name} has more than 64 MB` });
    ask({ type: "load", key: "own", bytes: await file.arrayBuffer() });
  }

  // ---- predictions: one is on its way at a time, and the newest drawing is always asked about ---------------------

  function predict() {
    if (!state.digit || !state.model) return showPrediction(null);
    if (state.busy) { state.waiting = true; return; }
    state.busy = true;
    state.waiting = false;
    ask({ type: "predict", model: state.model, digit: state.digit, off: state.off });
    if (state.chosen) ask({ type: "field", model: state.model, digit: state.digit, off: state.off, ...state.chosen });
  }

  function prediction(answer) {
    state.busy = false;
    if (remote) $("problem").textContent = "";   // an exception of the package that is over
    if (state.waiting) return predict();
    if (state.digit && answer.model === state.model) showPrediction(answer);
  }

  function showPrediction(answer) {
    state.shown = answer;
    $("bars").querySelectorAll("li").forEach((item, i) => {
      const chance = answer ? answer.chances[i] : 0;
      item.querySelector(".bar span").style.width = `${100 * chance}%`;
      item.querySelector("output").textContent = answer ? `${(100 * chance).toFixed(1)} %` : "";
      item.classList.toggle("best", Boolean(answer) && i === engine.argmax(answer.chances));
    });
    const best = answer && engine.argmax(answer.chances);
    $("said").textContent = answer ? `This is a ${best}, with a probability of ${(100 * answer.chances[best]).toFixed(1)} %.`
      : "Draw something: an empty pad has no prediction.";
    showLayers(answer);
  }

  // ---- the layers -------------------------------------------------------------------------------------------------

  const WORDS = { conv2d: "Convolution", max_pool2d: "Max-pool", relu: "ReLU", linear: "Linear" };

  function buildLayers() {
    const { layers, units } = state.models[state.model];
    $("layers").replaceChildren(...layers.flatMap(({ kind }, layer) => {
      if (kind === "flatten") return [];
      const shape = units[layer], block = document.createElement("div"), row = document.createElement("div"), title = document.createElement("h3");
      block.className = "layer"; row.className = "units"; row.dataset.layer = layer;
      title.textContent = `${WORDS[kind]}: ${shape.length > 1 ? `${shape[0]} maps of ${shape[1]} by ${shape[2]}` : `${shape[0]} neurons`}`;
      row.setAttribute("role", "group"); row.setAttribute("aria-label", title.textContent);
      for (let unit = 0; unit < shape[0]; unit++) row.append(unitButton(layer, unit, shape));
      block.append(title, row);
      return [block];
    }));
  }

  function unitButton(layer, unit, shape) {
    const button = document.createElement("button");
    button.className = "unit"; button.dataset.unit = unit; button.tabIndex = unit ? -1 : 0;
    button.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-label", `${shape.length > 1 ? "map" : "neuron"} ${unit}`);
    if (shape.length > 1) {
      const canvas = document.createElement("canvas");
      canvas.width = shape[2]; canvas.height = shape[1]; canvas.className = shape[1] < 12 ? "small" : "";
      button.append(canvas);
    }
    button.onclick = () => { state.chosen = { layer, unit }; showChosen(); };
    button.onkeydown = (event) => {
      const ahead = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 10, ArrowUp: -10, Home: -unit, End: shape[0] - 1 - unit }[event.key];
      if (ahead !== undefined) {
        event.preventDefault();
        const all = button.parentElement.children, next = all[Math.min(shape[0] - 1, Math.max(0, unit + ahead))];
        button.tabIndex = -1; next.tabIndex = 0; next.focus();
      } else if (["x", "X", "Delete"].includes(event.key)) { state.chosen = { layer, unit }; toggle(); }
    };
    return button;
  }

  const isDark = () => (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const isOff = (layer, unit) => state.off.some(([l, u]) => l === layer && u === unit);

  function showLayers(answer) {
    const dark = isDark();
    for (const row of $("layers").querySelectorAll(".units")) {
      const layer = Number(row.dataset.layer), output = answer && answer.outputs[layer];
      const values = output ? output.values : [], most = values.length ? values.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-9) : 1;
      const each = output ? values.length / output.shape[0] : 0;
      [...row.children].forEach((button, unit) => {
        button.classList.toggle("off", isOff(layer, unit));
        const canvas = button.firstElementChild;
        if (canvas) paint(canvas, output ? values.slice(unit * each, (unit + 1) * each) : null, most, dark);
        else {
          button.style.background = output ? `rgb(${shade(values[unit] / most, dark)})` : "";
          button.title = output ? values[unit].toPrecision(3) : "";
        }
      });
    }
    if (state.chosen && state.shown) describe();
  }

  // Blue for positive, orange for negative, the background's colour for 0.
  function shade(value, dark) {
    const zero = dark ? [29, 33, 41] : [255, 255, 255], full = value > 0 ? (dark ? [110, 175, 255] : [20, 90, 200]) : (dark ? [255, 160, 80] : [200, 90, 0]);
    return zero.map((start, i) => Math.round(start + (full[i] - start) * Math.min(1, Math.abs(value))));
  }

  function paint(canvas, values, most, dark) {
    const context = canvas.getContext("2d");
    if (!values) return context.clearRect(0, 0, canvas.width, canvas.height);
    const image = context.createImageData(canvas.width, canvas.height);
    values.forEach((value, i) => image.data.set([...shade(value / most, dark), 255], 4 * i));
    context.putImageData(image, 0, 0);
  }

  // ---- one neuron -------------------------------------------------------------------------------------------------

  function showChosen() {
    for (const button of $("layers").querySelectorAll(".unit")) {
      const chosen = state.chosen && Number(button.parentElement.dataset.layer) === state.chosen.layer && Number(button.dataset.unit) === state.chosen.unit;
      button.setAttribute("aria-pressed", String(Boolean(chosen)));
    }
    $("switch").disabled = !state.chosen;
    $("all-on").disabled = !state.off.length;
    if (!state.chosen) { $("chosen").textContent = "No neuron chosen."; $("field").getContext("2d").clearRect(0, 0, 28, 28); return; }
    describe();
    ask({ type: "field", model: state.model, digit: state.digit || new Float32Array(engine.PIXELS), off: state.off, ...state.chosen });
  }

  function describe() {
    const { layer, unit } = state.chosen, { layers, units } = state.models[state.model], off = isOff(layer, unit);
    const output = state.shown && state.shown.outputs[layer], single = units[layer].length === 1;
    const value = output && single ? `, value ${output.values[unit].toPrecision(3)}` : "";
    $("chosen").textContent = `${WORDS[layers[layer].kind]}, ${single ? "neuron" : "map"} ${unit}${value}${off ? ", switched off" : ""}.`;
    $("switch").textContent = off ? "Switch on" : "Switch off";
  }

  function showField({ layer, unit, values }) {
    if (!state.chosen || state.chosen.layer !== layer || state.chosen.unit !== unit) return;
    paint($("field"), values, values.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-12), isDark());
  }

  function toggle() {
    const { layer, unit } = state.chosen;
    state.off = isOff(layer, unit) ? state.off.filter(([l, u]) => l !== layer || u !== unit) : [...state.off, [layer, unit]];
    showChosen(); showLayers(state.shown); predict();
  }

  // ---- training ---------------------------------------------------------------------------------------------------

  function dataReady({ train, test, name }) {
    state.data = { train, test };
    $("data").textContent = `${train.toLocaleString("en")} digits to learn from, ${test.toLocaleString("en")} held out (${name || state.dataName}).`;
    $("start").disabled = false;
  }

  function startTraining(event) {
    event.preventDefault();
    const number = (id) => Number($(id).value);
    state.curves = { loss: [], accuracy: [], epochs: number("epochs") };
    $("training-problem").textContent = $("device-note").textContent = ""; $("progress").textContent = "starting";
    $("mistakes").replaceChildren(); $("confusion").replaceChildren();
    ask({ type: "train", hidden: number("hidden"), epochs: number("epochs"), batch: number("batch"), lr: number("lr"), seed: number("seed"), device: $("device").value });
    running(true);
  }

  function running(on) {
    for (const [id, enabled] of Object.entries({ start: !on, pause: on, stop: on, idx: !on })) $(id).disabled = !enabled;
    $("pause").textContent = "Pause";
    state.paused = false;
  }

  function progress({ epoch, done, loss, accuracy, seconds }) {
    if (!state.curves) return;   // a training of another tab
    state.curves.loss.push([epoch + done, loss]);
    const rate = state.data.train * (epoch + done) / seconds;
    const right = accuracy === undefined ? "" : `${(100 * accuracy).toFixed(1)} % right, `;
    $("progress").textContent = `Epoch ${epoch + 1} of ${state.curves.epochs}, ${Math.round(100 * done)} %: loss ${loss.toFixed(3)}, ${right}${Math.round(rate).toLocaleString("en")} digits a second, ${seconds.toFixed(1)} s`;
    drawCurves();
  }

  function epochDone(result) {
    loaded(result.model);
    if (!state.curves) return;
    state.curves.accuracy.push([result.epoch, result.accuracy]);
    state.result = result;
    if (result.epoch === 1 || result.epoch >= result.epochs) choose(result.model.key);
    $("save").disabled = false;
    drawCurves(); showConfusion(result.confusion); showMistakes(result.mistakes);
  }

  function finished({ how, epoch, epochs }) {
    running(false);
    const { loss, accuracy, seconds } = state.result || {};
    $("progress").textContent = `${how === "done" ? "Trained for" : "Stopped after"} ${epoch} of ${epochs} epochs in ${(seconds || 0).toFixed(1)} s: ${(100 * (accuracy || 0)).toFixed(1)} % of the held-out digits are right, loss ${(loss || 0).toFixed(3)}.`;
  }

  function paused() { state.paused = true; $("pause").textContent = "Resume"; $("progress").textContent += ", paused"; }

  function note({ text }) { $("device-note").textContent = text; }

  function saved({ bytes }) { download(new Blob([bytes]), "trained-in-the-page.safetensors"); }

  function failed({ text }) {
    state.busy = false;
    const inTraining = $("stop").disabled === false;
    $(inTraining ? "training-problem" : "problem").textContent = text;
    if (inTraining) running(false);
  }

  function drawCurves() {
    const { loss, accuracy, epochs } = state.curves, highest = Math.max(0.5, ...loss.map(([, y]) => y));
    const x = (epoch) => 34 + 292 * epoch / epochs, y = (part) => 180 - 165 * part;
    const path = (points) => points.map(([a, b], i) => `${i ? "L" : "M"}${x(a).toFixed(1)},${y(b).toFixed(1)}`).join("");
    $("curves").innerHTML = `<path class="axis" d="M34,15V180H326V15"/><text x="4" y="20">${highest.toFixed(1)}</text><text x="12" y="184">0</text>
      <text x="329" y="20">100%</text><text x="329" y="184">0%</text><text x="150" y="196">${epochs} epochs</text>
      <path class="l" d="${path(loss.map(([a, b]) => [a, b / highest]))}"/><path class="a" d="${path([[0, 0.1], ...accuracy])}"/>`;
  }

  function showConfusion(counts) {
    const cells = (tag, values, kind = () => "") => values.map((value, i) => `<${tag}${kind(value, i)}>${value}</${tag}>`).join("");
    const most = Math.max(1, ...counts.flatMap((row, i) => row.filter((_, j) => j !== i)));
    $("confusion").innerHTML = `<table><caption>Rows: what it is. Columns: what it was taken for.</caption><thead><tr><td></td>${cells("th scope=col", [...counts.keys()]).replaceAll("</th scope=col>", "</th>")}</tr></thead><tbody>${counts.map((row, i) =>
      `<tr><th scope="row">${i}</th>${cells("td", row, (value, j) => (i === j ? ' class="hit"' : value > most / 2 ? ' class="miss"' : ""))}</tr>`).join("")}</tbody></table>`;
  }

  function showMistakes(mistakes) {
    $("mistakes").replaceChildren(...mistakes.map(([index, label, guess]) => {
      const button = document.createElement("button"), canvas = document.createElement("canvas"), picture = testDigit(index);
      canvas.width = canvas.height = 28;
      grey(canvas, Float32Array.from(picture, (value) => value / 255));
      button.append(canvas, `${label} as ${guess}`);
      button.setAttribute("aria-label", `A ${label} taken for a ${guess}: send to canvas`);
      button.title = "send to canvas";
      button.onclick = () => { pad.put(picture); $("truth").textContent = `Held-out digit ${index}: a ${label}.`; $("pad").focus(); };
      return button;
    }));
    if (!mistakes.length) $("mistakes").textContent = "None.";
  }

  // ---- digits -----------------------------------------------------------------------------------------------------

  const testDigit = (index) => state.test.images.subarray(engine.PIXELS * index, engine.PIXELS * (index + 1));

  function grey(canvas, digit) {
    const context = canvas.getContext("2d"), image = context.createImageData(28, 28);
    image.data.fill(255);
    (digit || new Float32Array(engine.PIXELS)).forEach((value, i) => image.data.fill(Math.round(255 * value), 4 * i, 4 * i + 3));
    context.putImageData(image, 0, 0);
  }

  function randomDigit() {
    if (!state.test) return;
    const index = Math.floor(Math.random() * state.test.labels.length);
    pad.put(testDigit(index));
    $("truth").textContent = `Test digit ${index}: a ${state.test.labels[index]}.`;
  }

  async function unpacked(bytes) {
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")).getReader(), parts = [];
    let size = 0;
    for (let part; !(part = await reader.read()).done;) {
      parts.push(part.value);
      if ((size += part.value.length) > 64 * 2 ** 20) { reader.cancel(); throw new Error("more than 64 MB unpacked: these are not MNIST's files"); }
    }
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  }

  const decoded = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  function useData(train, test, name) {
    state.test = test; state.dataName = name;
    ask({ type: "data", train, test });
  }

  async function openDigits(files) {
    try {
      const sets = { images: {}, labels: {} };
      for (const file of files) {
        if (file.size > 64 * 2 ** 20) throw new Error(`${file.name} has more than 64 MB`);
        const { shape, values } = engine.parseIDX(await unpacked(new Uint8Array(await file.arrayBuffer())));
        const part = /t10k|test/i.test(file.name) ? "test" : "train";
        if (shape.length === 3 && shape[1] === 28 && shape[2] === 28) sets.images[part] = values;
        else if (shape.length === 1 && values.every((label) => label < 10)) sets.labels[part] = values;
        else throw new Error(`${file.name} holds ${shape.join(" x ")}: images are N x 28 x 28, labels N numbers below 10`);
      }
      const { train: images } = sets.images, { train: labels } = sets.labels;
      if (!images || !labels || images.length !== 784 * labels.length) throw new Error("choose the training images and their labels together, and the test files if you have them");
      const all = { images, labels }, held = { images: sets.images.test, labels: sets.labels.test };
      if (held.images && held.labels && held.images.length === 784 * held.labels.length) return useData(all, held, "your files");
      const kept = labels.length - Math.ceil(labels.length / 10);
      useData({ images: images.slice(0, 784 * kept), labels: labels.slice(0, kept) }, { images: images.slice(784 * kept), labels: labels.slice(kept) }, "your files, the last tenth held out");
    } catch (error) { $("training-problem").textContent = error.message; }
  }

  function download(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob); link.download = name; link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // ---- beginning --------------------------------------------------------------------------------------------------

  $("bars").innerHTML = Array.from({ length: 10 }, (_, i) => `<li><b>${i}</b><span class="bar"><span></span></span><output aria-label="probability of ${i}"></output></li>`).join("");
  const pad = new Pad($("pad"), engine, (digit) => {
    state.digit = digit;
    $("download").disabled = !digit;
    if (!pad || !pad.picture) $("truth").textContent = "";
    grey($("seen"), digit);
    predict();
  });
  grey($("seen"), null);
  $("undo").onclick = () => pad.undo();
  $("clear").onclick = () => pad.clear();
  $("eraser").onclick = () => { pad.erasing = !pad.erasing; $("eraser").setAttribute("aria-pressed", String(pad.erasing)); };
  $("random").onclick = randomDigit;
  $("download").onclick = () => $("seen").toBlob((blob) => download(blob, "digit-28x28.png"));
  $("model").onchange = () => choose($("model").value);
  $("switch").onclick = toggle;
  $("all-on").onclick = () => { state.off = []; showChosen(); showLayers(state.shown); predict(); };
  $("open").onchange = (event) => { openModel(event.target.files[0]); event.target.value = ""; };
  $("idx").onchange = (event) => openDigits([...event.target.files]);
  document.addEventListener("dragover", (event) => { event.preventDefault(); $("drop").classList.add("over"); });
  document.addEventListener("dragleave", () => $("drop").classList.remove("over"));
  document.addEventListener("drop", (event) => { event.preventDefault(); $("drop").classList.remove("over"); openModel(event.dataTransfer.files[0]); });
  $("training").onsubmit = startTraining;
  $("pause").onclick = () => { ask({ type: state.paused ? "resume" : "pause" }); if (state.paused) { state.paused = false; $("pause").textContent = "Pause"; } };
  $("stop").onclick = () => ask({ type: "stop" });
  $("save").onclick = () => ask({ type: "save", key: "trained" });
  for (const [source, name] of [[matchMedia("(prefers-color-scheme: dark)"), "change"], [window, "themechange"]])
    source.addEventListener(name, () => { showLayers(state.shown); if (state.chosen) showChosen(); });

  async function begin() {
    const sets = {};
    for (const [part, { images, labels }] of Object.entries(TINYTORCH_DIGITS)) {
      const [pictures, classes] = await Promise.all([images, labels].map((text) => unpacked(decoded(text))));
      sets[part] = { images: engine.parseIDX(pictures).values, labels: engine.parseIDX(classes).values };
    }
    useData(sets.train, sets.test, "the MNIST digits that come with the course");
    if (!remote) for (const [key, text] of Object.entries(TINYTORCH_MODELS)) ask({ type: "load", key, bytes: decoded(text).buffer });
  }
  window.tinytorchPage = { engine, state, pad, ask };
  begin().catch((error) => failed({ text: error.message }));
})();
