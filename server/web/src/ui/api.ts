/** Talking to the server: JSON in and out, and problems with a stable code that becomes a sentence. */

import { findingText, isFinding } from "./findings";
import { has, t, type Values } from "./i18n";

/** A refusal of the server (RFC 9457), or `unreachable` when no answer came. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail = "",
    readonly values: Values = {},
    readonly errors: readonly unknown[] = [],
  ) {
    super(`${status} ${code} ${detail}`.trim());
    this.name = "Problem";
  }
}

export type Method = "GET" | "POST" | "PUT" | "DELETE";

export interface CallOptions {
  body?: unknown;
  /** Sent as it is, such as files of a form. */
  form?: FormData;
  signal?: AbortSignal;
}

export async function call<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
  const text = await (await answer(method, path, options)).text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** Fetches a file and hands it to the browser to keep, under the name that the server gives it. */
export async function save(path: string): Promise<void> {
  const response = await answer("GET", path, {});
  const name = /filename\*=UTF-8''([^;]+)/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? "";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = decodeURIComponent(name);
  link.click();
  // the browser has taken what it saves by then
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Opens a document of the server as a page of its own and sends it to the printer. To be called by a click. */
export function print(path: string): void {
  const seat = seatHeaders()["X-Tongke-Seat"];
  const page = open(seat === undefined ? path : `${path}&seat=${encodeURIComponent(seat)}`, "_blank");
  page?.addEventListener("load", () => page.print());
}

async function answer(method: Method, path: string, options: CallOptions): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json", ...seatHeaders() };
  if (method !== "GET") headers["X-Tongke"] = "1";
  let body: BodyInit | undefined = options.form;
  if (options.body !== undefined) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(options.body);
  }
  let response: Response;
  try {
    response = await fetch(path, { method, headers, body, signal: options.signal, credentials: "same-origin" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, "unreachable");
  }
  if (!response.ok) throw problemOf(response.status, await response.text());
  return response;
}

/**
 * Which of several sign-ins of this browser the tab uses: named by its first address, kept while the tab is open. On a
 * demonstration the host and all classrooms sit side by side in the tabs of one browser.
 */
export function seatHeaders(): Record<string, string> {
  let seat = new URLSearchParams(location.search).get("seat");
  try {
    if (seat !== null) sessionStorage.setItem("tongke.seat", seat);
    else seat = sessionStorage.getItem("tongke.seat");
  } catch {
    // without storage the address alone names the seat
  }
  return seat === null || seat === "" ? {} : { "X-Tongke-Seat": seat };
}

export const get = <T>(path: string, signal?: AbortSignal) => call<T>("GET", path, { signal });
export const post = <T>(path: string, body?: unknown) => call<T>("POST", path, { body });
export const put = <T>(path: string, body: unknown) => call<T>("PUT", path, { body });
export const del = <T = void>(path: string) => call<T>("DELETE", path);

/** The problem in an answer. */
export function problemOf(status: number, text: string): Problem {
  try {
    const { code, detail, errors, fields } = JSON.parse(text) as Record<string, unknown>;
    const values: Values = {};
    for (const [name, value] of Object.entries(fields ?? {})) {
      if (typeof value === "string" || typeof value === "number") values[name] = value;
    }
    return new Problem(
      status,
      typeof code === "string" ? code : "unknown",
      typeof detail === "string" ? detail : "",
      values,
      Array.isArray(errors) ? errors : [],
    );
  } catch {
    return new Problem(status, status >= 500 ? "internal_error" : "unknown");
  }
}

/** What happened, in the language shown. */
export function explain(error: unknown): string {
  if (!(error instanceof Problem)) return t("error.unknown");
  const [fault] = error.errors;
  if (error.code === "invalid_body" && isFinding(fault)) return t("error.invalid_body", { detail: `${fault.field ?? ""} ${findingText(fault)}`.trim() });
  const key = `error.${error.code}`;
  if (has(key)) return t(key, { ...error.values, detail: error.detail });
  return error.detail || t("error.unknown");
}

/** The small code shown beside a sentence, for the person who is asked for help. */
export function codeOf(error: unknown): string {
  return error instanceof Problem ? error.code : "unknown";
}
