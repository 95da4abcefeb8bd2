// Daily bars by Chart.js from a JSON block: <canvas data-chart="id-of-json">. Colours come from the tokens.
// {kind: "money" | "count", labels, titles, series: [{label, values, texts?, slot?}], sums: {label, values, texts?} |
//  undefined, projected: {label, values, texts?} | null, pace: {label, value} | null, mark: {index, label} | null,
//  before: {label, values, texts} | undefined, opens: [id of the link a bar presses], chosen: index | null, help}.
// Amounts are decimal texts; they become numbers only to be drawn. What a bar says is chart_tips.js.
(() => {
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const COLOURS = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-other"];

  function hatch(context) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 12;
    const pen = tile.getContext("2d");
    pen.strokeStyle = token("--hatch");
    pen.lineWidth = 1.6;
    for (const shift of [-12, 0, 12]) {
      pen.beginPath();
      pen.moveTo(shift, 12);
      pen.lineTo(shift + 12, 0);
      pen.stroke();
    }
    const pattern = context.createPattern(tile, "repeat");
    pattern.setTransform(new DOMMatrix().scale(0.5));
    return pattern;
  }

  // Behind the bars: the day that is open, and left of each stack, thin, the same of the period before.
  const grounds = {
    id: "xu-grounds",
    beforeDatasetsDraw(chart) {
      const { data } = chart.config.options.xu;
      const { ctx, chartArea, scales } = chart;
      const bars = chart.getDatasetMeta(0).data;
      ctx.save();
      if (data.chosen != null && bars[data.chosen]) {
        const { x, width } = bars[data.chosen];
        ctx.fillStyle = token("--sunken");
        ctx.fillRect(x - width / 2 - 3, chartArea.top - 14, width + 6, chartArea.bottom - chartArea.top + 14);
      }
      if (data.before) {
        ctx.globalAlpha = 0.55;
        ctx.fillStyle = token("--line-strong");
        data.before.values.forEach((value, index) => {
          const { x, width } = bars[index];
          const thin = Math.max(2, width / 4);
          const y = scales.y.getPixelForValue(Number(value));
          if (Number(value)) ctx.fillRect(x - width / 2 - thin - 1, y, thin, chartArea.bottom - y);
        });
      }
      ctx.restore();
    },
  };

  const lines = {
    id: "xu-lines",
    afterDatasetsDraw(chart) {
      const { data } = chart.config.options.xu;
      const { ctx, chartArea, scales } = chart;
      if (data.pace) {
        const y = scales.y.getPixelForValue(Number(data.pace.value));
        ctx.save();
        ctx.setLineDash([5, 4]);
        ctx.strokeStyle = token("--ink-2");
        ctx.lineWidth = 1.5;
        ctx.beginPath();
        ctx.moveTo(chartArea.left, y);
        ctx.lineTo(chartArea.right, y);
        ctx.stroke();
        ctx.restore();
      }
      if (data.mark) {
        const { index, label } = data.mark;
        const x = scales.x.getPixelForValue(index);
        const top = chart.data.datasets.reduce((sum, one) => sum + (one.data[index] || 0), 0);
        const y = Math.max(scales.y.getPixelForValue(top) - 10, chartArea.top + 12);
        ctx.save();
        ctx.fillStyle = token("--warn");
        ctx.beginPath();
        ctx.arc(x, y, 4, 0, 7);
        ctx.fill();
        ctx.fillStyle = token("--warn-ink");
        ctx.font = "600 11px " + token("--sans");
        ctx.textAlign = x > chartArea.right - 60 ? "right" : "center";
        ctx.strokeStyle = token("--surface");
        ctx.lineWidth = 4;
        ctx.lineJoin = "round";
        ctx.strokeText(label, x, y - 9);
        ctx.fillText(label, x, y - 9);
        ctx.restore();
      }
    },
  };

  const money = (digits) =>
    new Intl.NumberFormat(document.documentElement.lang, {
      style: "currency",
      currency: "USD",
      currencyDisplay: "narrowSymbol",
      maximumFractionDigits: digits,
      minimumFractionDigits: digits,
    });

  const barWidth = (data) => (data.before ? 0.58 : 0.86);
  // Every fifth label, and that of the open day, in bold, in place of its neighbours'.
  const labelOf = (data, index) => {
    const isNear = data.chosen != null && Math.abs(index - data.chosen) === 1;
    const isFifth = index === 0 || (index + 1) % 5 === 0;
    return index === data.chosen || (isFifth && !isNear) ? data.labels[index] : "";
  };
  const press = (data, index) => document.getElementById(data.opens?.[index] || "")?.click();
  const tell = (chart, index) =>
    document.dispatchEvent(new CustomEvent("chartbar", { detail: { chart, index } }));

  function draw(canvas) {
    Chart.getChart(canvas)?.destroy();
    const source = document.getElementById(canvas.dataset.chart);
    if (!source) return;
    const data = JSON.parse(source.textContent);
    const text = (value) => (data.kind === "money" ? money(2).format(value) : String(value));
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    if (data.help) canvas.setAttribute("aria-description", data.help);
    canvas.toggleAttribute("data-opens", Boolean(data.opens?.length));
    // An axis says whole dollars, or cents at every line: never $0.5.
    const axisText = (value, index, ticks) => {
      const isWhole = ticks.every((tick) => Number.isInteger(tick.value));
      return data.kind === "money" ? money(isWhole ? 0 : 2).format(value) : String(value);
    };
    const bars = data.series.map((one, index) => ({
      label: one.label,
      data: one.values.map(Number),
      backgroundColor: token(COLOURS[Math.min((one.slot || index + 1) - 1, 4)]),
      hoverBackgroundColor: token(COLOURS[Math.min((one.slot || index + 1) - 1, 4)]),
      stack: "s",
      borderColor: token("--surface"),
      borderWidth: { top: 1.5, right: 0, bottom: 0, left: 0 },
      borderRadius: { topLeft: 2, topRight: 2 },
      borderSkipped: false,
      categoryPercentage: 0.92,
      barPercentage: barWidth(data),
    }));
    if (data.projected)
      bars.push({
        label: data.projected.label,
        data: data.projected.values.map(Number),
        stack: "s",
        backgroundColor: hatch(canvas.getContext("2d")),
        borderColor: token("--hatch"),
        borderWidth: 1,
        borderRadius: { topLeft: 2, topRight: 2 },
        borderSkipped: false,
        categoryPercentage: 0.92,
        barPercentage: barWidth(data),
      });
    new Chart(canvas, {
      type: "bar",
      data: { labels: data.labels, datasets: bars },
      plugins: [grounds, lines],
      options: {
        xu: { data, text, press: (index) => press(data, index) },
        onHover: (_event, bars, chart) => tell(chart, bars[0]?.index ?? null),
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        layout: { padding: { top: 14 } },
        interaction: { mode: "index", intersect: false },
        font: { family: token("--sans") },
        plugins: {
          legend: { display: false },
          tooltip: { enabled: false },
        },
        scales: {
          x: {
            stacked: true,
            grid: { display: false },
            border: { display: false },
            ticks: {
              color: token("--ink-2"),
              font: ({ index }) => ({
                size: 11,
                family: token("--sans"),
                weight: index === data.chosen ? 600 : 400,
              }),
              autoSkip: false,
              maxRotation: 0,
              callback: (_value, index) => labelOf(data, index),
            },
          },
          y: {
            stacked: true,
            beginAtZero: true,
            suggestedMax: data.before ? Math.max(...data.before.values.map(Number)) : undefined,
            border: { display: false },
            grid: { color: token("--line") },
            ticks: {
              color: token("--ink-2"),
              font: { size: 11, family: token("--sans") },
              maxTicksLimit: 5,
              precision: data.kind === "count" ? 0 : undefined,
              callback: axisText,
            },
          },
        },
      },
    });
  }

  const drawAll = (root) => root.querySelectorAll?.("canvas[data-chart]").forEach(draw);
  document.addEventListener("themechange", () => drawAll(document));
  document.addEventListener("htmx:afterSettle", (event) =>
    drawAll(event.detail.target.isConnected ? event.detail.target : document),
  );
  drawAll(document);
})();
