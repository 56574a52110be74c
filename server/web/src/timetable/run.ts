/** A run of the solver, followed live: its newest state, and how the cost fell. */

import { signal } from "@preact/signals";
import type { BuildView, Revision, StartBuild } from "../generated/api";
import { del, get, post } from "../ui/api";
import { follow } from "../ui/follow";

export interface Run {
  view: BuildView;
  /** [seconds, cost] whenever the cost fell. */
  fall: readonly (readonly [number, number])[];
}

export const run = signal<Run | null>(null);
let unfollow = () => {};

const address = (id: string) => `/api/builds/${encodeURIComponent(id)}`;

function take(view: BuildView): void {
  const fall = run.value?.view.id === view.id ? run.value.fall : [];
  const last = fall[fall.length - 1];
  const fell = view.cost !== null && (last === undefined || view.cost < last[1]);
  run.value = { view, fall: fell && view.cost !== null ? [...fall, [view.seconds, view.cost]] : fall };
}

function watch(view: BuildView): void {
  unfollow();
  take(view);
  if (view.state === "running") unfollow = follow(address(view.id), take);
}

export async function startRun(community: string, body: StartBuild): Promise<void> {
  const view = await post<BuildView>(`/api/communities/${encodeURIComponent(community)}/builds`, body);
  watch(view);
}

/** Stops the search; the best table so far stays. One that was interrupted is discarded. */
export async function stopRun(id: string): Promise<void> {
  take(await del<BuildView>(address(id)));
}

/** Makes the best table of an interrupted run the draft. */
export async function takeInterrupted(id: string, body: Revision): Promise<void> {
  take(await post<BuildView>(`${address(id)}/take`, body));
}

/** Takes up the run that is under way, whoever started it, or one that was interrupted. */
export async function resumeRun(community: string): Promise<void> {
  if (run.value?.view.community !== community) run.value = null;
  if (run.value !== null) return;
  const known = await get<BuildView[]>(`/api/communities/${encodeURIComponent(community)}/builds`);
  const found = known.find((one) => one.state === "running") ?? known.find((one) => one.state === "interrupted");
  if (found !== undefined && run.value === null) watch(found);
}
