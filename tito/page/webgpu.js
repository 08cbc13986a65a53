// Training an MLP on the graphics processor, where the browser has WebGPU: the same steps as the engine's Trainer.
"use strict";

function makeWebGPU(engine) {
  const { PIXELS, CLASSES } = engine;

  // Five kernels take one step. One thread computes one number, or for the losses one digit.
  const CODE = `
    struct Step { count: u32, hidden: u32, first: u32, at: u32, lr: f32 };
    @group(0) @binding(0) var<uniform> s: Step;
    @group(0) @binding(1) var<storage, read> images: array<u32>;          // four pixels in each
    @group(0) @binding(2) var<storage, read> labels: array<u32>;
    @group(0) @binding(3) var<storage, read> order: array<u32>;
    @group(0) @binding(4) var<storage, read_write> weights: array<f32>;   // first, its bias, second, its bias
    @group(0) @binding(5) var<storage, read_write> units: array<f32>;     // hidden units, then their gradients
    @group(0) @binding(6) var<storage, read_write> errors: array<f32>;    // gradients of the logits
    @group(0) @binding(7) var<storage, read_write> told: array<f32>;      // loss and right answers of each step

    fn pixel(n: u32, i: u32) -> f32 {
      let place = order[s.first + n] * ${PIXELS}u + i;
      return f32((images[place / 4u] >> (8u * (place % 4u))) & 255u) / 255.0;
    }
    fn bias1() -> u32 { return ${PIXELS}u * s.hidden; }
    fn second() -> u32 { return bias1() + s.hidden; }
    fn bias2() -> u32 { return second() + ${CLASSES}u * s.hidden; }

    @compute @workgroup_size(64) fn forward(@builtin(global_invocation_id) id: vec3<u32>) {
      let n = id.x / s.hidden; let j = id.x % s.hidden;
      if (n >= s.count) { return; }
      var sum = weights[bias1() + j];
      for (var i = 0u; i < ${PIXELS}u; i++) { sum += pixel(n, i) * weights[i * s.hidden + j]; }
      units[n * s.hidden + j] = max(sum, 0.0);
    }

    @compute @workgroup_size(64) fn losses(@builtin(global_invocation_id) id: vec3<u32>) {
      let n = id.x;
      if (n >= s.count) { return; }
      var logits: array<f32, ${CLASSES}>;
      var most = -1e30; var best = 0u;
      for (var o = 0u; o < ${CLASSES}u; o++) {
        var sum = weights[bias2() + o];
        for (var j = 0u; j < s.hidden; j++) { sum += weights[second() + o * s.hidden + j] * units[n * s.hidden + j]; }
        logits[o] = sum;
        if (sum > most) { most = sum; best = o; }
      }
      var total = 0.0;
      for (var o = 0u; o < ${CLASSES}u; o++) { total += exp(logits[o] - most); }
      let label = labels[order[s.first + n]];
      for (var o = 0u; o < ${CLASSES}u; o++) {
        errors[n * ${CLASSES}u + o] = (exp(logits[o] - most) / total - select(0.0, 1.0, o == label)) / f32(s.count);
      }
      errors[${CLASSES}u * s.count + n] = log(total) + most - logits[label];
      errors[${CLASSES + 1}u * s.count + n] = select(0.0, 1.0, best == label);
    }

    @compute @workgroup_size(64) fn hiddenErrors(@builtin(global_invocation_id) id: vec3<u32>) {
      let n = id.x / s.hidden; let j = id.x % s.hidden;
      if (n >= s.count) { return; }
      var sum = 0.0;
      for (var o = 0u; o < ${CLASSES}u; o++) { sum += errors[n * ${CLASSES}u + o] * weights[second() + o * s.hidden + j]; }
      let size = s.count * s.hidden;
      units[size + n * s.hidden + j] = select(0.0, sum, units[n * s.hidden + j] > 0.0);
    }

    @compute @workgroup_size(64) fn update(@builtin(global_invocation_id) id: vec3<u32>) {
      let place = id.x; let size = s.count * s.hidden;
      if (place >= bias2() + ${CLASSES}u) {
        if (place == bias2() + ${CLASSES}u) {
          var loss = 0.0; var right = 0.0;
          for (var n = 0u; n < s.count; n++) { loss += errors[${CLASSES}u * s.count + n]; right += errors[${CLASSES + 1}u * s.count + n]; }
          told[2u * s.at] = loss / f32(s.count); told[2u * s.at + 1u] = right;
        }
        return;
      }
      var sum = 0.0;
      if (place < bias1()) {
        let i = place / s.hidden; let j = place % s.hidden;
        for (var n = 0u; n < s.count; n++) { sum += pixel(n, i) * units[size + n * s.hidden + j]; }
      } else if (place < second()) {
        for (var n = 0u; n < s.count; n++) { sum += units[size + n * s.hidden + place - bias1()]; }
      } else if (place < bias2()) {
        let o = (place - second()) / s.hidden; let j = (place - second()) % s.hidden;
        for (var n = 0u; n < s.count; n++) { sum += errors[n * ${CLASSES}u + o] * units[n * s.hidden + j]; }
      } else {
        for (var n = 0u; n < s.count; n++) { sum += errors[n * ${CLASSES}u + place - bias2()]; }
      }
      weights[place] -= s.lr * sum;
    }`;
  const KERNELS = ["forward", "losses", "hiddenErrors", "update"], SLOT = 256;   // bytes between the settings of two steps

  // Trains like the engine's Trainer, whose weights it takes and gives back.
  class GPUTrainer {
    static async start(trainer, { images, labels }, batch) {
      const adapter = typeof navigator !== "undefined" && navigator.gpu ? await navigator.gpu.requestAdapter() : null;
      if (!adapter) throw new Error("this browser offers no graphics processor to WebGPU");
      const device = await adapter.requestDevice(), gpu = new GPUTrainer();
      Object.assign(gpu, { trainer, device, batch, hidden: trainer.hidden, most: 256 });
      const { STORAGE, UNIFORM, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
      const buffer = (size, usage) => device.createBuffer({ size: Math.ceil(size / 4) * 4, usage });
      const numbers = PIXELS * gpu.hidden + gpu.hidden + CLASSES * gpu.hidden + CLASSES;
      gpu.buffers = {
        settings: buffer(SLOT * gpu.most, UNIFORM | COPY_DST), images: buffer(images.length, STORAGE | COPY_DST), labels: buffer(4 * labels.length, STORAGE | COPY_DST),
        order: buffer(4 * labels.length, STORAGE | COPY_DST), weights: buffer(4 * numbers, STORAGE | COPY_DST | COPY_SRC), units: buffer(8 * batch * gpu.hidden, STORAGE),
        errors: buffer(4 * (CLASSES + 2) * batch, STORAGE), told: buffer(8 * gpu.most, STORAGE | COPY_SRC), read: buffer(Math.max(4 * numbers, 8 * gpu.most), COPY_DST | MAP_READ),
      };
      gpu.numbers = numbers;
      device.queue.writeBuffer(gpu.buffers.images, 0, images);
      device.queue.writeBuffer(gpu.buffers.labels, 0, Uint32Array.from(labels));
      const all = new Float32Array(numbers);
      all.set(trainer.first); all.set(trainer.firstBias, PIXELS * gpu.hidden);
      all.set(trainer.second, (PIXELS + 1) * gpu.hidden); all.set(trainer.secondBias, (PIXELS + 1 + CLASSES) * gpu.hidden);
      device.queue.writeBuffer(gpu.buffers.weights, 0, all);
      const types = ["uniform", "read-only-storage", "read-only-storage", "read-only-storage", "storage", "storage", "storage", "storage"];
      const layout = device.createBindGroupLayout({ entries: types.map((type, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type, hasDynamicOffset: binding === 0 } })) });
      const names = ["settings", "images", "labels", "order", "weights", "units", "errors", "told"];
      gpu.group = device.createBindGroup({ layout, entries: names.map((name, binding) => ({ binding, resource: { buffer: gpu.buffers[name], ...(binding ? {} : { size: 32 }) } })) });
      const module = device.createShaderModule({ code: CODE }), pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
      gpu.pipelines = Object.fromEntries(KERNELS.map((entryPoint) => [entryPoint, device.createComputePipeline({ layout: pipelineLayout, compute: { module, entryPoint } })]));
      return gpu;
    }

    setOrder(order) { this.device.queue.writeBuffer(this.buffers.order, 0, order); }

    // Take several steps, on batches that begin at these places of the order; return the loss and right answers of each.
    async steps(batches, lr) {
      const { device, buffers, hidden } = this, encoder = device.createCommandEncoder();
      batches.forEach(([first, count], at) => {
        const settings = new ArrayBuffer(32);
        new Uint32Array(settings).set([count, hidden, first, at]);
        new Float32Array(settings)[4] = lr;
        device.queue.writeBuffer(buffers.settings, SLOT * at, settings);
        const threads = { forward: count * hidden, losses: count, hiddenErrors: count * hidden, update: this.numbers + 1 };
        for (const name of KERNELS) {
          const pass = encoder.beginComputePass();
          pass.setPipeline(this.pipelines[name]); pass.setBindGroup(0, this.group, [SLOT * at]);
          pass.dispatchWorkgroups(Math.ceil(threads[name] / 64)); pass.end();
        }
      });
      encoder.copyBufferToBuffer(buffers.told, 0, buffers.read, 0, 8 * batches.length);
      device.queue.submit([encoder.finish()]);
      const told = await this.read(8 * batches.length);
      return batches.map((_, at) => ({ loss: told[2 * at], right: told[2 * at + 1] }));
    }

    async read(size) {
      const { read } = this.buffers;
      await read.mapAsync(GPUMapMode.READ, 0, size);
      const values = new Float32Array(read.getMappedRange(0, size).slice(0));
      read.unmap();
      return values;
    }

    // Give the weights back to the engine's Trainer, which measures and saves.
    async finish() {
      const encoder = this.device.createCommandEncoder(), { trainer, hidden } = this;
      encoder.copyBufferToBuffer(this.buffers.weights, 0, this.buffers.read, 0, 4 * this.numbers);
      this.device.queue.submit([encoder.finish()]);
      const all = await this.read(4 * this.numbers), parts = [PIXELS * hidden, hidden, CLASSES * hidden, CLASSES];
      let from = 0;
      for (const [i, name] of ["first", "firstBias", "second", "secondBias"].entries()) trainer[name].set(all.subarray(from, (from += parts[i])));
    }
  }

  return GPUTrainer;
}

if (typeof module !== "undefined") module.exports = makeWebGPU;
