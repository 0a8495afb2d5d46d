// A slider over the events of a run with marks, and a button that plays them: a part of a bar (toolbar.js).

const SPEEDS = ["0.5", "1", "2", "4"];
const WAIT_MS = 80; // a slider that is dragged tells no more often where it is

function fillScrubber(part, { label, value, last, words, marks, disabled, hold_ms }, send) {
  const slider = part.slider ??= buildScrubber(part);
  part.send = send;
  part.holdMs = hold_ms;
  slider.input.max = last;
  slider.input.ariaLabel = label;
  slider.input.setAttribute("aria-valuetext", words);
  if (!part.isDragged) slider.input.value = value; // else a person may be on the way to another place
  fillTrack(slider.input);
  for (const control of [slider.play, slider.input, slider.speed]) control.disabled = disabled;
  const places = JSON.stringify([marks, last]);
  if (part.places !== places) {
    part.places = places;
    slider.marks.replaceChildren(...marks.map(mark => {
      const made = document.createElement("i");
      made.style.left = 100 * mark / Math.max(last, 1) + "%";
      return made;
    }));
  }
  if (part.isPlaying) {
    if (value >= last && part.hasStepped) stopPlay(part);
    else if (value !== part.at || !part.timer) nextStep(part);
  }
  part.at = value;
}

function buildScrubber(part) {
  const make = (tag, className) => Object.assign(document.createElement(tag), { className });
  const play = make("button", "tertiary play"), speed = make("select", "speed"), track = make("span", "track");
  const input = Object.assign(make("input", ""), { type: "range", min: 0, step: 1 }), marks = make("span", "marks");
  marks.ariaHidden = "true";
  speed.ariaLabel = "Speed of play";
  speed.title = "Speed of play";
  speed.replaceChildren(...SPEEDS.map(each => new Option(each + "×", each, each === "1", each === "1")));
  track.append(marks, input);
  part.element.classList.add("scrubber");
  part.element.append(play, track, speed);
  play.addEventListener("click", () => { if (part.isPlaying) pausePlay(part); else startPlay(part); });
  input.addEventListener("input", () => {
    part.isDragged = true;
    fillTrack(input);
    clearTimeout(part.dragTimer);
    part.dragTimer = setTimeout(() => goTo(part, Number(input.value)), WAIT_MS);
  });
  showPlay({ slider: { play } }, false);
  return { play, input, speed, marks };
}

function fillTrack(input) {
  input.style.setProperty("--share", 100 * input.value / Math.max(input.max, 1) + "%");
}

function goTo(part, place) {
  part.isDragged = false;
  if (part.isPlaying) stopPlay(part);
  part.send(place);
}

function startPlay(part) {
  part.isPlaying = true;
  part.hasStepped = false;
  showPlay(part, true);
  takeStep(part);
}

function pausePlay(part) {
  stopPlay(part);
  part.send("pause");
}

function stopPlay(part) {
  part.isPlaying = false;
  clearTimeout(part.timer);
  part.timer = undefined;
  showPlay(part, false);
}

function nextStep(part) {
  clearTimeout(part.timer);
  part.timer = setTimeout(() => takeStep(part), part.holdMs / Number(part.slider.speed.value));
}

function takeStep(part) {
  part.timer = undefined;
  if (!part.isPlaying || !part.element.isConnected) return stopPlay(part);
  part.hasStepped = true;
  part.send("play");
}

function showPlay(part, isPlaying) {
  part.element?.classList.toggle("playing", isPlaying);
  const { play } = part.slider, words = isPlaying ? "Pause the play" : "Play the events";
  const icon = document.createElement("span");
  icon.className = "icon";
  icon.ariaHidden = "true";
  icon.textContent = isPlaying ? "pause" : "play_arrow";
  play.ariaLabel = words;
  play.title = words + (isPlaying ? "" : ": nothing is run, the cursor moves event by event") + " (Space)";
  play.replaceChildren(icon);
}
