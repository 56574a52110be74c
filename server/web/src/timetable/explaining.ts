/** The search for what could be conceded where no table exists, followed live; and conceding it. */

import { signal } from "@preact/signals";
import type { Conceded, ExplanationView } from "../generated/api";
import { del, get, post } from "../ui/api";
import { follow } from "../ui/follow";

const KEY = "tongke.explanation.";
/** The verified ones come in seconds and the sweep ends within a minute; a busy server needs longer. */
const SECONDS = 180;

export const explanation = signal<ExplanationView | null>(null);
let unfollow = () => {};

const address = (id: string) => `/api/explanations/${encodeURIComponent(id)}`;

function watch(view: ExplanationView): void {
  unfollow();
  explanation.value = view;
  if (view.state === "running") unfollow = follow<ExplanationView>(address(view.id), (next) => (explanation.value = next));
}

export async function startExplaining(community: string): Promise<void> {
  const view = await post<ExplanationView>(`/api/communities/${encodeURIComponent(community)}/explanations`, { seconds: SECONDS });
  sessionStorage.setItem(KEY + community, view.id);
  watch(view);
}

/** Stops looking; what was found stays. */
export async function stopExplaining(id: string): Promise<void> {
  explanation.value = await del<ExplanationView>(address(id));
}

/** Takes up a search again that was started before the page was loaded anew. */
export async function resumeExplaining(community: string): Promise<void> {
  if (explanation.value?.community !== community) forgetExplanation();
  const id = sessionStorage.getItem(KEY + community);
  if (id === null || explanation.value !== null) return;
  try {
    watch(await get<ExplanationView>(address(id)));
  } catch {
    // the server was started anew since then: that search is gone
    sessionStorage.removeItem(KEY + community);
  }
}

/** Makes the concession in the register; what else was found was for the register before. */
export async function concede(view: ExplanationView, number: number): Promise<void> {
  await post<Conceded>(`${address(view.id)}/concessions/${number}`);
  sessionStorage.removeItem(KEY + view.community);
  forgetExplanation();
}

export function forgetExplanation(): void {
  unfollow();
  explanation.value = null;
}
