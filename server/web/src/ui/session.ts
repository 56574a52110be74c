/** Who is signed in on this browser, and which community the pages are about. */

import { computed, signal } from "@preact/signals";
import type { CommunityRef, Me, PersonRole } from "../generated/api";
import { get, post, Problem } from "./api";
import { remember } from "./i18n";

const COMMUNITY = "tongke.community";

export const me = signal<Me | null>(null);
const chosen = signal<string | null>(null);

/** The community of the address, else the one chosen before, else the person's own. */
export const community = computed<CommunityRef | null>(() => {
  const all = me.value?.communities ?? [];
  return all.find((one) => one.id === chosen.value) ?? all[0] ?? null;
});

/** Loads who is signed in; where nobody is, leads to the sign-in page and never returns. */
export async function requireMe(): Promise<Me> {
  try {
    const found = await get<Me>("/api/me");
    chosen.value = new URLSearchParams(location.search).get("community") ?? remember(COMMUNITY);
    me.value = found;
    return found;
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error;
    location.replace(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    return new Promise(() => {});
  }
}

export function chooseCommunity(id: string): void {
  remember(COMMUNITY, id);
  chosen.value = id;
  const address = new URL(location.href);
  if (address.searchParams.has("community")) {
    address.searchParams.set("community", id);
    history.replaceState(null, "", address);
  }
}

export async function signOut(): Promise<void> {
  await post("/api/sign-out");
  location.assign("/sign-in");
}

/** Whether one of the person's roles reaches a unit or its community. */
export function reaches(unit: string, communityId: string): boolean {
  return (me.value?.grants ?? []).some((grant) =>
    grant.unit === null && grant.community === null ? true : grant.unit === unit || grant.community === communityId,
  );
}

/** Whether the person negotiates for one of the units, or for the community. */
export function speaks(units: readonly string[], communityId: string): boolean {
  return (me.value?.grants ?? []).some((grant) =>
    grant.role === "convenor" ? grant.community === communityId : (grant.role === "academic_director" || grant.role === "principal") && grant.unit !== null && units.includes(grant.unit),
  );
}

/** Whether the person holds one of the roles anywhere. What they may do is decided by the server each time. */
export function holds(...roles: PersonRole[]): boolean {
  return me.value?.grants.some((grant) => roles.includes(grant.role)) ?? false;
}
