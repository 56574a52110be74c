/**
 * A panel stays open for months, while its server is renewed. This module owns noticing that the server hands out
 * another page than this one, and changing over to it without leaving the wall dark in between.
 */

const PARTS = 'script[src], link[rel="modulepreload"], link[rel="stylesheet"]';
const TAKEN = "tongke.build";

/** The code and styles that a page names. */
function partsOf(page: Document): string[] {
  const parts = Array.from(page.querySelectorAll(PARTS), (part) => part.getAttribute("src") ?? part.getAttribute("href") ?? "");
  return parts.sort();
}

/** As the server handed this page out: what is loaded later adds to the document. */
const own = partsOf(document).join(" ");

/**
 * Loads this page again where the server has another build of it by now, all of which has been fetched by then: a line
 * that fails in between leaves everything as it is. `mayLeave` is asked before anything is fetched, and again before
 * the page goes. False: there is none, or it cannot be had yet.
 */
export async function takeNewBuild(mayLeave: () => boolean): Promise<boolean> {
  if (!mayLeave()) return false;
  try {
    const answer = await fetch(location.href, { cache: "no-cache", credentials: "same-origin" });
    if (!answer.ok) return false;
    const parts = partsOf(new DOMParser().parseFromString(await answer.text(), "text/html"));
    const build = parts.join(" ");
    // something on the way that keeps old pages must not make the wall blink for ever
    if (parts.length === 0 || build === own || sessionStorage.getItem(TAKEN) === build) return false;
    for (const part of parts) if (!(await fetch(part, { credentials: "same-origin" })).ok) return false;
    if (!mayLeave()) return false;
    sessionStorage.setItem(TAKEN, build);
  } catch {
    // Nobody answers, or there is no storage to tell a second time from the first.
    return false;
  }
  location.reload();
  return true;
}
