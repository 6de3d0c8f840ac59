"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const option = (value, text = value) => new Option(text, value);
const state = { sort: null, down: true, zoom: 1, x: 0.5, y: 0.5, pictures: [] };
const SIZE = 256;
const short = (number) => {
  for (const [unit, size] of [["T", 1e12], ["G", 1e9], ["M", 1e6], ["K", 1e3]])
    if (number >= size) return (number / size).toPrecision(4) + " " + unit;
  return String(number);
};

// A setting has a full name, by all its overrides, and a short one, by what tells it from the others.
const called = (setting) => data.names[setting] ?? setting;
const wrapped = (text) => text.replace(/(.{60,}?) /g, "$1<br>");
const told = (setting) => `<b>${called(setting)}</b>` + (called(setting) === setting ? "" : "<br>" + wrapped(setting));

// The rows of the chosen table whose setting has all words of the filter.
function matching(setting) {
  const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean), text = (setting + " " + called(setting)).toLowerCase();
  return words.every((word) => text.includes(word));
}
const chosen = () => data.rows.filter((row) => row.table === $("table").value && matching(row.setting));
const metrics = (rows) => [...new Set(rows.flatMap((row) => Object.keys(row.values)))];

function columns(rows) {
  const number = (key, title, text = short) => ({ key, title, value: (row) => row[key], text: (row) => (row[key] == null ? "" : text(row[key])) });
  return [
    { key: "setting", title: "setting", value: (row) => called(row.setting), text: (row) => called(row.setting) },
    ...metrics(rows).map((metric) => {
      const unit = rows.find((row) => row.values[metric]).values[metric].unit;
      return { key: metric, title: unit ? `${metric} [${unit}]` : metric, metric, value: (row) => row.values[metric]?.mean, text: (row) => row.values[metric]?.mean?.toFixed(unit === "dB" ? 3 : 4) ?? "" };
    }),
    number("seeds", "runs", String), number("parameters", "parameters"), number("multiply_adds", "multiply-adds"),
    number("seconds", "s / image", (seconds) => seconds.toPrecision(3)),
  ];
}

function board() {
  const rows = chosen(), all = columns(rows), [head, body] = [$("board").tHead, $("board").tBodies[0]];
  const column = all.find((one) => one.key === state.sort);
  if (column) {
    const sign = state.down ? -1 : 1;
    rows.sort((a, b) => {
      const [x, y] = [column.value(a), column.value(b)];
      if (x == null || y == null) return (x == null) - (y == null);  // what is not known comes last
      return sign * (typeof x === "string" ? x.localeCompare(y, undefined, { numeric: true }) : x - y);
    });
  }
  head.replaceChildren(head.insertRow());
  for (const one of all) {
    const cell = document.createElement("th");
    cell.textContent = one.title;
    if (one.key === state.sort) cell.ariaSort = state.down ? "descending" : "ascending";
    cell.onclick = () => {
      state.down = state.sort === one.key ? !state.down : one.key !== "setting" && !data.lower.includes(one.key);
      state.sort = one.key;
      board();
    };
    head.rows[0].append(cell);
  }
  body.replaceChildren();
  for (const row of rows) {
    const line = body.insertRow();
    line.title = [row.setting, ...row.folders.slice(0, 5), ...(row.folders.length > 5 ? ["..."] : [])].join("\n");
    for (const one of all) {
      const cell = line.insertCell();
      cell.textContent = one.text(row);
      const sd = one.metric && row.values[one.metric]?.sd;
      if (sd != null && sd !== undefined) cell.insertAdjacentHTML("beforeend", ` <span class="sd">± ${sd.toPrecision(2)}</span>`);
    }
  }
  $("count").textContent = `${rows.length} of ${data.rows.filter((row) => row.table === $("table").value).length} settings`;
}

const layout = (x, y, more = {}) => ({ margin: { l: 60, r: 10, t: 30, b: 45 }, xaxis: { title: { text: x }, ...more }, yaxis: { title: { text: y } }, hovermode: "closest" });

function pareto() {
  const rows = chosen(), metric = metrics(rows)[0], cost = $("cost").value;
  const points = rows.filter((row) => row[cost] != null && row.values[metric]?.mean != null).sort((a, b) => a[cost] - b[cost]);
  const better = (a, b) => (data.lower.includes(metric) ? a < b : a > b);
  const front = [];
  for (const row of points) if (!front.length || better(row.values[metric].mean, front.at(-1).values[metric].mean)) front.push(row);
  const xy = (some) => ({ x: some.map((row) => row[cost]), y: some.map((row) => row.values[metric].mean) });
  const named = (row) => (front.includes(row) || points.length <= 6 ? called(row.setting) : "");
  const traces = [
    { ...xy(front), mode: "lines", line: { shape: "hv", dash: "dot", color: "#9aa3b2" }, name: "best for its cost", hoverinfo: "skip" },
    { ...xy(points), text: points.map(named), customdata: points.map((row) => told(row.setting)), mode: "markers+text", textposition: "bottom right",
      textfont: { size: 11 }, marker: { size: 8, color: points.map((row) => (front.includes(row) ? "#d62728" : "#1f77b4")) },
      hovertemplate: "%{customdata}<br>%{x:.4s}: %{y:.3f}<extra></extra>", name: "settings",
      error_y: { array: points.map((row) => row.values[metric].sd ?? 0), visible: true, thickness: 1, color: "#9aa3b2" } },
  ];
  Plotly.react("pareto", points.length ? traces : [], { ...layout($("cost").selectedOptions[0].text, metric ?? "", { type: "log" }), showlegend: false }, { responsive: true, displaylogo: false });
}

function curves() {
  const metric = $("curve").value, place = new Map(chosen().map((row, index) => [row.setting, index]));
  const all = data.runs.filter((run) => run.curves[metric] && matching(run.setting));
  const settings = [...new Set(all.map((run) => run.setting))].sort((a, b) => (place.get(a) ?? Infinity) - (place.get(b) ?? Infinity) || 0);
  const best = new Map(settings.slice(0, Number($("most").value)).map((setting, index) => [setting, index]));
  const runs = all.filter((run) => best.has(run.setting)).sort((a, b) => best.get(a.setting) - best.get(b.setting));
  const colours = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf"];
  const traces = runs.map((run, index) => ({
    x: run.curves[metric][0], y: run.curves[metric][1], type: runs.length > 30 ? "scattergl" : "scatter", mode: "lines",
    line: { width: 1.4, color: colours[best.get(run.setting) % colours.length] }, name: called(run.setting), legendgroup: run.setting,
    showlegend: best.size <= 30 && runs[index - 1]?.setting !== run.setting,  // the seeds of a setting share a line
    hovertemplate: `${told(run.setting)}<br>seed ${run.seed}, iteration %{x}: %{y:.5g}<extra></extra>`,
  }));
  $("drawn").textContent = best.size < settings.length ? `${best.size} of ${settings.length} settings` : "";
  Plotly.react("curves", traces, layout("iteration", metric), { responsive: true, displaylogo: false });
}

// Images: every picture is drawn from one view, (x, y) its centre from 0 to 1 and the zoom.
const load = (url) => new Promise((done) => { const image = new Image(); image.onload = () => done(image); image.src = url; });

function pixelsOf(image, width, height) {
  const canvas = new OffscreenCanvas(width, height), context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(image, 0, 0, width, height);
  return [canvas, context.getImageData(0, 0, width, height)];
}

function errorMap(image, truth, gain) {
  const [canvas, pixels] = pixelsOf(image, truth.width, truth.height), [, other] = pixelsOf(truth, truth.width, truth.height);
  for (let place = 0; place < pixels.data.length; place += 4)
    for (let channel = 0; channel < 3; channel++) {
      const wrong = Math.abs(pixels.data[place + channel] - other.data[place + channel]);
      pixels.data[place + channel] = Math.min(255, gain * wrong);
    }
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

function paint(canvas, picture, from = 0, to = 1) {
  const context = canvas.getContext("2d"), side = 1 / state.zoom;
  const left = Math.min(Math.max(state.x - side / 2, 0), 1 - side), top = Math.min(Math.max(state.y - side / 2, 0), 1 - side);
  context.imageSmoothingEnabled = false;
  context.save();
  context.beginPath();
  context.rect(from * canvas.width, 0, (to - from) * canvas.width, canvas.height);
  context.clip();
  context.drawImage(picture, left * picture.width, top * picture.height, side * picture.width, side * picture.height, 0, 0, canvas.width, canvas.height);
  context.restore();
}

function shown() {
  const truth = state.pictures.at(-1);
  return $("errors").checked ? state.pictures.map((one) => errorMap(one, truth, Number($("gain").value))) : state.pictures;
}

function draw() {
  const pictures = state.shown;
  if (!pictures?.length) return;
  $("panels").querySelectorAll("canvas").forEach((canvas, place) => paint(canvas, pictures[place]));
  const cut = Number($("wipe").value) / 1000, wiper = $("wiper");
  paint(wiper, pictures[$("left").selectedIndex], 0, cut);
  paint(wiper, pictures[$("right").selectedIndex], cut, 1);
  wiper.getContext("2d").fillRect(cut * wiper.width - 1, 0, 2, wiper.height);
}

function follow(canvas) {
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    state.zoom = Math.min(24, Math.max(1, state.zoom * (event.deltaY < 0 ? 1.25 : 0.8)));
    draw();
  }, { passive: false });
  canvas.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    const within = (value) => Math.min(1 - 0.5 / state.zoom, Math.max(0.5 / state.zoom, value));
    state.x = within(state.x - event.movementX / canvas.clientWidth / state.zoom);
    state.y = within(state.y - event.movementY / canvas.clientHeight / state.zoom);
    draw();
  });
}

async function image() {
  const one = data.images[$("image").selectedIndex];
  state.pictures = await Promise.all(one.panels.map((panel) => load(panel.png)));
  const truth = state.pictures.at(-1);
  $("panels").replaceChildren(...one.panels.map((panel) => {
    const figure = document.createElement("figure"), caption = document.createElement("figcaption"), canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [SIZE, Math.round((SIZE * truth.height) / truth.width)];
    caption.textContent = `${called(panel.name)} ${panel.score}`;
    caption.title = panel.name;
    follow(canvas);
    figure.append(canvas, caption);
    return figure;
  }));
  $("wiper").height = Math.round(($("wiper").width * truth.height) / truth.width);
  for (const [id, place] of [["left", 1], ["right", one.panels.length - 2]]) {
    $(id).replaceChildren(...one.panels.map((panel) => option(panel.name, called(panel.name))));
    $(id).selectedIndex = place;
  }
  state.shown = shown();
  draw();
}

function start() {
  $("title").textContent = data.title;
  $("table").append(...[...new Set(data.rows.map((row) => row.table))].map((name) => option(name)));
  $("curve").append(...[...new Set(data.runs.flatMap((run) => Object.keys(run.curves)))].map((name) => option(name)));
  const plots = () => { pareto(); curves(); }, all = () => { board(); plots(); };
  let waiting;
  $("table").onchange = all;
  $("filter").oninput = () => { board(); clearTimeout(waiting); waiting = setTimeout(plots, 120); };
  $("cost").onchange = pareto;
  $("curve").onchange = $("most").onchange = curves;
  if (!data.runs.length) $("curves-section").hidden = true;
  if (data.images.length) {
    $("image").append(...data.images.map((one) => option(one.name)));
    $("image").onchange = image;
    $("left").onchange = $("right").onchange = $("wipe").oninput = draw;
    $("errors").onchange = $("gain").onchange = () => { state.shown = shown(); draw(); };
    $("reset").onclick = () => { Object.assign(state, { zoom: 1, x: 0.5, y: 0.5 }); draw(); };
    follow($("wiper"));
    image();
  } else $("viewer-section").hidden = true;
  all();
}
start();
