"use strict";
// Frames go to the server one after the other, two at a time; what comes back is kept in this page only.
const AT_ONCE = 2;
const FILM_FRAMES = 120; // pictures are kept of so many; the CSV has all
const $ = id => document.getElementById(id);

let model = null;
let token = sessionStorage.getItem("token") || "";
let results = []; // in the order in which the frames were chosen
let waiting = [];
let atWork = 0;
let selected = null;
let generation = 0; // rises when the film is cleared, so that late answers are dropped

function headers() {
  return token ? { Authorization: "Bearer " + token } : {};
}

async function loadModel() {
  let answer;
  try {
    answer = await fetch("v1/model", { headers: headers() });
  } catch {
    $("model").textContent = "The server does not answer. Is it running?";
    return;
  }
  $("token-form").hidden = answer.status !== 401;
  $("drop").hidden = !answer.ok;
  if (answer.status === 401) {
    $("model").textContent = token ? "The server does not accept this token." : "";
    $("token").focus();
    return;
  }
  if (!answer.ok) {
    $("model").textContent = "The server cannot say which model it has (status " + answer.status + ").";
    return;
  }
  model = await answer.json();
  const doubts = model.lineage.valid_doubts ?? [];
  const rule = model.good_class === null
    ? "No class is a good weld, so every frame is a defect."
    : model.threshold === null
    ? `A frame is a defect when ${readable(model.good_class)} is not its most probable class.`
    : `A frame is a defect when its defect score (1 − probability of ${readable(model.good_class)}) is above ` +
      (model.promise ? `${score(model.threshold)}, as a promise asks.`
        : doubts.length === 0
        ? `${score(model.threshold)}; that rejects about ${percent(model.false_rejects)} of good frames.`
        : `${score(model.threshold)}. This threshold is uncalibrated, as ${readable(doubts.join(" and "))}: ` +
          `it may reject quite another share of good frames than ${percent(model.false_rejects)}.`);
  const unknown = model.novelty_threshold === null ? ""
    : ` It is unknown when it is like none that the model learned from (novelty above ${model.novelty_threshold.toFixed(2)}).`;
  $("model").textContent = `Model ${model.model}, trained on ${model.dataset}. ${rule}${unknown}`;
  $("promise").hidden = !model.promise;
  if (model.promise) {
    const here = model.promise.vote_frames === 1 ? "This page shows frames of several welds side by side: "
      + "a weld is rejected if one of its frames is not good."
      : `This page judges each frame for itself, and the promise is about the vote over ${model.promise.vote_frames} ` +
        "frames of a weld, which programs get for a batch.";
    $("promise-text").textContent = `${model.promise.sentences} ${here}`;
    $("promise-conditions").textContent = model.promise.conditions;
  }
  $("drift").textContent = readable(model.drift[0].toUpperCase() + model.drift.slice(1)) + ".";
  $("drift").classList.toggle("changed", model.drift_changed);
  $("columns").hidden = model.temperature === null;
  $("novelty-title").hidden = $("novelty").hidden = model.novelty_threshold === null;
}

function readable(name) {
  return name.replaceAll("_", " ");
}

// The threshold of a promise may be near 0.
function score(value) {
  return value.toFixed(model.promise ? 6 : 3);
}

function percent(share) {
  return (100 * share).toFixed(share < 0.1 ? 1 : 0).replace(/\.0$/, "") + " %";
}

function add(files) {
  for (const file of files) {
    const result = { name: file.name, number: results.length, state: "waiting" };
    results.push(result);
    waiting.push({ file, result, generation });
  }
  work();
}

function work() {
  while (atWork < AT_ONCE && waiting.length) {
    const job = waiting.shift();
    atWork += 1;
    judge(job).finally(() => {
      atWork -= 1;
      if (job.generation === generation) finished(job.result);
      work();
    });
  }
  tellProgress();
}

async function judge({ file, result }) {
  try {
    for (;;) {
      const answer = await fetch("v1/predict?view=true", { method: "POST", headers: headers(), body: file });
      if (answer.status === 503) {
        const seconds = Number(answer.headers.get("Retry-After")) || 1;
        await new Promise(resolve => setTimeout(resolve, 1000 * seconds));
        continue;
      }
      const content = await answer.json();
      if (answer.ok) Object.assign(result, content, { name: file.name, state: "judged" });
      else Object.assign(result, { state: "error", error: content.detail });
      if (answer.status === 401) loadModel();
      return;
    }
  } catch {
    Object.assign(result, { state: "error", error: "the server did not answer" });
  }
}

function finished(result) {
  const done = results.filter(each => each.state !== "waiting");
  if (done.length > FILM_FRAMES) forget(done[done.length - 1 - FILM_FRAMES]);
  addToStrip(result);
  if (!selected || selected === lastShown) {
    select(result);
    lastShown = result;
  }
  tellCounts();
}

let lastShown = null; // the newest frame, which is followed until another one is selected

function forget(result) {
  result.button?.parentElement.remove();
  result.button = null;
  if (result !== selected) result.view = null;
}

function addToStrip(result) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = result.state === "error" ? "error" : result.decision;
  if (result.view) {
    const image = document.createElement("img");
    image.src = "data:image/png;base64," + result.view.frame;
    image.alt = "";
    button.append(image);
  }
  button.append(text("b", verdictWord(result)), text("span", result.class ? readable(result.class) : result.error),
    text("span", result.name));
  button.addEventListener("click", () => select(result));
  result.button = button;
  const item = document.createElement("li");
  item.append(button);
  item.number = result.number;
  // Two are judged at a time: the film keeps the order in which the frames were chosen.
  $("strip").insertBefore(item, [...$("strip").children].find(other => other.number < item.number) || null);
  $("film").hidden = false;
}

function text(tag, content) {
  const element = document.createElement(tag);
  element.textContent = content;
  return element;
}

function verdictWord(result) {
  if (result.state === "error") return "Not judged";
  return { good: "Good", defect: "Defect", unknown: "Unknown" }[result.decision];
}

function select(result) {
  if (selected && selected.button) selected.button.removeAttribute("aria-current");
  selected = result;
  result.button.setAttribute("aria-current", "true");
  $("shown").hidden = false;
  $("name").textContent = result.name;
  const isError = result.state === "error";
  $("decision").className = isError ? "error" : result.decision;
  $("decision").replaceChildren(verdictWord(result), text("small", isError ? `${result.name}: ${result.error}` : result.name));
  $("class").textContent = isError ? "–" : `${readable(result.class)}, ${percent(result.probabilities[result.class])}`;
  $("score").textContent = isError || result.defect_score === null ? "–"
    : score(result.defect_score) + (model.threshold === null ? "" : ` (a defect above ${score(model.threshold)})`);
  $("novelty").textContent = isError || result.novelty === null ? "–"
    : `${result.novelty.toFixed(2)} (unknown above ${model.novelty_threshold.toFixed(2)})`;
  $("probabilities").replaceChildren(...Object.entries(isError ? {} : result.probabilities).map(([name, share]) => {
    const item = document.createElement("li");
    item.append(text("b", readable(name)), text("span", percent(share)));
    if (result.calibrated) item.append(text("span", percent(result.calibrated[name])));
    item.firstChild.style.fontWeight = "inherit";
    item.style.setProperty("--share", 100 * share + "%");
    item.classList.toggle("top", name === result.class);
    return item;
  }));
  draw();
}

async function picture(base64) {
  const image = new Image();
  image.src = "data:image/png;base64," + base64;
  await image.decode();
  return image;
}

async function draw() {
  const result = selected;
  const view = result.view;
  $("picture").hidden = !view;
  $("heat-control").hidden = $("scale").hidden = !view || !view.heat_map;
  if (!view) return;
  const frame = await picture(view.frame);
  const heat = view.heat_map && $("heat").checked ? await picture(view.heat_map) : null;
  if (result !== selected) return;
  const canvas = $("frame");
  canvas.width = frame.naturalWidth;
  canvas.height = frame.naturalHeight;
  canvas.setAttribute("aria-label", `${result.name}: ${verdictWord(result)}, ${readable(result.class)}` +
    (heat ? ", with the heat map over it" : ""));
  const context = canvas.getContext("2d");
  context.drawImage(frame, 0, 0);
  if (heat) context.drawImage(colored(heat), 0, 0, canvas.width, canvas.height);
}

// From nothing over yellow to red; the browser smooths it when it is enlarged.
function colored(heat) {
  const canvas = document.createElement("canvas");
  canvas.width = heat.naturalWidth;
  canvas.height = heat.naturalHeight;
  const context = canvas.getContext("2d");
  context.drawImage(heat, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < pixels.data.length; i += 4) {
    const level = pixels.data[i] / 255;
    pixels.data.set([255, 200 - 160 * level, 0, 170 * level], i);
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

function tellProgress() {
  const left = waiting.length + atWork;
  $("progress").textContent = left ? `${left} of ${results.length} frames still to be judged` : "";
}

function tellCounts() {
  const count = word => results.filter(result => result.state !== "waiting" && verdictWord(result) === word).length;
  const broken = count("Not judged");
  const defects = count("Defect") === 1 ? "1 defect" : `${count("Defect")} defects`;
  const unknown = count("Unknown");
  $("counts").textContent = `${count("Good")} good, ${defects}` + (unknown ? `, ${unknown} unknown` : "") + (broken ? `, ${broken} not judged` : "");
  tellProgress();
}

function csv() {
  const classes = model.classes;
  const rows = results.filter(result => result.state !== "waiting").map(result => [
    result.name, result.class ?? "", ...classes.map(name => result.probabilities?.[name] ?? ""),
    ...classes.map(name => result.calibrated?.[name] ?? ""), result.defect_score ?? "", result.novelty ?? "",
    result.decision ?? "", result.error ?? "",
  ]);
  const head = ["frame", "class", ...classes.map(name => "p_" + name), ...classes.map(name => "calibrated_" + name),
    "defect_score", "novelty", "decision", "error"];
  return [head, ...rows].map(row => row.map(cell).join(",")).join("\n") + "\n";
}

// A text that a spreadsheet would take for a formula gets an apostrophe in front.
function cell(value) {
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? "'" + value : value;
  return /[",\r\n]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
}

function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
  link.download = "decisions.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function clear() {
  generation += 1;
  waiting = [];
  results = [];
  selected = lastShown = null;
  $("strip").replaceChildren();
  $("shown").hidden = $("film").hidden = true;
  tellProgress();
  $("choose").focus();
}

function alongFilm(event) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const buttons = [...$("strip").querySelectorAll("button")];
  const next = buttons[buttons.indexOf(document.activeElement) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.click();
}

$("choose").addEventListener("click", () => $("files").click());
$("files").addEventListener("change", event => {
  add(event.target.files);
  event.target.value = "";
});
$("heat").addEventListener("change", draw);
$("download").addEventListener("click", download);
$("clear").addEventListener("click", clear);
$("strip").addEventListener("keydown", alongFilm);
$("token-form").addEventListener("submit", event => {
  event.preventDefault();
  token = $("token").value.trim();
  sessionStorage.setItem("token", token);
  loadModel();
});
addEventListener("dragover", event => {
  event.preventDefault();
  document.body.classList.add("over");
});
addEventListener("dragleave", event => event.relatedTarget || document.body.classList.remove("over"));
addEventListener("drop", event => {
  event.preventDefault();
  document.body.classList.remove("over");
  if (model) add(event.dataTransfer.files);
});
loadModel();
