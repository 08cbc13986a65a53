// The thread that computes, so that the page never waits: it answers one message after the other.
"use strict";

function runWorker(engine, post, GPUTrainer) {
  const models = {}, data = {};
  let training = null;

  // What may go to the page about a model.
  const about = (key) => ({
    key, title: models[key].title, pixels: models[key].pixels, trained: trained(models[key].texts),
    layers: models[key].layers.map(({ kind, size }) => ({ kind, size })),
    units: engine.forward(models[key], new Float32Array(engine.PIXELS)).map(({ shape }) => shape),
  });

  // What a file says about its training.
  function trained(texts) {
    const said = {};
    for (const name of ["data", "epochs", "seed", "accuracy", "milestone"])
      try { said[name] = JSON.parse(texts[name]); } catch { /* not said */ }
    return said;
  }

  const answers = {
    load({ key, bytes }) {
      const model = engine.readModel(bytes);
      if (!model.pixels) model.pixels = data.test ? engine.findPixels(model, data.test.images, data.test.labels) : engine.STANDARD;
      models[key] = model;
      post({ type: "loaded", ...about(key) });
    },
    predict({ id, model, digit, off }) {
      const began = performance.now(), outputs = engine.forward(models[model], digit, off);
      post({ type: "prediction", id, model, milliseconds: performance.now() - began, outputs: outputs.map(({ shape, values }) => ({ shape, values })),
        chances: engine.softmax(outputs.at(-1).values) });
    },
    field({ id, model, digit, off, layer, unit }) {
      post({ type: "field", id, layer, unit, values: engine.field(models[model], digit, layer, unit, off) });
    },
    data({ train, test }) {
      Object.assign(data, { train, test });
      post({ type: "data", train: train.labels.length, test: test.labels.length });
    },
    async train(options) {
      if (training) throw new Error("a training is running: stop it first");
      const next = engine.random(options.seed), trainer = new engine.Trainer(engine.makeMLP(options.hidden, next));
      const run = training = { ...options, next, trainer, epoch: 0, place: 0, seconds: 0, paused: false, order: null, together: 4 };
      if (options.device === "webgpu") {
        try { run.gpu = await GPUTrainer.start(trainer, data.train, options.batch); post({ type: "note", text: "Training on the graphics processor." }); }
        catch (error) { post({ type: "note", text: `Training in JavaScript instead: ${error.message}.` }); }
      }
      await turn();
    },
    pause() { if (training) { training.paused = true; post({ type: "paused" }); } },
    resume() { if (training && training.paused) { training.paused = false; turn(); } },
    async stop() {
      if (!training) return;
      if (training.gpu) await training.gpu.finish();
      finish("stopped");
    },
    save({ key }) {
      const model = models[key], told = JSON.stringify({ layers: model.layers, pixels: model.pixels, title: model.title });
      post({ type: "saved", key, bytes: engine.dumpSafetensors(model.arrays, { ...model.texts, sha256: undefined, "tinytorch.page": told }) });
    },
  };

  // Train for a moment, report, and let other messages through before the next moment.
  async function turn() {
    const run = training, { images, labels } = data.train, began = performance.now();
    if (!run || run.paused) return;
    let loss = 0, right = 0, seen = 0;
    while (performance.now() - began < 100) {
      if (!run.order) {
        Object.assign(run, { order: engine.shuffled(labels.length, run.next), place: 0, loss: 0, right: 0 });
        if (run.gpu) run.gpu.setOrder(run.order);
      }
      for (const { result, count } of run.gpu ? await onGPU(run, labels.length) : inJavaScript(run, images, labels)) {
        loss += result.loss * count; right += result.right; seen += count;
        run.loss += result.loss * count; run.right += result.right; run.place += count;
        if (!Number.isFinite(result.loss)) { training = null; throw new Error("the loss is not a number any more: choose a smaller learning rate"); }
      }
      if (run.place >= labels.length) break;
    }
    run.seconds += (performance.now() - began) / 1000;
    if (training !== run) return;
    post({ type: "progress", epoch: run.epoch, done: run.place / labels.length, loss: loss / seen, accuracy: right / seen, seconds: run.seconds });
    if (run.place >= labels.length) {
      run.epoch++; run.order = null;
      if (run.gpu) await run.gpu.finish();
      if (training !== run) return;
      measured("epoch");
      if (run.epoch >= run.epochs) return finish("done");
    }
    channel.port2.postMessage(null);
  }

  const channel = new MessageChannel();   // unlike a timer, it does not wait four milliseconds
  channel.port1.onmessage = () => guarded(turn);

  // One step on the next batch.
  function inJavaScript(run, images, labels) {
    const batch = run.order.subarray(run.place, run.place + run.batch);
    return [{ result: run.trainer.step(images, labels, batch, run.lr), count: batch.length }];
  }

  // The next steps on the graphics processor, as many at a time as take about a twentieth of a second.
  async function onGPU(run, total) {
    const batches = [], began = performance.now();
    for (let place = run.place; place < total && batches.length < run.together; place += run.batch) batches.push([place, Math.min(run.batch, total - place)]);
    const results = await run.gpu.steps(batches, run.lr);
    if (performance.now() - began < 50) run.together = Math.min(run.gpu.most, 2 * run.together);
    return results.map((result, i) => ({ result, count: batches[i][1] }));
  }

  // Put the trained network among the models, and report how it does on the held-out digits.
  function measured(type) {
    const { trainer, epoch, epochs, hidden, batch, lr, seed, seconds, loss, right } = training, count = data.train.labels.length;
    const result = trainer.evaluate(data.test.images, data.test.labels), model = trainer.model();
    model.texts = { milestone: '"trained in the page"', epochs: String(epoch), seed: String(seed), accuracy: String(result.accuracy), choices: JSON.stringify({ hidden, batch, lr }) };
    models.trained = model;
    post({ type, ...result, epoch, epochs, seconds, train: { loss: loss / count, accuracy: right / count }, model: about("trained") });
  }

  function finish(how) {
    const { epoch, epochs } = training;
    if (how === "stopped") measured("epoch");
    training = null;
    post({ type: "finished", how, epoch, epochs });
  }

  // Run a function; what goes wrong in it is told to the page.
  async function guarded(work, id) {
    try { await work(); } catch (error) { post({ type: "error", id, text: error.message }); }
  }

  return (message) => guarded(() => answers[message.type](message), message.id);
}
