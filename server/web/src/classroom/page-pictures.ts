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
  /** Good for nothing once the large one is here. */
  standsIn?: boolean;
}

interface Entry {
  url: string;
  /** Held so that the browser keeps it decoded. */
  image: HTMLImageElement;
}

/** How much of the line a piece of a picture may take at a time, milliseconds: the room's messages wait behind it. */
const PIECE_MS = 250;
const FIRST_PIECE = 16 << 10;
const SMALLEST_PIECE = 8 << 10;
const LARGEST_PIECE = 1 << 20;
const KEPT = 120;
/** After the first failure, and at most: each further one doubles it. Milliseconds. */
const FIRST_AGAIN = 200;
const MOST_AGAIN = 2_000;
/** A piece that takes so long comes no more: its line is gone, and nobody has said so. Milliseconds. */
const LOST_AFTER = 10_000;
/** A busy machine decodes a picture while it is shown, after so long. Milliseconds. */
const DECODED_WITHIN = 300;
/** Pages after the open one that are fetched before they are turned to. */
const AHEAD = 2;
/** Small pictures of the other pages, for thumbs and for jumps. */
const MOST_SMALL = 40;

export class PagePictures {
  /** Counts up whenever a picture has come: views that read it are painted again. */
  readonly arrived = signal(0);
  private entries = new Map<string, Entry>();
  private wanted: PagePicture[] = [];
  /** Pictures of which the beginning is here. */
  private begun = new Map<string, Blob[]>();
  /** Pictures that are here and being decoded; the line is free for the next one. */
  private decoding = new Set<string>();
  private failures = 0;
  private busy = false;
  private piece = FIRST_PIECE;
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

  /** One piece at a time, of the picture that is needed most by then. */
  private fetchNext(): void {
    if (this.over || this.busy) return;
    const next = this.wanted.find((picture) => this.needs(picture));
    if (next !== undefined) void this.fetch(next);
  }

  private needs(picture: PagePicture): boolean {
    const key = keyOf(picture);
    if (this.entries.has(key) || this.decoding.has(key) || this.missing.has(key)) return false;
    return picture.standsIn !== true || !this.entries.has(keyOf({ ...picture, small: false }));
  }

  private async fetch(picture: PagePicture): Promise<void> {
    const key = keyOf(picture);
    this.busy = true;
    const lost = new AbortController();
    const patience = setTimeout(() => lost.abort(), LOST_AFTER);
    try {
      const begun = this.begun.get(key) ?? [];
      const from = sizeOf(begun);
      const headers = { ...seatHeaders(), Range: `bytes=${from}-${from + this.piece - 1}` };
      const response = await fetch(pageAddress(this.session, picture), {
        headers,
        credentials: "same-origin",
        signal: lost.signal,
      });
      if (response.ok) {
        const started = performance.now();
        const blob = await response.blob();
        this.measure(blob.size, performance.now() - started);
        this.add(key, response, begun, blob);
        this.failures = 0;
      } else if (response.status < 500) {
        this.missing.add(key);
        this.begun.delete(key);
        this.arrived.value++;
      }
      else this.later();
    } catch {
      // The line is down: it comes back, and with it the pages.
      this.later();
    }
    clearTimeout(patience);
    this.busy = false;
    this.fetchNext();
  }

  /** A fast line takes a page at once; on a slow one nothing else waits long. */
  private measure(bytes: number, ms: number): void {
    if (bytes < SMALLEST_PIECE / 2) return;
    const fits = Math.round((bytes / Math.max(1, ms)) * PIECE_MS);
    this.piece = Math.max(SMALLEST_PIECE, Math.min(fits, this.piece * 2, LARGEST_PIECE));
  }

  private add(key: string, response: Response, begun: Blob[], piece: Blob): void {
    // Who knows no ranges answers with the whole.
    const all = response.status === 206 ? [...begun, piece] : [piece];
    const total = response.status === 206 ? Number(response.headers.get("Content-Range")?.split("/")[1]) : piece.size;
    if (sizeOf(all) < total) {
      this.begun.set(key, all);
      return;
    }
    this.begun.delete(key);
    void this.keep(key, new Blob(all, { type: piece.type }));
  }

  private async keep(key: string, blob: Blob): Promise<void> {
    const url = URL.createObjectURL(blob);
    const image = new Image();
    image.src = url;
    this.decoding.add(key);
    // A picture that cannot be decoded, or not yet, is shown as the browser can; there is no better one.
    let slow: ReturnType<typeof setTimeout> | undefined;
    const enough = new Promise<void>((done) => (slow = setTimeout(done, DECODED_WITHIN)));
    await Promise.race([image.decode().catch(() => undefined), enough]);
    clearTimeout(slow);
    this.decoding.delete(key);
    if (this.over) return URL.revokeObjectURL(url);
    this.entries.set(key, { url, image });
    this.arrived.value++;
  }

  private later(): void {
    clearTimeout(this.timer);
    const wanted = this.wanted;
    this.wanted = [];
    const wait = Math.min(FIRST_AGAIN * 2 ** this.failures++, MOST_AGAIN);
    this.timer = setTimeout(() => {
      if (this.wanted.length === 0) this.want(wanted);
    }, wait);
  }

  private forget(): void {
    const needed = new Set(this.wanted.map(keyOf));
    for (const key of this.begun.keys()) if (!needed.has(key)) this.begun.delete(key);
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
  const both = (page: number) => [
    { version, page, small: true, standsIn: !thumbs },
    { version, page, small: false },
  ];
  const ahead = Array.from({ length: AHEAD }, (_, step) => shown.page + 1 + step);
  const near = [shown.page, ...ahead, shown.page - 1].filter(there);
  // The class waits for the open page and soon for the next one: those come small first.
  if (!thumbs) return near.flatMap((page) => (page === shown.page || page === shown.page + 1 ? both(page) : [{ version, page, small: false }]));
  const rest = pages.map((_, index) => index + 1).sort((a, b) => Math.abs(a - shown.page) - Math.abs(b - shown.page));
  return [
    ...near.flatMap(both),
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

function sizeOf(pieces: readonly Blob[]): number {
  return pieces.reduce((sum, piece) => sum + piece.size, 0);
}
