// A book that is opened from disk does not offer itself for download.
if (location.protocol === "file:") document.documentElement.classList.add("from-disk");
