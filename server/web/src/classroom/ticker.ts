/** The running second that countdowns are painted by. */
import { signal } from "@preact/signals";
import type { Room } from "./room";

/** Unix seconds of this machine, a new value every second. */
export const second = signal(Date.now() / 1000);
setInterval(() => {
  second.value = Date.now() / 1000;
}, 1000);

/** The server's time, as far as this page knows it. */
export function serverNow(room: Room | null): number {
  return second.value + (room?.clockOffset ?? 0);
}

/** "17:12" of seconds; "1:02:03" from an hour on. Never negative. */
export function lasting(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${two(whole % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
