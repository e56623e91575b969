// What the light pages do by themselves: the code's countdown, one post per tap. Without it the pages still work.
"use strict";

const TICK_MS = 250;
const RETRY_MS = 2000;
const FETCH_MS = 8000;

// A time left that neither a sleeping computer (performance.now may stop) nor a wall clock set back can lengthen.
function startTimer(ms) {
  const ticked = performance.now();
  const wall = Date.now();
  return () => ms - Math.max(performance.now() - ticked, Date.now() - wall);
}

function rotate(stage) {
  const lost = document.querySelector("[data-lost]");
  let left;
  let longest = 0;
  let asking = false;
  let pause = () => 0;

  function begin() {
    const ms = Number(stage.querySelector("[data-remaining-ms]").dataset.remainingMs);
    longest = Math.max(longest, ms);
    left = startTimer(ms);
    show("live");
    draw();
  }

  function show(state) {
    stage.dataset.state = state;
    lost.hidden = state !== "lost";
  }

  function draw() {
    const ms = Math.max(left(), 0);
    stage.querySelector("[data-seconds]").textContent = String(Math.ceil(ms / 1000));
    stage.querySelector("[data-ring]").setAttribute("stroke-dashoffset", String(100 - (100 * ms) / longest));
  }

  async function ask() {
    asking = true;
    if (stage.dataset.state === "live") {
      show("asking");
    }
    try {
      const answer = await fetch(stage.dataset.cardUrl, {
        cache: "no-store",
        headers: { "hx-request": "true" }, // A part is wanted: 401, and no way to the sign-in elsewhere.
        signal: AbortSignal.timeout(FETCH_MS),
      });
      if (answer.redirected || (answer.status >= 400 && answer.status < 500)) {
        location.reload(); // Signed out, cancelled, forbidden: the page itself says it in words.
        return;
      }
      if (!answer.ok) {
        throw new Error(String(answer.status));
      }
      stage.innerHTML = await answer.text();
      begin();
    } catch {
      show("lost");
      pause = startTimer(RETRY_MS);
    } finally {
      asking = false;
    }
  }

  function tick() {
    draw();
    if (left() <= 0 && pause() <= 0 && !asking) {
      ask();
    }
  }

  begin();
  setInterval(tick, TICK_MS);
  document.addEventListener("visibilitychange", tick);
  window.addEventListener("online", () => {
    pause = () => 0;
    tick();
  });
}

async function keepAwake() {
  try {
    await navigator.wakeLock.request("screen");
  } catch {
    // Low battery, a background tab, plain HTTP: the screen may then go dark.
  }
}

function offerFullScreen(button) {
  button.hidden = !document.fullscreenEnabled;
  button.addEventListener("click", () => {
    const going = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
    going.catch(() => {
      button.hidden = true;
    });
  });
}

function postOnce(form) {
  const button = form.querySelector("button");
  const words = button.textContent;
  form.addEventListener("submit", () => {
    button.disabled = true;
    button.textContent = form.dataset.once;
  });
  window.addEventListener("pageshow", () => {
    button.disabled = false;
    button.textContent = words;
  });
}

function each(selector, begin) {
  document.querySelectorAll(selector).forEach(begin);
}

each("[data-card-url]", (stage) => {
  rotate(stage);
  keepAwake();
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && keepAwake());
});
each("[data-full-screen]", offerFullScreen);
each("[data-once]", postOnce);
