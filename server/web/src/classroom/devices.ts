/**
 * Which camera, microphone and loudspeaker this browser uses. This module owns the choices, kept by id and by name (an
 * id changes when a browser forgets its data), and finding the chosen device among those that are plugged in.
 */
import { remember } from "../ui/i18n";

/** What a device is used for. */
export type Use = "mic" | "teacher" | "pupils" | "speaker";

export interface Chosen {
  id: string;
  label: string;
}

/** A device, none on purpose, or whichever the browser offers. */
export type Choice = Chosen | "off" | null;

const KEY = "tongke.use.";

export function choiceOf(use: Use): Choice {
  const kept = remember(KEY + use);
  if (kept === "off") return "off";
  try {
    const { id, label } = JSON.parse(kept ?? "") as Partial<Chosen>;
    return typeof id === "string" && typeof label === "string" ? { id, label } : null;
  } catch {
    return null;
  }
}

export function choose(use: Use, choice: Choice): void {
  remember(KEY + use, choice === null ? "" : choice === "off" ? "off" : JSON.stringify(choice));
}

const KINDS: Record<Use, MediaDeviceKind> = { mic: "audioinput", teacher: "videoinput", pupils: "videoinput", speaker: "audiooutput" };

/** The devices for a use, as far as the browser names them before it was allowed to use any. */
export function fitting(devices: readonly MediaDeviceInfo[], use: Use): MediaDeviceInfo[] {
  return devices.filter((device) => device.kind === KINDS[use] && device.deviceId !== "");
}

/** The chosen device, where it is plugged in: by its id, otherwise by its name. */
export function find(devices: readonly MediaDeviceInfo[], use: Use): MediaDeviceInfo | undefined {
  const choice = choiceOf(use);
  if (choice === null || choice === "off") return undefined;
  const all = fitting(devices, use);
  return all.find((d) => d.deviceId === choice.id) ?? all.find((d) => d.label !== "" && d.label === choice.label);
}

/** Everything that is plugged in; nothing where the browser gives a page no devices. */
export async function plugged(): Promise<MediaDeviceInfo[]> {
  try {
    return (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  } catch {
    return [];
  }
}

/** Calls back whenever a device comes or goes, or the browser is told to allow one; returns what ends it. */
export function onDevices(changed: () => void): () => void {
  navigator.mediaDevices?.addEventListener("devicechange", changed);
  let over = false;
  const asked: PermissionStatus[] = [];
  for (const name of ["camera", "microphone"]) {
    // some browsers know no such permission, and say so by a TypeError
    navigator.permissions?.query({ name: name as PermissionName }).then(
      (status) => {
        if (over) return;
        asked.push(status);
        status.addEventListener("change", changed);
      },
      () => undefined,
    );
  }
  return () => {
    over = true;
    navigator.mediaDevices?.removeEventListener("devicechange", changed);
    for (const status of asked) status.removeEventListener("change", changed);
  };
}
