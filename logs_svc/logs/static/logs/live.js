"use strict";
// Polls for new events every two seconds while the page is visible. Everything is written as text.
(() => {
  const root = document.querySelector("[data-live]");
  if (!root) return;
  const rows = root.querySelector("[data-live-rows]");
  const state = root.querySelector("[data-live-state]");
  const pause = root.querySelector("[data-live-pause]");
  const type = root.querySelector("[data-live-type]");
  const MAX_ROWS = 300;
  let after = "";
  let paused = false;
  let seen = 0;

  function row(event) {
    const line = document.createElement("tr");
    line.dataset.type = event.type;
    line.hidden = Boolean(type.value) && type.value !== event.type;
    for (const text of [event.at.slice(11, 19), event.type, event.product, event.who, event.said]) {
      const cell = document.createElement("td");
      cell.textContent = text || "–";
      line.append(cell);
    }
    return line;
  }

  function show(events) {
    for (const event of events) rows.prepend(row(event));
    while (rows.children.length > MAX_ROWS) rows.lastChild.remove();
    seen += events.length;
    state.textContent = seen ? `${seen} events` : "Waiting for events …";
  }

  async function poll() {
    if (!paused && !document.hidden) {
      try {
        const answer = await fetch(`?after=${encodeURIComponent(after)}`, { headers: { Accept: "application/json" } });
        if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
        const body = await answer.json();
        after = body.after;
        show(body.events);
      } catch (error) {
        state.textContent = "No response; trying again …";
      }
    }
    setTimeout(poll, 2000);
  }

  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Resume" : "Pause";
    pause.setAttribute("aria-pressed", String(paused));
  });
  type.addEventListener("change", () => {
    for (const line of rows.children) line.hidden = Boolean(type.value) && type.value !== line.dataset.type;
  });
  poll();
})();
