/** The build: one HTML shell per page, one catalogue per language, and code that Chrome 87 runs. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const catalogues = resolve(here, "../../config/locale");
const LOCALE = "virtual:locale/";
/** What a page may weigh before its first paint, compressed: code, styles and the texts of one language. */
const FIRST_LOAD_BYTES = 100_000;
/** Parts of the texts that one page alone needs and loads: the others stay light without them. */
const OF_ONE_PAGE = ["consents", "report"];

/** The texts of a language are spread over files by part (`zh-CN.json`, `classroom.zh-CN.json`): the pages load one, and
 * those of a page's own beside it (`virtual:locale/consents.zh-CN`). */
function locales(): Plugin {
  const files = (language: string) =>
    readdirSync(catalogues)
      .filter((name) => name === `${language}.json` || (name.endsWith(`.${language}.json`) && !OF_ONE_PAGE.includes(name.split(".")[0] ?? "")))
      .sort();
  return {
    name: "tongke-locales",
    resolveId: (id) => (id.startsWith(LOCALE) ? `\0${id}` : undefined),
    load(id) {
      if (!id.startsWith(`\0${LOCALE}`)) return undefined;
      const texts: Record<string, string> = {};
      const wanted = id.slice(LOCALE.length + 1);
      for (const name of OF_ONE_PAGE.includes(wanted.split(".")[0] ?? "") ? [`${wanted}.json`] : files(wanted)) {
        const path = join(catalogues, name);
        this.addWatchFile(path);
        Object.assign(texts, JSON.parse(readFileSync(path, "utf-8")));
      }
      return `export default ${JSON.stringify(texts)};`;
    },
  };
}

/** Fails the build where a page has become too heavy for a village's line. */
function firstLoad(): Plugin {
  return {
    name: "tongke-first-load",
    writeBundle(_options, bundle) {
      const weigh = (name: string) => {
        const file = bundle[name];
        return file === undefined ? 0 : gzipSync(file.type === "chunk" ? file.code : file.source).length;
      };
      const texts = Math.max(0, ...Object.keys(bundle).filter((name) => /assets\/(zh-CN|en)-[^/]*\.js$/.test(name)).map(weigh));
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk" || !chunk.isEntry) continue;
        const needed = new Set<string>();
        const walk = (name: string) => {
          if (needed.has(name)) return;
          needed.add(name);
          const part = bundle[name];
          if (part?.type !== "chunk") return;
          for (const style of part.viteMetadata?.importedCss ?? []) needed.add(style);
          part.imports.forEach(walk);
        };
        walk(chunk.fileName);
        const bytes = [...needed].reduce((sum, name) => sum + weigh(name), texts);
        if (bytes > FIRST_LOAD_BYTES) this.error(`the page ${chunk.name} needs ${bytes} bytes before its first paint; ${FIRST_LOAD_BYTES} are allowed`);
        this.info(`first load of ${chunk.name}: ${(bytes / 1000).toFixed(1)} kB`);
      }
    },
  };
}

const pages = readdirSync(here).filter((name) => name.endsWith(".html"));

export default defineConfig({
  root: here,
  base: "/",
  plugins: [locales(), firstLoad()],
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
