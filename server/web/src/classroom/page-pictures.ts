/**
 * The pictures of a lesson's pages on this machine. This module owns fetching them before they are needed, the small one
 * before the large one where it counts, so that a turned page is there at once in every room.
 */
import { signal } from "@preact/signals";
import { seatHeaders } from "../ui/api";
import type { BoardState } from "../generated/live";
import { BLANK } from "./board";

export interface PagePicture {
  version: string;
  page: number;
  small: boolean;
}

interface Entry {
  url: string;
  /** Held so that the browser keeps it decoded. */
  image: HTMLImageElement;
}

const AT_ONCE = 2;
const KEPT = 120;
const AGAIN_AFTER = 2_000;
/** Pages after the open one that are fetched before they are turned to. */
const AHEAD = 2;
/** Small pictures of the other pages, for thumbs and for jumps. */
const MOST_SMALL = 40;

export class PagePictures {
  /** Counts up whenever a picture has come: views that read it are painted again. */
  readonly arrived = signal(0);
  private entries = new Map<string, Entry>();
  private wanted: PagePicture[] = [];
  private busy = new Set<string>();
  private missing = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private over = false;

  constructor(private readonly session: string) {}

  /** The address of a picture that is here, decoded; undefined while it is not. */
  url(picture: PagePicture): string | undefined {
    return this.entries.get(keyOf(picture))?.url;
  }

  /** Whether there is no such picture any more: its material was deleted. */
  gone(picture: PagePicture): boolean {
    return this.missing.has(keyOf(picture));
  }

  /** Fetches these, the first ones first; what is not among them may be forgotten. */
  want(pictures: PagePicture[]): void {
    this.wanted = pictures;
    this.forget();
    this.fetchNext();
  }

  close(): void {
    this.over = true;
    clearTimeout(this.timer);
    for (const entry of this.entries.values()) URL.revokeObjectURL(entry.url);
    this.entries.clear();
  }

  private fetchNext(): void {
    while (!this.over && this.busy.size < AT_ONCE) {
      const next = this.wanted.find((picture) => {
        const key = keyOf(picture);
        return !this.entries.has(key) && !this.busy.has(key) && !this.missing.has(key);
      });
      if (next === undefined) return;
      void this.fetch(next);
    }
  }

  private async fetch(picture: PagePicture): Promise<void> {
    const key = keyOf(picture);
    this.busy.add(key);
    try {
      const response = await fetch(pageAddress(this.session, picture), { headers: seatHeaders(), credentials: "same-origin" });
      if (response.ok) await this.keep(key, await response.blob());
      else if (response.status < 500) {
        this.missing.add(key);
        this.arrived.value++;
      }
      else this.later();
    } catch {
      // The line is down: it comes back, and with it the pages.
      this.later();
    }
    this.busy.delete(key);
    this.fetchNext();
  }

  private async keep(key: string, blob: Blob): Promise<void> {
    const url = URL.createObjectURL(blob);
    const image = new Image();
    image.src = url;
    // A picture that cannot be decoded is shown as the browser can; there is no better one.
    await image.decode().catch(() => undefined);
    if (this.over) return URL.revokeObjectURL(url);
    this.entries.set(key, { url, image });
    this.arrived.value++;
  }

  private later(): void {
    clearTimeout(this.timer);
    const wanted = this.wanted;
    this.wanted = [];
    this.timer = setTimeout(() => {
      if (this.wanted.length === 0) this.want(wanted);
    }, AGAIN_AFTER);
  }

  private forget(): void {
    const needed = new Set(this.wanted.map(keyOf));
    for (const [key, entry] of this.entries) {
      if (this.entries.size <= KEPT) return;
      if (needed.has(key)) continue;
      URL.revokeObjectURL(entry.url);
      this.entries.delete(key);
    }
  }
}

/**
 * Which pictures this screen needs now, the most urgent first. `thumbs`: all pages are shown small beside the open one.
 * Without them as little as keeps the turns in step: a weak line has sound and pictures to carry besides.
 */
export function picturesFor({ shown, shelf }: BoardState, thumbs: boolean): PagePicture[] {
  if (shown === null || shown.material.version === BLANK) {
    // Before the lesson: the first page of everything, so that opening it is as quick as turning a page.
    const firsts = shelf.map((material) => ({ version: material.version, page: 1 }));
    return [...firsts.map((first) => ({ ...first, small: true })), ...firsts.map((first) => ({ ...first, small: false }))];
  }
  const { version, pages } = shown.material;
  const there = (page: number) => page >= 1 && page <= pages.length;
  const both = (page: number) => [true, false].map((small) => ({ version, page, small }));
  const ahead = Array.from({ length: AHEAD }, (_, step) => shown.page + 1 + step);
  const near = [shown.page, ...ahead, shown.page - 1].filter(there).flatMap(both);
  if (!thumbs) return near;
  const rest = pages.map((_, index) => index + 1).sort((a, b) => Math.abs(a - shown.page) - Math.abs(b - shown.page));
  return [
    ...near,
    ...rest.slice(0, MOST_SMALL).map((page) => ({ version, page, small: true })),
    ...shelf.map((material) => ({ version: material.version, page: 1, small: true })),
  ];
}

export function pageAddress(session: string, { version, page, small }: PagePicture): string {
  const seat = seatHeaders()["X-Tongke-Seat"];
  const query = [small && "size=small", seat !== undefined && `seat=${encodeURIComponent(seat)}`].filter(Boolean).join("&");
  return `/api/sessions/${encodeURIComponent(session)}/materials/${encodeURIComponent(version)}/pages/${page}${query && `?${query}`}`;
}

function keyOf({ version, page, small }: PagePicture): string {
  return `${version}/${page}/${small ? "small" : "large"}`;
}
