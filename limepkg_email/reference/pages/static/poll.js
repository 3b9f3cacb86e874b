// Asks again and again while somebody looks, the less often the longer nothing happens.

const _QUICK = 3_000;
const _SLOW = 45_000;

/**
 * Call `look` until the page goes; it tells whether anything was new, or "soon" for what is about
 * to happen. `now()` asks at once and begins to ask quickly again.
 */
export function poll(look, quick = _QUICK, slow = _SLOW) {
  let pause = quick;
  let timer = 0;
  let busy = false;

  async function turn() {
    clearTimeout(timer);
    if (document.hidden || busy) return;
    busy = true;
    try {
      const news = await look();
      pause = news === "soon" ? quick / 2 : news ? quick : Math.min(pause * 1.4, slow);
    } catch {
      pause = Math.min(pause * 2, slow);
    } finally {
      busy = false;
    }
    timer = setTimeout(turn, pause);
  }

  function now() {
    pause = quick;
    return turn();
  }

  document.addEventListener("visibilitychange", () => document.hidden || now());
  addEventListener("focus", () => pause > quick * 2 && now());
  addEventListener("online", now);
  timer = setTimeout(turn, pause);
  return { now };
}
