// Scripts of the pages. Everything here is an enhancement: the shop works without it.
"use strict";
(function () {
  const root = document.documentElement;

  // --- light and dark -------------------------------------------------------
  function showToggles(scope) {
    for (const button of scope.querySelectorAll("[data-theme-toggle]")) button.hidden = false;
  }

  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // Remembered for this page only.
    }
  });

  // --- behaviour events -----------------------------------------------------
  // The server adds identity and consent; a page only reports the event.
  const waiting = [];
  let timer = 0;

  function tell(type, productId, data) {
    const event = { type, at: new Date().toISOString() };
    if (productId) event.product_id = productId;
    if (data) event.data = data;
    if (self.crypto && crypto.randomUUID) event.id = crypto.randomUUID();
    waiting.push(event);
    clearTimeout(timer);
    timer = setTimeout(flush, 1500);
  }

  function flush() {
    clearTimeout(timer);
    while (waiting.length) {
      const body = new Blob([JSON.stringify(waiting.splice(0, 100))], { type: "application/json" });
      if (!navigator.sendBeacon || !navigator.sendBeacon("/events", body)) {
        fetch("/events", { method: "POST", body, keepalive: true }).catch(() => {});
      }
    }
  }

  addEventListener("pagehide", flush);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") flush();
  });

  const seen = new Set();
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        watcher.unobserve(target);
        const product = target.dataset.product;
        const where = shelfOf(target);
        // Once a page and shelf, also when htmx brings the shelf again.
        if (seen.has(where.shelf + product)) continue;
        seen.add(where.shelf + product);
        tell("impression", product, where);
      }
    },
    { threshold: 0.6 },
  );

  function shelfOf(element) {
    const shelf = element.closest("[data-shelf]");
    if (!shelf) return { shelf: "list" };
    // The variant of the comparison, where the shelf takes part in one.
    return shelf.dataset.variant ? { shelf: shelf.dataset.shelf, variant: shelf.dataset.variant } : { shelf: shelf.dataset.shelf };
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest(".card-link");
    if (link) tell("click", link.parentElement.dataset.product, shelfOf(link));
    const removed = event.target.closest("[data-removed]");
    if (removed && removed.dataset.removed) tell("remove_from_cart", removed.dataset.removed);
  });

  function pageEvents() {
    const product = document.querySelector("[data-view]");
    if (product) tell("view", product.dataset.view);
    const list = document.querySelector("[data-search]");
    if (list && list.dataset.search) {
      tell("search", null, { q: list.dataset.search, results: Number(list.dataset.total) || 0 });
    }
    if (document.querySelector("[data-checkout]")) tell("checkout_started");
  }

  // --- adding to the cart ---------------------------------------------------
  // One idempotency key per press: a repetition cannot add twice. The server retries before it reports an error.
  const pauses = [1000, 2500];

  document.addEventListener("htmx:configRequest", (event) => {
    const form = event.detail.elt.closest("[data-add]");
    if (!form) return;
    if (!form.dataset.key) form.dataset.key = self.crypto && crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2) + Date.now();
    event.detail.headers["Idempotency-Key"] = form.dataset.key;
  });

  // Empty fields of the filters stay out of the address.
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.id !== "filters") return;
    const sent = event.detail.parameters;
    for (const name of Object.keys(sent)) if (sent[name] === "") delete sent[name];
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt.closest && event.detail.elt.closest("[data-add]");
    if (!form) return;
    const { xhr } = event.detail;
    const status = xhr ? xhr.status : 0;
    const tries = Number(form.dataset.tries || 0);
    const soon = status === 429 && Number(xhr.getResponseHeader("Retry-After")) <= 2;
    if ((status === 0 || status >= 500 || soon) && tries < pauses.length) {
      form.dataset.tries = tries + 1;
      say("Your cart does not answer yet. Trying again …");
      setTimeout(() => htmx.trigger(form, "submit"), pauses[tries]);
      return;
    }
    if (status === 0 || status >= 400) toast.replaceChildren(said(xhr, "toast-body toast-bad"));
    else tell("add_to_cart", form.dataset.add, { sku: new FormData(form).get("sku") });
    delete form.dataset.key;
    delete form.dataset.tries;
  });

  // --- unavailable parts of the page ----------------------------------------
  // The current content stays. A message beside it explains the error and offers a retry; parts that load by themselves are silent.
  function said(xhr, look) {
    const html = xhr && /^text\/html/.test(xhr.getResponseHeader("Content-Type")) ? xhr.responseText : "";
    const found = new DOMParser().parseFromString(html, "text/html").querySelector("[data-said]");
    if (found) return document.importNode(found, true);
    const line = document.createElement("p");
    line.className = look;
    line.dataset.said = "";
    line.setAttribute("role", "alert");
    if (!xhr || !xhr.status) line.textContent = "We cannot reach the shop. Please check your connection, then try again.";
    else if (xhr.status === 429) line.textContent = "That was a bit quick. Please wait a moment, then try again.";
    else line.textContent = "That did not work just now. What you see here is as it was.";
    return line;
  }

  function explain(event) {
    const { elt, target, xhr, requestConfig } = event.detail;
    const trigger = elt.getAttribute("hx-trigger") || "";
    if (!target || elt.closest("[data-add]") || trigger.startsWith("load") || target.matches("#suggest, #me")) return;
    for (const old of target.querySelectorAll(":scope > [data-said]")) old.remove();
    const line = said(xhr, "note note-bad");
    if (!trigger.startsWith("every")) line.append(" ", againButton(elt, target, requestConfig));
    target.prepend(line);
  }

  function againButton(elt, target, { verb, path, triggeringEvent }) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    button.textContent = "Try again";
    const pressed = triggeringEvent && triggeringEvent.submitter;
    const values = pressed && pressed.name ? { [pressed.name]: pressed.value } : {};
    button.addEventListener("click", () => htmx.ajax(verb.toUpperCase(), path, { source: elt, target, values }));
    return button;
  }

  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(failure, explain);

  const toast = document.getElementById("toast");
  let toastTimer = 0;

  function say(text) {
    const line = document.createElement("p");
    line.className = "toast-body";
    line.textContent = text;
    toast.replaceChildren(line);
  }

  if (toast) {
    new MutationObserver(() => {
      clearTimeout(toastTimer);
      if (toast.childElementCount) toastTimer = setTimeout(() => toast.replaceChildren(), 6000);
    }).observe(toast, { childList: true });
  }

  // --- product page: the chosen variant -------------------------------------
  document.addEventListener("change", (event) => {
    const chosen = event.target.closest(".variants input");
    if (!chosen) return;
    const { price, was, off, stock, stockLabel } = chosen.dataset;
    const line = document.getElementById("price");
    const now = document.createElement("span");
    now.textContent = price;
    line.replaceChildren(now);
    if (was) {
      now.className = "price-now";
      const before = document.createElement("s");
      before.textContent = was;
      const flag = document.createElement("span");
      flag.className = "flag flag-inline";
      flag.textContent = `−${off}%`;
      line.append(" ", before, " ", flag);
    }
    const label = document.getElementById("stock");
    label.className = `stock stock-${stock}`;
    label.textContent = stockLabel;
  });

  // --- double submission of forms -------------------------------------------
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-once]")) return;
    if (event.target.dataset.sent) {
      event.preventDefault();
      return;
    }
    event.target.dataset.sent = "yes";
    const button = event.submitter;
    if (!button) return;
    button.setAttribute("aria-busy", "true");
    if (button.dataset.busy) button.textContent = button.dataset.busy;
  });

  addEventListener("pageshow", (event) => {
    // Back from the next page: the form may be sent again, and cached headers are stale.
    for (const form of document.querySelectorAll("[data-sent]")) delete form.dataset.sent;
    if (event.persisted) {
      for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
      if (self.htmx) htmx.ajax("GET", "/fragments/header", { target: "#me", swap: "outerHTML" });
    }
  });

  // --- small helpers --------------------------------------------------------
  const wide = matchMedia("(min-width: 56rem)");

  function prepare(scope) {
    showToggles(scope);
    for (const card of scope.querySelectorAll("[data-product]")) watcher.observe(card);
    const filters = scope.querySelector("[data-filters]");
    if (filters && wide.matches) filters.open = true;
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    // The filter panel stays open on a phone while it is being used.
    const filters = document.querySelector("[data-filters]");
    keepOpen = Boolean(filters && filters.open && event.detail.target.id === "listing");
  });
  let keepOpen = false;
  document.addEventListener("htmx:afterSettle", (event) => {
    const filters = document.querySelector("[data-filters]");
    if (keepOpen && filters) filters.open = true;
    keepOpen = false;
    prepare(event.target.parentElement || document);
  });

  document.addEventListener(
    "error",
    (event) => {
      // A missing picture: the card's background is the placeholder, and the text names the product.
      if (event.target.tagName === "IMG" && !event.target.dataset.failed) {
        event.target.dataset.failed = "yes";
        event.target.closest("picture")?.querySelectorAll("source").forEach((source) => source.remove());
        event.target.removeAttribute("srcset");
        event.target.src = "/static/shop/placeholder.svg";
      }
    },
    true,
  );

  const field = document.getElementById("q");
  field?.form.addEventListener("keydown", (event) => {
    const items = [field, ...document.querySelectorAll("#suggest a")];
    const here = items.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") document.getElementById("suggest").replaceChildren();
    if (!step || here < 0 || items.length < 2) return;
    event.preventDefault();
    items[(here + step + items.length) % items.length].focus();
  });

  prepare(document);
  pageEvents();
  document.getElementById("refusal")?.focus();
  document.querySelector(".field-bad input, .field-bad select")?.focus();
})();
