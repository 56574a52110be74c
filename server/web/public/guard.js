// Nobody stands before a wall panel to load its page again. Where a part of it was lost on the way, so that nothing is
// painted, the whole page is asked for once more; what has come by then is in the browser's store. It stands alone and
// first, because it must run where the rest does not.
(() => {
  // longer than the slowest village's line takes for the page
  const PATIENCE = 45_000;
  const SOON = 3_000;
  const painted = () => document.getElementById("app")?.hasChildNodes() ?? false;
  const again = async () => {
    if (painted()) return;
    try {
      // a page that cannot be had leaves the browser's own error on the wall
      if ((await fetch(location.href, { cache: "no-store" })).ok && !painted()) location.reload();
    } catch {
      // the line is down: the next look will tell
    }
  };
  setInterval(again, PATIENCE);
  addEventListener(
    "error",
    (event) => {
      if (event.target instanceof HTMLScriptElement && !painted()) setInterval(again, SOON);
    },
    true,
  );
})();
