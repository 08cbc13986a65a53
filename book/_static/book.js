// A book that is opened from disk does not offer itself for download.
if (location.protocol === "file:") document.documentElement.classList.add("from-disk");

document.addEventListener("DOMContentLoaded", () => {
  // What scrolls can be reached with the keyboard, and the theme's arrows in the list of pages have a name.
  for (const wide of document.querySelectorAll(".bd-article table, .bd-article div.math, .bd-article p"))
    if (wide.scrollWidth > wide.clientWidth && getComputedStyle(wide).overflowX === "auto") wide.tabIndex = 0;
  for (const arrow of document.querySelectorAll("nav summary")) arrow.setAttribute("aria-label", "Show or hide the pages below");
});
