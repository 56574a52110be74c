/** Starting a page: its styles, its language, and painting it into the shell. */

import "./tokens.css";
import "./ui.css";

import { effect } from "@preact/signals";
import { type ComponentType, render } from "preact";
import { chosenLanguage, language, setLanguage, t } from "./i18n";

/** Paints `Page` as soon as the language is there. `title` is a key of the catalogue. */
export async function mount(Page: ComponentType, title: string): Promise<void> {
  const root = document.getElementById("app");
  if (root === null) throw new Error("the shell has no element #app");
  await setLanguage(chosenLanguage());
  effect(() => {
    language();
    document.title = `${t(title)} · ${t("brand")}`;
  });
  render(<Page />, root);
}
