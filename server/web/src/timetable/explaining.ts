/** The search for what could be conceded where no table exists, followed live; and conceding it. */

import { signal } from "@preact/signals";
import type { Conceded, ExplanationView } from "../generated/api";
import { del, get, post } from "../ui/api";
import { follow } from "../ui/follow";

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
  watch(view);
}

/** Stops looking; what was found stays. */
export async function stopExplaining(id: string): Promise<void> {
  explanation.value = await del<ExplanationView>(address(id));
}

/** Takes up the search that is under way, whoever started it, or one that was interrupted. */
export async function resumeExplaining(community: string): Promise<void> {
  if (explanation.value?.community !== community) forgetExplanation();
  if (explanation.value !== null) return;
  const [newest] = await get<ExplanationView[]>(`/api/communities/${encodeURIComponent(community)}/explanations`);
  if (newest !== undefined && (newest.state === "running" || newest.state === "interrupted") && explanation.value === null) watch(newest);
}

/** Makes the concession in the register; what else was found was for the register before. */
export async function concede(view: ExplanationView, number: number): Promise<void> {
  await post<Conceded>(`${address(view.id)}/concessions/${number}`);
  forgetExplanation();
}

export function forgetExplanation(): void {
  unfollow();
  explanation.value = null;
}
