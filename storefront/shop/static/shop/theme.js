// Before the first paint: the colours that were chosen last time. Without a choice the system's are taken.
"use strict";
(function () {
  const root = document.documentElement;
  root.classList.add("scripted");
  try {
    const chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  } catch {
    // Storage may be closed; the system's colours are fine.
  }
})();
