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
/** Whether the server still tells how the run is. */
export const reachable = signal(true);
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
  reachable.value = true;
  take(view);
  if (view.state === "running") unfollow = follow(address(view.id), take, (can) => (reachable.value = can));
}

export async function startRun(community: string, body: StartBuild): Promise<void> {
  const view = await post<BuildView>(`/api/communities/${encodeURIComponent(community)}/builds`, body);
  watch(view);
}

/** Stops the search; the best table so far stays. */
export async function stopRun(id: string): Promise<void> {
  take(await del<BuildView>(address(id)));
}

/** Throws an interrupted run away; another one that was interrupted comes to light. */
export async function discardRun({ id, community }: BuildView): Promise<void> {
  await del<BuildView>(address(id));
  run.value = null;
  await resumeRun(community);
}

/** Makes the best table of an interrupted run the draft. */
export async function takeInterrupted(id: string, body: Revision): Promise<void> {
  take(await post<BuildView>(`${address(id)}/take`, body));
}

/** Takes up the run that is under way, whoever started it, or the best of those that were interrupted. */
export async function resumeRun(community: string): Promise<void> {
  if (run.value?.view.community !== community) run.value = null;
  if (run.value !== null) return;
  const known = await get<BuildView[]>(`/api/communities/${encodeURIComponent(community)}/builds`);
  const left = known.filter((one) => one.state === "interrupted").sort((a, b) => (a.cost ?? Infinity) - (b.cost ?? Infinity));
  const found = known.find((one) => one.state === "running") ?? left[0];
  if (found !== undefined && run.value === null) watch(found);
}
