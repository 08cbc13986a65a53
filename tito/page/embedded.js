// Within a book, the page is as light or dark as the book is, and on a phone as tall as it needs to be.
"use strict";

if (parent !== window) {
  const root = document.documentElement, tell = (message) => parent.postMessage({ from: "see-and-learn", ...message }, "*");
  root.classList.add("embedded");
  addEventListener("message", (event) => {
    if (event.source !== parent || !["light", "dark"].includes(event.data.theme)) return;
    root.dataset.theme = event.data.theme;
    dispatchEvent(new Event("themechange"));
  });
  new ResizeObserver(() => tell({ height: Math.ceil(document.body.getBoundingClientRect().height) })).observe(document.body);
  tell({ ready: true });
}
