// A book that is opened from disk does not offer itself for download.
if (location.protocol === "file:") document.documentElement.classList.add("from-disk");

// The page See and learn, in a frame: it is told whether the book is light or dark, and says how tall it is.
const frame = () => document.querySelector(".tt-see");
const tellTheme = () => frame()?.contentWindow.postMessage({ theme: document.documentElement.dataset.theme }, "*");
addEventListener("message", (event) => {
  if (!frame() || event.source !== frame().contentWindow || event.data.from !== "see-and-learn") return;
  if (event.data.ready) tellTheme();
  if (event.data.height && innerWidth <= 576) frame().style.height = `${event.data.height + 8}px`;
});
new MutationObserver(tellTheme).observe(document.documentElement, { attributeFilter: ["data-theme"] });

document.addEventListener("DOMContentLoaded", () => {
  // What scrolls can be reached with the keyboard, and the theme's arrows in the list of pages have a name.
  for (const wide of document.querySelectorAll(".bd-article table, .bd-article div.math, .bd-article p, .bd-article figure"))
    if (wide.scrollWidth > wide.clientWidth && getComputedStyle(wide).overflowX === "auto") wide.tabIndex = 0;
  for (const arrow of document.querySelectorAll("nav summary")) arrow.setAttribute("aria-label", "Show or hide the pages below");
});
