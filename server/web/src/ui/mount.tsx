/** Starting a page: its styles, its language, and painting it into the shell. */

import "./tokens.css";
import "./ui.css";

import { effect } from "@preact/signals";
import { type ComponentType, render } from "preact";
import { chosenLanguage, type Language, language, setLanguage, t } from "./i18n";

/** A page whose words were lost on the way must not stay empty. */
const AGAIN_MS = 2_000;

async function loaded(wanted: Language): Promise<boolean> {
  try {
    await setLanguage(wanted);
  } catch {
    return false;
  }
  return true;
}

/** Paints `Page` as soon as the language is there. `title` is a key of the catalogue. */
export async function mount(Page: ComponentType, title: string): Promise<void> {
  const root = document.getElementById("app");
  if (root === null) throw new Error("the shell has no element #app");
  while (!(await loaded(chosenLanguage()))) await new Promise((done) => setTimeout(done, AGAIN_MS));
  effect(() => {
    language();
    document.title = `${t(title)} · ${t("brand")}`;
  });
  render(<Page />, root);
}
