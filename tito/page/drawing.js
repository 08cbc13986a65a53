// The pad: strokes by mouse, finger, pen or keyboard, which can be undone, and the digit of 28 by 28 that they make.
"use strict";

class Pad {
  // `canvas` is the square to draw on; `changed` is called after every change with the digit, or with null if it is empty.
  constructor(canvas, engine, changed) {
    Object.assign(this, { canvas, engine, changed, strokes: [], picture: null, erasing: false, cursor: null, pen: null, pending: null });
    this.side = canvas.width;
    this.width = this.side * 0.085;                     // of the pen
    this.hidden = document.createElement("canvas");     // the drawing without the cursor, in white on black
    this.hidden.width = this.hidden.height = this.side;
    this.context = this.hidden.getContext("2d", { willReadFrequently: true });
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => this.up());
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => { this.cursor = null; this.pen = null; this.show(); });
    this.show();
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * this.side / box.width, (event.clientY - box.top) * this.side / box.height];
  }

  down(event) {
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.focus({ preventScroll: true });
    this.begin(this.point(event), this.erasing || event.altKey || event.button === 5);
  }

  move(event) {
    if (!this.stroke || !event.buttons) return;
    const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [event];
    for (const each of events.length ? events : [event]) this.stroke.points.push(this.point(each));
    this.update();
  }

  up() {
    if (!this.stroke) return;
    this.stroke = null;
    this.update();
  }

  begin(point, erases) {
    this.stroke = { points: [point], erases };
    this.strokes.push(this.stroke);
    this.update();
  }

  // Arrows move the pen, the space bar puts it down and lifts it, E turns it into the eraser.
  key(event) {
    const step = this.side / SIDE_OF_GRID, moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (event.ctrlKey || event.metaKey) {
      if (event.key === "z") { event.preventDefault(); this.undo(); }
      return;
    }
    if (event.key in moves) {
      const [x, y] = this.cursor || [this.side / 2, this.side / 2], [dx, dy] = moves[event.key];
      this.cursor = [x + dx, y + dy].map((value) => Math.min(this.side, Math.max(0, value)));
      if (this.pen) { this.pen.points.push(this.cursor); this.update(); } else this.show();
    } else if (event.key === " ") {
      this.cursor = this.cursor || [this.side / 2, this.side / 2];
      if (this.pen) { this.pen = this.stroke = null; this.update(); } else { this.begin(this.cursor, this.erasing); this.pen = this.stroke; this.stroke = null; this.show(); }
    } else if (event.key === "Backspace" || event.key === "Delete") this.undo();
    else return;
    event.preventDefault();
  }

  undo() {
    this.pen = this.stroke = null;
    if (this.strokes.length) this.strokes.pop(); else this.picture = null;
    this.update();
  }

  clear() {
    Object.assign(this, { strokes: [], picture: null, pen: null, stroke: null });
    this.update();
  }

  // Put a digit of 28 by 28 bytes on the pad.
  put(picture) {
    Object.assign(this, { strokes: [], picture, pen: null, stroke: null });
    this.update();
  }

  // Draw everything in white on black, with pens of this width.
  paint(width) {
    const { context, side } = this;
    context.globalCompositeOperation = "source-over";
    context.fillStyle = "#000";
    context.fillRect(0, 0, side, side);
    if (this.picture) {
      const cell = side / 28;
      this.picture.forEach((shade, i) => {
        if (!shade) return;
        context.fillStyle = `rgb(${shade},${shade},${shade})`;
        context.fillRect((i % 28) * cell, Math.floor(i / 28) * cell, cell, cell);
      });
    }
    context.lineCap = context.lineJoin = "round";
    for (const { points, erases } of this.strokes) {
      context.strokeStyle = erases ? "#000" : "#fff";
      context.lineWidth = erases ? this.width * 1.8 : width;
      context.beginPath();
      context.moveTo(...points[0]);
      for (const point of points.length > 1 ? points.slice(1) : [[points[0][0] + 0.01, points[0][1]]]) context.lineTo(...point);
      context.stroke();
    }
    const pixels = context.getImageData(0, 0, side, side).data;
    const raster = new Float32Array(side * side);
    for (let i = 0; i < raster.length; i++) raster[i] = pixels[4 * i] / 255;
    return raster;
  }

  // The digit that the drawing makes. A small drawing is painted again with a thinner pen, and a large one with a thicker, so
  // that the strokes are as wide as MNIST's once the digit has MNIST's size.
  digit() {
    const raster = this.paint(this.width), box = this.engine.boxOf(raster, this.side);
    if (!box) return null;
    const scale = this.picture ? 1 : this.engine.scaleOf(box, this.side);
    const digit = this.engine.toDigit(scale === 1 ? raster : this.paint(this.width / scale), this.side);
    if (scale !== 1) this.paint(this.width);
    return digit || this.engine.toDigit(raster, this.side);
  }

  // Work out the digit once for each frame, however many points have come: the last of them is always among them.
  update() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = null;
      const digit = this.digit();
      this.show();
      this.changed(digit);
    });
  }

  invite(context) {
    context.fillStyle = "#9a9a9a";
    context.font = "18px system-ui, sans-serif";
    context.textAlign = "center";
    context.fillText("Draw a digit here", this.side / 2, this.side / 2);
  }

  show() {
    const context = this.canvas.getContext("2d");
    context.drawImage(this.hidden, 0, 0);
    if (!this.strokes.length && !this.picture && !this.cursor) this.invite(context);
    if (!this.cursor) return;
    context.strokeStyle = this.pen ? "#ffb000" : "#7fb4ff";
    context.lineWidth = 2;
    context.beginPath();
    context.arc(...this.cursor, this.width / 2, 0, 7);
    context.stroke();
  }
}

const SIDE_OF_GRID = 28;   // steps of the keyboard's pen across the pad
