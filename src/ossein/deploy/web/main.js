// The page: opens a model and a recording, plays it, and shows what the model says as it goes on.

import { Bars, choose, percent } from "./bars.js";
import { Chart } from "./chart.js";
import { Model } from "./model.js";
import { Player } from "./player.js";
import { readRecording } from "./recording.js";
import { slidingWindows } from "./resample.js";

const FEW = 60; // windows along a recording, where it is short
const MANY = 400; // at most, so that a long one does not take minutes
const $ = (id) => document.getElementById(id);
const [player, chart, bars] = [new Player($("stage")), new Chart($("chart")), new Bars($("bars"))];
const state = { model: null, recording: null, fitted: null, windows: [], rows: [], frame: 0, playing: false, asked: 0 };

/** Show what goes on, or what went wrong. */
function say(text, wrong = false) {
  $("status").textContent = text;
  $("status").classList.toggle("wrong", wrong);
}

const counted = (number, one, more) => `${number} ${number === 1 ? one : more}`;

async function openModel(file) {
  say("Loading the model …");
  state.fitted = null;
  state.model = await Model.load(file);
  const { preset, skeleton, dims } = state.model.said;
  const classes = counted(state.model.classes.length, "class", "classes");
  $("model").textContent = `${classes}, ${skeleton.name} in ${dims}-D, preset ${preset}`;
}

function openRecording(text, name) {
  state.recording = readRecording(JSON.parse(text), name, state.model?.said.dims ?? 2);
  const { frames, rate } = state.recording;
  $("recording").textContent = `${state.recording.name}: ${counted(frames, "frame", "frames")} at ${Math.round(rate)} a second`;
  $("scrub").max = frames - 1;
  $("width").max = frames;
}

/** The window along the recording: as long as the clips that the model learned from, but short enough to slide. */
function fitWindow() {
  const [{ frames, rate }, { clips }] = [state.recording, state.model.said];
  const usual = (clips.frames ?? frames) * (clips.rate ? rate / clips.rate : 1);
  $("width").value = Math.max(1, Math.round(Math.min(usual, frames / 2)));
}

/** Ask the model about the whole recording and about windows along it, and show the answers. */
async function ask() {
  const { model, recording } = state;
  if (!model || !recording) return say(model ? "Now drop a recording (JSON)." : "Drop a model that 'ossein export' wrote.");
  const problem = model.problem(recording);
  if (problem) throw new Error(problem);
  const asked = ++state.asked;
  if (recording !== state.fitted) {
    player.show(recording, model.said.skeleton);
    fitWindow();
    state.fitted = recording;
  }
  const width = Number($("width").value);
  // Four in the time of each, as a timeline has them: with fewer, what lasts as long as a window falls between two.
  const most = Math.min(MANY, Math.max(FEW, Math.ceil((4 * recording.frames) / width)));
  const windows = slidingWindows(recording.frames, width, most);
  const whole = await model.whole(recording);
  const rows = await model.run(recording, windows);
  if (asked !== state.asked) return; // a later question is on its way
  Object.assign(state, { windows, rows });
  showAnswers(whole);
}

function showAnswers(whole) {
  const { model, recording, windows, rows } = state;
  const shown = choose(whole, rows);
  bars.show(shown, model.classes, whole);
  const curves = shown.map((k, i) => ({ colour: `--class-${i}`, points: rows.map((row, n) => [windows[n].middle, row[k]]) }));
  chart.show(curves, recording.frames, recording.rate);
  const best = whole.indexOf(Math.max(...whole));
  const unsure = whole[best] < model.said.sure ? "nothing known; nearest: " : "";
  $("answer").textContent = `${unsure}${model.classes[best]}, ${percent(whole[best])}`;
  $("answer").dataset.probabilities = JSON.stringify(whole);
  $("length").textContent = `${(Number($("width").value) / recording.rate).toFixed(1)} s`;
  say("");
  document.body.classList.add("ready");
  seek(Math.min(state.frame, recording.frames - 1));
}

function seek(frame) {
  state.frame = frame;
  const whole = Math.floor(frame);
  $("scrub").value = whole;
  $("time").textContent = `${(whole / state.recording.rate).toFixed(1)} s`;
  player.seek(whole);
  chart.seek(frame);
  const { windows, rows } = state;
  const nearest = windows.reduce((best, one, n) => (Math.abs(one.middle - frame) < Math.abs(windows[best].middle - frame) ? n : best), 0);
  if (rows.length) bars.set(rows[nearest]);
}

function play(on) {
  state.playing = on && Boolean(state.recording);
  $("play").textContent = state.playing ? "Pause" : "Play";
  let last = performance.now();
  const step = (now) => {
    if (!state.playing) return;
    const next = state.frame + ((now - last) / 1000) * state.recording.rate;
    last = now;
    seek(next % state.recording.frames);
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

/** Run what may fail, and say how it did. */
async function attempt(action) {
  try {
    await action();
  } catch (error) {
    say(error instanceof SyntaxError ? "The recording is not valid JSON." : error.message, true);
  }
}

async function openFiles(files) {
  play(false);
  await attempt(async () => {
    // The model first: it decides which coordinates of a recording are read.
    for (const file of [...files].sort((a, b) => b.name.endsWith(".onnx") - a.name.endsWith(".onnx"))) {
      if (file.name.endsWith(".onnx")) await openModel(await file.arrayBuffer());
      else openRecording(await file.text(), file.name.replace(/\.json$/, ""));
    }
    state.frame = 0;
    await ask();
  });
}

async function start() {
  const [model, recording] = await Promise.all(["model.onnx", "recording.json"].map((name) => fetch(name)));
  await attempt(async () => {
    if (model.ok) await openModel(await model.arrayBuffer());
    if (recording.ok) openRecording(await recording.text(), "recording");
    await ask();
  });
}

$("play").addEventListener("click", () => play(!state.playing));
$("scrub").addEventListener("input", () => (play(false), state.recording && seek(Number($("scrub").value))));
$("width").addEventListener("change", () => attempt(ask));
$("open").addEventListener("change", () => openFiles($("open").files));
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  openFiles(event.dataTransfer.files);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (player.draw(), chart.draw()));
start();
