/** The build: one HTML shell per page, one catalogue per language, and code that Chrome 87 runs. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const catalogues = resolve(here, "../../config/locale");
const LOCALE = "virtual:locale/";

/** The texts of a language are spread over files by part (`zh-CN.json`, `classroom.zh-CN.json`): the pages load one. */
function locales(): Plugin {
  const files = (language: string) =>
    readdirSync(catalogues)
      .filter((name) => name === `${language}.json` || name.endsWith(`.${language}.json`))
      .sort();
  return {
    name: "tongke-locales",
    resolveId: (id) => (id.startsWith(LOCALE) ? `\0${id}` : undefined),
    load(id) {
      if (!id.startsWith(`\0${LOCALE}`)) return undefined;
      const texts: Record<string, string> = {};
      for (const name of files(id.slice(LOCALE.length + 1))) {
        const path = join(catalogues, name);
        this.addWatchFile(path);
        for (const [key, text] of Object.entries(JSON.parse(readFileSync(path, "utf-8")) as Record<string, string>)) {
          if (key in texts) this.error(`${name}: the key ${key} stands in two files`);
          texts[key] = text;
        }
      }
      return `export default ${JSON.stringify(texts)};`;
    },
  };
}

const pages = readdirSync(here).filter((name) => name.endsWith(".html"));

export default defineConfig({
  root: here,
  base: "/",
  plugins: [locales()],
  build: {
    target: "chrome87",
    cssTarget: "chrome87",
    modulePreload: { polyfill: false },
    manifest: "manifest.json",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    rollupOptions: { input: Object.fromEntries(pages.map((name) => [name.slice(0, -5), join(here, name)])) },
  },
});
