/** This module owns the name of a tab. */
import { hexId } from "./connection";

const DEVICE = "tongke.device";

/** The name of this tab, the same after a reload, so that a return replaces the old socket. */
export function deviceId(): string {
  const fresh = hexId();
  try {
    const known = sessionStorage.getItem(DEVICE);
    if (known) return known;
    sessionStorage.setItem(DEVICE, fresh);
  } catch {
    // Without storage a reload is another device.
  }
  return fresh;
}
