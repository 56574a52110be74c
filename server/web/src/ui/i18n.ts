/** The interface's language and its texts: which one is chosen, loading its catalogue, and filling sentences. */

import { signal } from "@preact/signals";

export type Language = "zh-CN" | "en";
export type Values = Record<string, string | number>;

const KEY = "tongke.lang";
const LOADERS: Record<Language, () => Promise<{ default: Record<string, string> }>> = {
  "zh-CN": () => import("virtual:locale/zh-CN"),
  en: () => import("virtual:locale/en"),
};

/** Texts that one page alone needs, by language. */
export type OwnTexts = typeof LOADERS;

let own: OwnTexts | null = null;

interface Catalogue {
  language: Language;
  texts: Record<string, string>;
}

const catalogue = signal<Catalogue>({ language: "zh-CN", texts: {} });

/** The language shown now; components that read it are painted again when it changes. */
export function language(): Language {
  return catalogue.value.language;
}

function isLanguage(value: string | null): value is Language {
  return value === "zh-CN" || value === "en";
}

/** `?lang=` first, then what was chosen before; Chinese where nothing was. */
export function chosenLanguage(): Language {
  const asked = new URLSearchParams(location.search).get("lang");
  if (isLanguage(asked)) return asked;
  const remembered = remember(KEY);
  return isLanguage(remembered) ? remembered : "zh-CN";
}

/** Before the first language: this page brings texts of its own. */
export function bringTexts(texts: OwnTexts): void {
  own = texts;
}

export async function setLanguage(next: Language): Promise<void> {
  // before the catalogue is there: who goes on to the next page at once has chosen all the same
  remember(KEY, next);
  const [loaded, beside] = await Promise.all([LOADERS[next](), own?.[next]()]);
  document.documentElement.lang = next;
  catalogue.value = { language: next, texts: { ...loaded.default, ...beside?.default } };
}

/**
 * The sentence of a key in the language shown. `{name}` is replaced by a value; `{name:lesson|lessons}` by the word
 * that fits the number `name`. A key without a sentence is shown as it is: visible, never empty.
 */
export function t(key: string, values: Values = {}): string {
  const text = catalogue.value.texts[key];
  return text === undefined ? key : fill(text, values);
}

export function has(key: string): boolean {
  return key in catalogue.value.texts;
}

function fill(text: string, values: Values): string {
  return text.replace(/\{([A-Za-z_][A-Za-z0-9_]*)(?::([^|}]*)\|([^}]*))?\}/g, (whole, name: string, one?: string, many?: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    if (one === undefined) return String(value);
    return Number(value) === 1 ? one : (many ?? "");
  });
}

/** Reads or writes one small setting of this browser. Private windows may refuse: then nothing is remembered. */
export function remember(key: string, value?: string): string | null {
  try {
    if (value !== undefined) localStorage.setItem(key, value);
    return localStorage.getItem(key);
  } catch {
    return value ?? null;
  }
}
