/** What is left of a review that a page has already once the server says that less may be shown. Pure. */
import type { ReviewShown, ReviewView } from "../generated/api";

/** Whether the server shows something else than the view has. */
export function differs(view: ReviewView, shown: ReviewShown): boolean {
  return view.watching !== shown.watching || view.hiddenUnits.join() !== shown.hiddenUnits.join() || view.hiddenWords.join() !== shown.hiddenWords.join();
}

/** The view without what may not be shown any more. What may be shown again comes with the next look. */
export function masked(view: ReviewView, shown: ReviewShown | null): ReviewView {
  if (shown === null || !differs(view, shown)) return view;
  const hidden = new Set(shown.hiddenUnits);
  return {
    ...view,
    watching: shown.watching,
    views: view.views.map((track) => {
      const gone = hidden.has(track.unit);
      if (!gone) return shown.watching === "yes" ? track : { ...track, segments: [] };
      return { ...track, segments: [], talk: [], consent: false, withdrawn: track.withdrawn || track.consent };
    }),
  };
}
