"use strict";
// The server writes each decision before it answers; this page only shows what it says.
const $ = id => document.getElementById(id);

let review = null;
let current = 0; // index of the stretch that is shown
let frame = 0; // index of its frame that is shown large
let first = 0; // the frames that a decision concerns
let last = 0;
let work = Promise.resolve(); // what is asked for is done in turn: no key is lost while the server writes

async function load() {
  try {
    const answer = await fetch("v1/review");
    if (!answer.ok) throw new Error((await answer.json()).detail);
    review = await answer.json();
  } catch (error) {
    tell(`The list cannot be had: ${error.message}`);
    return;
  }
  $("file").textContent = review.file;
  if (!review.stretches.length) {
    $("progress").textContent = "No label is in doubt: there is nothing to decide.";
    return;
  }
  makeChoices();
  const open = review.stretches.findIndex(stretch => !stretch.decision);
  show(open < 0 ? 0 : open);
}

function readable(name) {
  return name.replaceAll("_", " ");
}

function tell(text) {
  $("message").textContent = text;
  $("message").hidden = !text;
}

function choice(key, text, decide) {
  const button = document.createElement("button");
  const shown = document.createElement("kbd");
  button.type = "button";
  shown.textContent = key;
  button.append(text, shown);
  button.addEventListener("click", () => inTurn(decide));
  $("choices").append(button);
  return button;
}

// Keep, one button for each class, drop; the keys of the first nine classes are their numbers.
function makeChoices() {
  choice("K", "Keep the label", keep).id = "keep";
  choice("S", "Take the suggestion", () => decide(stretch().suggested)).id = "suggestion";
  review.classes.forEach((name, number) => {
    choice(number < 9 ? String(number + 1) : "", readable(name), () => decide(name)).dataset.label = name;
  });
  choice("D", "Drop these frames", () => decide(null)).id = "drop";
}

function stretch() {
  return review.stretches[current];
}

function show(number) {
  current = number;
  const shown = stretch();
  frame = Math.floor(shown.rows.length / 2);
  first = 0;
  last = shown.rows.length - 1;
  $("shown").hidden = false;
  $("title").textContent = `Stretch ${shown.number} of ${review.stretches.length}`;
  $("label").textContent = readable(shown.label);
  const sure = shown.probably_wrong === "yes" ? "probably right" : "in doubt";
  $("suggested").textContent = `${readable(shown.suggested)} (${sure}, score ${shown.score.toFixed(2)})`;
  $("run").textContent = shown.run;
  $("split").textContent = shown.split;
  $("strip").replaceChildren(...shown.rows.map((row, place) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    const image = document.createElement("img");
    image.src = `v1/frames/${row}`;
    image.alt = shown.names[place];
    image.loading = "lazy";
    button.type = "button";
    button.append(image);
    button.addEventListener("click", () => showFrame(place));
    item.append(button);
    return item;
  }));
  $("suggestion").className = shown.probably_wrong === "yes" ? "primary" : "";
  showFrame(frame);
  showDecision();
}

function showFrame(place) {
  const shown = stretch();
  frame = Math.min(Math.max(place, 0), shown.rows.length - 1);
  $("frame").src = `v1/frames/${shown.rows[frame]}`;
  $("frame").alt = `${shown.names[frame]}, labeled ${readable(shown.label)}`;
  $("name").textContent = shown.names[frame];
  $("place").textContent = `frame ${frame + 1} of ${shown.rows.length}`;
  const buttons = [...$("strip").querySelectorAll("button")];
  buttons.forEach((button, number) => {
    button.toggleAttribute("aria-current", false);
    button.classList.toggle("concerned", number >= first && number <= last);
  });
  buttons[frame].setAttribute("aria-current", "true");
  $("strip").scrollLeft = buttons[frame].offsetLeft - $("strip").offsetLeft - $("strip").clientWidth / 2;
  const all = first === 0 && last === shown.rows.length - 1;
  $("range").textContent = all ? `all ${shown.rows.length} frames` : `${shown.names[first]} – ${shown.names[last]}`;
}

function showDecision() {
  const shown = stretch();
  $("decision").textContent = shown.decision ? said(shown) : "Not decided yet.";
  $("decision").className = shown.decision ? "done" : "";
  const done = review.stretches.filter(each => each.decision).length;
  $("progress").textContent = done === review.stretches.length
    ? `All ${done} stretches are decided. You can close this page.`
    : `${done} of ${review.stretches.length} stretches decided`;
  $("bar").max = review.stretches.length;
  $("bar").value = done;
}

function said(shown) {
  const counts = new Map();
  shown.decision.forEach((label, place) => {
    const word = label === null ? "dropped" : label === shown.labels[place] ? "label kept" : `now ${readable(label)}`;
    counts.set(word, (counts.get(word) || 0) + 1);
  });
  const parts = [...counts].map(([word, count]) => (counts.size === 1 ? word : `${word} (${count})`));
  return `Decided: ${parts.join(", ")}.`;
}

function keep() {
  first = 0;
  last = stretch().rows.length - 1;
  return decide(stretch().label);
}

async function decide(label) {
  const asked = { stretch: stretch().number, label, first, last };
  const answer = await post("v1/decisions", asked);
  if (!answer) return;
  take(answer);
  const open = review.stretches.findIndex((each, number) => number > current && !each.decision);
  const any = review.stretches.findIndex(each => !each.decision);
  if (open >= 0 || any >= 0) show(open >= 0 ? open : any);
  else show(current);
}

async function undo() {
  const answer = await post("v1/undo", {});
  if (!answer) return;
  if (answer.number === null) {
    tell("There is nothing to undo: earlier decisions are changed by deciding again.");
    return;
  }
  take(answer);
  show(answer.number - 1);
}

async function post(address, content) {
  tell("");
  try {
    const answer = await fetch(address, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content),
    });
    const told = await answer.json();
    if (answer.ok) return told;
    tell(`Not written: ${typeof told.detail === "string" ? told.detail : "the server did not understand"}`);
  } catch {
    tell("Not written: the server does not answer. Is `weldbench review` running?");
  }
  return null;
}

function take(answer) {
  review.stretches[answer.number - 1].decision = answer.decision;
}

function inTurn(action) {
  work = work.then(action);
}

function step(by) {
  const next = current + by;
  if (next >= 0 && next < review.stretches.length) show(next);
}

const KEYS = {
  k: keep, s: () => decide(stretch().suggested), d: () => decide(null), u: undo, n: () => step(1), p: () => step(-1),
  ArrowLeft: () => showFrame(frame - 1), ArrowRight: () => showFrame(frame + 1),
  b: () => document.body.classList.toggle("bright"),
  "[": () => { first = frame; last = Math.max(last, frame); showFrame(frame); },
  "]": () => { last = frame; first = Math.min(first, frame); showFrame(frame); },
};

addEventListener("keydown", event => {
  if (!review || !review.stretches.length || event.ctrlKey || event.metaKey || event.altKey || event.repeat && !event.key.startsWith("Arrow")) return;
  const number = /^[1-9]$/.test(event.key) ? Number(event.key) - 1 : -1;
  const name = review.classes[number];
  const action = name !== undefined ? () => decide(name) : KEYS[event.key] || KEYS[event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  inTurn(action);
});
$("undo").addEventListener("click", () => inTurn(undo));
$("previous").addEventListener("click", () => inTurn(() => step(-1)));
$("next").addEventListener("click", () => inTurn(() => step(1)));
load();
