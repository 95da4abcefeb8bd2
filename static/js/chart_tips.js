// What a bar is, beside it: under the pointer, and by keyboard on a chart that has the focus. Left and right (Home,
// End) go from bar to bar and read it aloud, Enter opens it, Escape closes the tip, then the open day, and returns.
(() => {
  const WIDTH = 212;
  const places = new Map(); // where the keys are, by the chart's id: a chart is drawn anew when its page part is
  let returning = false;

  const make = (name, className, text = "") => {
    const element = document.createElement(name);
    element.className = className;
    element.textContent = text;
    return element;
  };

  function partsOf(chart, index) {
    const { data, text } = chart.config.options.xu;
    const amount = (one) => one.texts?.[index] ?? text(Number(one.values[index]));
    const isUsed = (one) => Number(one.values[index]) !== 0;
    const parts = data.series
      .map((one, place) => ({ ...one, slot: one.slot || place + 1 }))
      .filter(isUsed)
      .map((one) => ({ label: one.label, text: amount(one), slot: one.slot }));
    if (data.projected && isUsed(data.projected))
      parts.push({ label: data.projected.label, text: amount(data.projected), slot: "projected" });
    const sums = [];
    if (data.sums && (parts.length !== 1 || data.before))
      sums.push({ label: data.sums.label, text: amount(data.sums) });
    if (data.before)
      sums.push({ label: data.before.labels[index], text: data.before.texts[index], slot: "before" });
    return { title: (data.titles || data.labels)[index], parts, sums };
  }

  function row({ label, text, slot }, className) {
    const line = make("div", className);
    const name = make("dt", "", "");
    if (slot) name.append(make("span", `xu-key xu-key--${slot}`));
    name.append(label);
    line.append(name, make("dd", "", text));
    return line;
  }

  const hide = (box) => box.querySelector(".xu-tip")?.remove();

  function show(chart, index) {
    const box = chart.canvas.parentElement;
    hide(box);
    const bar = chart.getDatasetMeta(0).data[index];
    if (!bar) return null;
    const said = partsOf(chart, index);
    const tip = make("div", "xu-tip");
    tip.setAttribute("aria-hidden", "true");
    const list = make("dl", "");
    list.append(...said.parts.map((one) => row(one, "")));
    list.append(...said.sums.map((one, place) => row(one, place ? "" : "xu-tip-sum")));
    tip.append(make("p", "", String(said.title)), list);
    box.append(tip);
    // Beside its own bar, where there is room; else under the chart.
    const half = bar.width / 2 + 10;
    const right = bar.x + half;
    const left = bar.x - half - WIDTH;
    if (right + WIDTH <= box.clientWidth) tip.style.left = `${right}px`;
    else if (left >= 0) tip.style.left = `${left}px`;
    else {
      tip.style.left = `${Math.min(Math.max(0, bar.x - WIDTH / 2), box.clientWidth - WIDTH)}px`;
      tip.style.top = `${box.clientHeight + 4}px`;
    }
    return said;
  }

  function readAloud(box, said) {
    let live = box.querySelector("[role=status]");
    if (!live) {
      live = make("span", "xu-sr");
      live.setAttribute("role", "status");
      box.append(live);
    }
    const lines = [...said.parts, ...said.sums].map((one) => `${one.label} ${one.text}`);
    live.textContent = `${said.title}: ${lines.join(", ")}`;
  }

  function goTo(chart, index) {
    const last = chart.data.labels.length - 1;
    const at = Math.min(Math.max(0, index), last);
    places.set(chart.canvas.id, at);
    const said = show(chart, at);
    if (said) readAloud(chart.canvas.parentElement, said);
  }

  document.addEventListener("chartbar", ({ detail: { chart, index } }) => {
    if (index == null) hide(chart.canvas.parentElement);
    else show(chart, index);
  });
  // All of a bar's column presses it, its label too: a small bar is hard to meet.
  document.addEventListener("click", (event) => {
    const chart = event.target.matches?.("canvas[data-chart]") && window.Chart?.getChart(event.target);
    if (!chart || event.offsetX < chart.chartArea.left) return;
    chart.config.options.xu.press(chart.scales.x.getValueForPixel(event.offsetX));
  });
  document.addEventListener("pointerout", (event) => {
    if (event.target.matches?.("canvas[data-chart]")) hide(event.target.parentElement);
  });
  document.addEventListener("focusout", (event) => {
    if (event.target.matches?.("canvas[data-chart]")) hide(event.target.parentElement);
  });

  function closeDay(event) {
    const close = document.getElementById("day-close");
    if (!close || !event.target.closest?.("#usage-month")) return;
    returning = true;
    close.click();
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#day-close")) returning = true;
  });
  // The chart takes the focus again once it is drawn anew.
  document.addEventListener("htmx:afterSettle", () => {
    if (!returning) return;
    returning = false;
    setTimeout(() => document.getElementById("month-chart")?.focus());
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const canvas = event.target.closest?.("canvas[data-chart]");
    const chart = canvas && window.Chart?.getChart(canvas);
    if (event.key === "Escape") {
      if (chart && canvas.parentElement.querySelector(".xu-tip")) hide(canvas.parentElement);
      else closeDay(event);
      return;
    }
    if (!chart) return;
    const { data, press } = chart.config.options.xu;
    const place = places.get(canvas.id) ?? data.chosen;
    const last = data.labels.length - 1;
    const moves = {
      ArrowRight: (place ?? -1) + 1,
      ArrowLeft: (place ?? last + 1) - 1,
      Home: 0,
      End: last,
    };
    if (event.key in moves) goTo(chart, moves[event.key]);
    else if (event.key === "Enter" && place != null) {
      returning = Boolean(data.opens?.[place]);
      press(place);
    } else return;
    event.preventDefault();
  });
})();
