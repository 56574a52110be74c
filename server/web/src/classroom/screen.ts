/**
 * This machine's screen as a third picture of its room. This module owns asking for it and noticing its end, which the
 * browser's own bar may bring at any time.
 */

import { CommandError } from "./connection";

/** A screen is read, not watched: sharp before smooth. */
export const SCREEN = { width: 1920, height: 1080, frameRate: 8, maxBitrate: 1_200_000 };

export function canShareScreen(): boolean {
  return typeof navigator.mediaDevices?.getDisplayMedia === "function";
}

/** The screen, window or tab that a person picks; null when nothing was picked. `ended`: it is shared no more. Throws
 * CommandError where the machine does not let it be read. */
export async function openScreen(ended: () => void): Promise<MediaStreamTrack | null> {
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getDisplayMedia({
      video: { width: { max: SCREEN.width }, height: { max: SCREEN.height }, frameRate: { max: SCREEN.frameRate } },
      audio: false,
    });
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    if (isNothingPicked(error)) return null;
    throw new CommandError("screen_unreadable");
  }
  const track = stream.getVideoTracks()[0] ?? null;
  if (track === null) return null;
  track.contentHint = "detail";
  track.addEventListener("ended", ended);
  return track;
}

/** A system that lets no browser read the screen is told by the same name as a person's change of mind. */
function isNothingPicked(error: DOMException): boolean {
  return error.name === "AbortError" || (error.name === "NotAllowedError" && !/system/i.test(error.message));
}
