/* The autoscaler's page, live: asks for what is new every two seconds while somebody looks. */
"use strict";
(() => {
  const board = document.getElementById("board");
  if (!board) return;
  const EVERY = 2000;
  const KEPT = 3600;
  const modes = {
    act: ["Acting", ""],
    hold: ["Held", "the kill switch is on"],
    "dry-run": ["Dry run", "decides, and writes nothing"],
    follow: ["Following", "no loop runs on the leader"],
    blind: ["Blind", "Docker does not answer"],
    away: ["Away", "the loop does not answer"],
    starting: ["Starting", ""],
  };
  const points = new Map();
  const charts = new Map();
  let minutes = 15;
  let since = 0;

  const put = (name, text) => {
    const node = board.querySelector(`[data-board="${name}"]`);
    if (node && node.textContent !== text) node.textContent = text;
    return node;
  };
  const number = (value, digits = 1) => (value === null || value === undefined ? "–" : value.toFixed(digits).replace(/\.0$/, ""));
  const colour = (name) => getComputedStyle(board).getPropertyValue(name).trim();
  const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function rows(place, list, columns) {
    const body = board.querySelector(`[data-board="${place}"]`);
    if (!list.length) return;
    body.replaceChildren(...list.map((item) => {
      const row = document.createElement("tr");
      row.append(...columns(item).map((text) => {
        const cell = document.createElement("td");
        cell.textContent = text;
        return cell;
      }));
      return row;
    }));
  }

  function axes() {
    const line = { stroke: ink("--body-quiet-color"), grid: { stroke: ink("--hairline-color"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
    const clock = (plot, splits) => splits.map((at) => new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
    return [{ ...line, space: 70, size: 24, values: clock }, { ...line, size: 34, space: 26 }];
  }

  const shown = (unit, digits) => (plot, value) => (value === null || value === undefined ? "–" : `${number(value, digits)}${unit}`);

  function make(article, kind) {
    const place = article.querySelector(`[data-chart="${kind}"]`);
    const steps = uPlot.paths.stepped({ align: 1 });
    const time = { label: "at", value: (plot, value) => (value ? new Date(value * 1000).toLocaleTimeString() : "–") };
    const replicas = [
      time,
      { label: "ready", stroke: colour("--as-ready"), fill: `${colour("--as-ready")}33`, width: 1.5, paths: steps, value: shown("", 0), points: { show: false } },
      { label: "wanted", stroke: colour("--as-wanted"), width: 2, paths: steps, value: shown("", 0), points: { show: false } },
      { label: "demand", stroke: colour("--as-need"), width: 1.5, dash: [5, 4], value: shown("", 1), points: { show: false } },
    ];
    const load = [
      time,
      { label: "CPU", stroke: colour("--as-cpu"), width: 1.5, value: shown(" cores", 2), points: { show: false } },
      { label: "requests", stroke: colour("--as-rate"), width: 1.5, scale: "rate", value: shown("/s", 1), points: { show: false } },
    ];
    const side = { stroke: colour("--as-rate"), grid: { show: false }, ticks: { show: false }, font: "11px system-ui", side: 1, scale: "rate", size: 38 };
    const small = kind === "load";
    const from0 = { range: (plot, low, high) => [0, Math.max(small ? 0.1 : 2, (high || 0) * 1.15)] };
    const options = {
      width: place.clientWidth || 300,
      height: small ? 110 : 160,
      cursor: { sync: { key: article.dataset.service }, y: false },
      scales: { x: { time: true }, y: from0, ...(small ? { rate: { range: (plot, low, high) => [0, Math.max(1, (high || 0) * 1.15)] } } : {}) },
      axes: small ? [...axes(), side] : axes(),
      series: small ? load : replicas,
      legend: { live: true },
    };
    return new uPlot(options, small ? [[], [], []] : [[], [], [], []], place);
  }

  function draw(name, until) {
    const article = board.querySelector(`[data-service="${CSS.escape(name)}"]`);
    if (!article || !window.uPlot) return;
    if (!charts.has(name)) charts.set(name, { replicas: make(article, "replicas"), load: make(article, "load") });
    const first = until - minutes * 60;
    const list = points.get(name).filter((point) => point[0] >= first);
    const column = (index) => list.map((point) => point[index]);
    const { replicas, load } = charts.get(name);
    replicas.setData([column(0), column(2), column(1), column(3)], false);
    load.setData([column(0), column(4), column(5)], false);
    for (const chart of [replicas, load]) chart.setScale("x", { min: first, max: until });
  }

  function service(row) {
    const article = board.querySelector(`[data-service="${CSS.escape(row.service)}"]`);
    if (!article) return false;
    const set = (name, text) => { const node = article.querySelector(`[data-row="${name}"]`); if (node) node.textContent = text; return node; };
    set("ready", row.ready);
    set("from", row.from);
    set("state", row.paused ? "paused" : row.updating ? "updating" : row.blocked ? `${row.blocked} more wanted` : "");
    set("reason", row.reason);
    const pause = set("pause", row.paused ? "Resume" : "Pause");
    if (pause) pause.value = row.paused ? "resume" : "pause";
    return true;
  }

  function overview(state) {
    const [mode, note] = modes[state.mode] || [state.mode, ""];
    const tone = state.mode === "act" ? "ok" : "warn";
    const figure = put("mode", mode);
    figure.closest(".suite-card").className = `suite-card ${tone}`;
    put("mode-note", note);
    const sum = (name) => state.services.reduce((total, row) => total + (row[name] || 0), 0);
    put("replicas", state.services.length ? `${sum("ready")} / ${sum("from")}` : "–");
    put("rate", number(sum("arrived"), 0));
    put("cpu", number(sum("cpu"), 2));
    const hold = put("hold", state.hold ? "Let it act again" : "Hold everything");
    if (hold) { hold.value = state.hold ? "release" : "hold"; hold.classList.toggle("as-danger", !state.hold); }
    const faults = Object.entries(state.faults || {});
    if (state.mode === "away") faults.push(["The loop", "does not answer: services stay as they are."]);
    board.querySelector('[data-board="faults"]').replaceChildren(...faults.map(([what, text]) => {
      const item = document.createElement("li");
      const strong = document.createElement("strong");
      strong.textContent = what;
      item.append(strong, `: ${text}`);
      return item;
    }));
  }

  function tables(state) {
    rows("decisions", state.decisions.slice(0, 40), (made) => [
      new Date(made.at * 1000).toLocaleTimeString(), made.service, `${made.from} → ${made.to}`, made.outcome, made.reason || made.rule,
    ]);
    const gib = (bytes) => `${number(bytes / 2 ** 30, 1)} GiB`;
    rows("nodes", state.nodes, (node) => [
      node.name + (node.leader ? " (leader)" : "") + (node.usable ? "" : " – not in use"), node.role, node.tasks,
      node.busy === null ? "–" : `${number(node.busy, 2)} of ${number(node.cpus, 0)}`, number(node.free_cpus, 1), `${gib(node.free_memory)} of ${gib(node.memory)}`,
    ]);
  }

  function take(state) {
    overview(state);
    for (const [name, fresh] of Object.entries(state.points || {})) {
      const all = (points.get(name) || []).concat(fresh);
      points.set(name, all.filter((point) => point[0] > (state.at || 0) - KEPT));
      if (fresh.length) since = Math.max(since, fresh[fresh.length - 1][0]);
    }
    const known = state.services.every(service);
    if (!known) { location.reload(); return; }
    tables(state);
    for (const name of points.keys()) draw(name, state.at);
  }

  async function ask() {
    try {
      const answer = await fetch(`${board.dataset.url}?since=${since}`, { headers: { Accept: "application/json" } });
      if (answer.redirected) { location.reload(); return; }
      if (answer.ok) take(await answer.json());
    } catch (error) {
      put("mode", "No connection");
    }
  }

  board.querySelector(".as-range").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    minutes = Number(button.dataset.minutes);
    for (const other of board.querySelectorAll(".as-range button")) other.setAttribute("aria-pressed", String(other === button));
    const until = Math.max(0, ...[...points.values()].map((list) => (list.length ? list[list.length - 1][0] : 0)));
    for (const name of points.keys()) draw(name, until);
  });

  function anew() {
    for (const { replicas, load } of charts.values()) { replicas.destroy(); load.destroy(); }
    charts.clear();
    for (const [name, list] of points) if (list.length) draw(name, list[list.length - 1][0]);
  }
  let wide = 0;
  addEventListener("resize", () => { clearTimeout(wide); wide = setTimeout(anew, 200); });
  new MutationObserver(anew).observe(document.documentElement, { attributeFilter: ["data-theme"] });

  ask();
  setInterval(() => { if (!document.hidden) ask(); }, EVERY);
})();
