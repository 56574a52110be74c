/** The running second that countdowns are painted by. */
import { signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Room } from "./room";
import { steadyNow } from "./steady";

/** Unix seconds of this page's steady clock, a new value every second. */
export const second = signal(steadyNow());
setInterval(() => {
  second.value = steadyNow();
}, 1000);

/** Whether something has been so for as many seconds: what heals by itself at once is not worth a word. */
export function useLasted(so: boolean, seconds: number): boolean {
  const since = useRef<number | null>(null);
  if (!so) since.current = null;
  else since.current ??= second.value;
  return since.current !== null && second.value - since.current >= seconds;
}

/** The server's time, as far as this page knows it. */
export function serverNow(room: Room | null): number {
  return second.value + (room?.clockOffset ?? 0);
}

/** Seconds for which a timer that ran out still says 0:00. */
const RUN_OUT_SHOWS = 30;

/** Seconds left of the lesson's timer; none: there is no timer, or it has been over for a while. */
export function timerLeft(room: Room): number | null {
  const { timerUntil } = room.snapshot;
  const left = timerUntil === null ? null : timerUntil - serverNow(room);
  return left === null || left < -RUN_OUT_SHOWS ? null : Math.max(0, left);
}

/** "17:12" of seconds; "1:02:03" from an hour on. Never negative. */
export function lasting(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${two(whole % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
