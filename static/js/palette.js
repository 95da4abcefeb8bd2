// The search over the page: what the server finds, chosen by arrow keys while the focus stays in the field. Where
// nothing is typed, the places last opened in this tab. An act opens its dialog once the search is closed.
(() => {
  const MOST = 5;
  const box = document.getElementById("palette");
  if (!box) return;
  const field = box.querySelector("input");
  const hits = document.getElementById("palette-hits");
  const status = box.querySelector("[role=status]");
  const options = () => [...hits.querySelectorAll("[role=option]")];
  const chosen = () => hits.querySelector("[aria-selected=true]");

  // -- Places ---------------------------------------------------------------------------
  const key = box.dataset.places;
  const here = location.pathname + location.search;

  function places() {
    try {
      return JSON.parse(sessionStorage.getItem(key)) || [];
    } catch {
      return [];
    }
  }

  function remember() {
    const name = document.querySelector("h1")?.textContent.trim().replace(/\s+/g, " ");
    if (!name || location.pathname.endsWith("/palette/")) return;
    const others = places().filter((one) => one.url !== here && one.name !== name);
    try {
      sessionStorage.setItem(key, JSON.stringify([{ name, url: here }, ...others].slice(0, MOST + 1)));
    } catch {
      /* private mode: nothing is remembered */
    }
  }
  remember();

  function showPlaces() {
    const last = places().filter((one) => one.url !== here).slice(0, MOST);
    if (!last.length) return htmx.trigger(field, "palette");
    const list = document.getElementById("palette-places").content.cloneNode(true);
    const line = list.querySelector("a");
    last.forEach((one, at) => {
      const option = line.cloneNode(true);
      option.id = `palette-recent-${at}`;
      option.href = one.url;
      option.querySelector(".xu-palette-name").textContent = one.name;
      line.before(option);
    });
    line.remove();
    hits.replaceChildren(list);
    shown();
  }

  // -- Choosing -------------------------------------------------------------------------
  function choose(option) {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) field.setAttribute("aria-activedescendant", option.id);
    else field.removeAttribute("aria-activedescendant");
  }

  function shown() {
    const all = options();
    field.setAttribute("aria-expanded", all.length > 0);
    choose(all[0]);
    const none = hits.querySelector("[data-none] p")?.textContent.trim();
    status.textContent = none || status.dataset.found.replace("%s", all.length);
  }

  function open() {
    if (box.open || document.querySelector("dialog[open]")) return;
    field.value = "";
    hits.replaceChildren();
    box.showModal();
    field.focus();
    showPlaces();
  }

  function go(option, { newTab = false } = {}) {
    if (newTab) return window.open(option.href, "_blank", "noopener");
    if (!("act" in option.dataset)) return location.assign(option.href);
    const address = option.getAttribute("href");
    // Closing gives the focus back, and the dialog gives it back there again.
    box.close();
    const isNowhere = document.activeElement === document.body;
    const links = [...document.querySelectorAll("[data-palette]")];
    const source = isNowhere ? links.find((link) => link.checkVisibility()) : document.activeElement;
    source.dispatchEvent(new CustomEvent("opensdialog", { bubbles: true }));
    htmx.ajax("GET", address, { source: "#modal", target: "#modal", swap: "innerHTML" });
  }

  box.addEventListener("keydown", (event) => {
    const step = (event.key === "ArrowDown") - (event.key === "ArrowUp");
    const all = options();
    if (step && all.length) {
      choose(all[(all.indexOf(chosen()) + step + all.length) % all.length]);
      event.preventDefault();
    }
    if (event.key === "?" && !field.value) {
      event.preventDefault();
      box.close();
      document.getElementById("keys").showModal();
    }
    if (event.key === "Enter" && event.target === field) {
      event.preventDefault();
      if (chosen() && !event.isComposing) go(chosen(), { newTab: event.ctrlKey || event.metaKey });
    }
  });
  hits.addEventListener("mousemove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && option !== chosen()) choose(option);
  });
  hits.addEventListener("click", (event) => {
    const option = event.target.closest("[data-act]");
    if (!option || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(option);
  });
  field.addEventListener("input", () => {
    if (!field.value.trim()) showPlaces();
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    // Nothing is asked for where nothing is typed, unless nothing was opened before.
    const isTyped = event.detail.elt === field && event.detail.requestConfig.triggeringEvent?.type === "input";
    if (isTyped && !field.value.trim()) event.preventDefault();
  });
  // What comes late answers what is no longer asked.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, requestConfig } = event.detail;
    if (target === hits && requestConfig.parameters.q !== field.value) event.detail.shouldSwap = false;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target === hits) shown();
  });

  // -- Opening --------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-palette]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (box.open) box.close();
    else open();
  });
  if (/Mac|iP(hone|ad)/.test(navigator.platform)) {
    for (const one of document.querySelectorAll("[data-ctrl]")) one.textContent = "⌘";
  }
})();
