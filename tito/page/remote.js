// The playground: instead of a thread of the page, a server on this machine computes, with the learner's own package.
"use strict";

function startRemote(address, hear) {
  document.getElementById("intro").textContent = "Draw a digit and watch your own package read it. Nothing leaves this machine.";
  document.getElementById("idx").closest("label").hidden = true;     // the package trains on the digits of the course
  document.getElementById("pause").hidden = true;                    // and a training is stopped, not paused
  document.getElementById("device").closest("label").hidden = true;

  // Ask, and pass on every answer; whatever goes wrong on the way is an answer, too.
  async function asked(path, options) {
    try {
      const answer = await fetch(address + path, options);
      for (const message of await answer.json()) hear(message);
    } catch (error) { hear({ type: "error", text: `the playground does not answer: ${error.message}. Is it still running in the terminal?` }); }
  }

  const events = new EventSource(`${address}/events`);
  events.onmessage = (event) => hear(JSON.parse(event.data));

  return async (message) => {
    if (message.type === "data") {
      hear({ type: "data", train: message.train.labels.length, test: message.test.labels.length });
      return asked("/models");
    }
    if (message.type === "load") return asked("/load", { method: "POST", body: message.bytes });
    if (message.type === "save") return hear({ type: "saved", bytes: await (await fetch(`${address}/save`)).arrayBuffer() });
    const body = JSON.stringify(message.digit ? { ...message, digit: Array.from(message.digit) } : message);
    return asked("/ask", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  };
}
