/** This module owns finding the review of a session that has ended. */
import type { SessionRow } from "../generated/api";
import { get, Problem } from "../ui/api";

const ATTEMPTS = 5;
const BETWEEN = 1_000;

/** The review opens with the end; a server under load may need a moment to say so. Null where none is found. */
export async function openedReview(session: string): Promise<string | null> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const { review } = await get<SessionRow>(`/api/sessions/${encodeURIComponent(session)}`);
      if (review !== null) return review;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return null;
    }
    await new Promise((done) => setTimeout(done, BETWEEN));
  }
  return null;
}
