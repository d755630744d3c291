// Set the chosen colour scheme before the first paint; the default is the system's.
"use strict";
(function () {
  const root = document.documentElement;
  root.classList.add("scripted");
  try {
    const chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  } catch {
    // Storage may be blocked; use the system's colours.
  }
})();
