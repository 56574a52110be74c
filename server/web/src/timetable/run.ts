/** A run of the solver, followed live: its newest state, and how the cost fell. */

import { signal } from "@preact/signals";
import type { BuildView, StartBuild } from "../generated/api";
import { del, get, post } from "../ui/api";
import { follow } from "../ui/follow";

export interface Run {
  view: BuildView;
  /** [seconds, cost] whenever the cost fell. */
  fall: readonly (readonly [number, number])[];
}

const KEY = "tongke.build.";

export const run = signal<Run | null>(null);
let unfollow = () => {};

const address = (id: string) => `/api/builds/${encodeURIComponent(id)}`;

function take(view: BuildView): void {
  const fall = run.value?.view.id === view.id ? run.value.fall : [];
  const last = fall[fall.length - 1];
  const fell = view.cost !== null && (last === undefined || view.cost < last[1]);
  run.value = { view, fall: fell && view.cost !== null ? [...fall, [view.seconds, view.cost]] : fall };
  if (view.state !== "running") sessionStorage.removeItem(KEY + view.community);
}

function watch(view: BuildView): void {
  unfollow();
  take(view);
  if (view.state === "running") unfollow = follow(address(view.id), take);
}

export async function startRun(community: string, body: StartBuild): Promise<void> {
  const view = await post<BuildView>(`/api/communities/${encodeURIComponent(community)}/builds`, body);
  sessionStorage.setItem(KEY + community, view.id);
  watch(view);
}

/** Stops the search; the best table so far stays. */
export async function stopRun(id: string): Promise<void> {
  take((await del<BuildView | undefined>(address(id))) ?? (await get<BuildView>(address(id))));
}

/** Takes up a run again that was started before the page was loaded anew. */
export async function resumeRun(community: string): Promise<void> {
  const id = sessionStorage.getItem(KEY + community);
  if (run.value?.view.community !== community) run.value = null;
  if (id === null || run.value !== null) return;
  try {
    watch(await get<BuildView>(address(id)));
  } catch {
    // the server was started anew since then: that run is gone
    sessionStorage.removeItem(KEY + community);
  }
}
