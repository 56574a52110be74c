/** The sentence of a finding, of an import or of a build, in the language shown. */

import type { Finding } from "../generated/api";
import { has, t, type Values } from "./i18n";
import { label } from "./names";
import { dayDate, longDate, shortClock, weekdayName } from "./time";

const DATE = /^\d{4}-\d{2}-\d{2}$/;
/** Often of another year than today's. */
const TERM_DATES = new Set(["first", "last", "weekOne"]);
const CLOCK = /^\d{2}:\d{2}$/;
/** What follows the sentence where the finding has that value. */
const MORE: Record<string, string> = { since: "since.bells", nearest: "import.nearest" };
/** What somebody wrote or is to write: shown letter by letter. */
const WRITTEN = new Set(["id", "nearest", "value"]);

export const isFinding = (value: unknown): value is Finding => typeof value === "object" && value !== null && "code" in value;

/** Its code where the catalogue does not know it: a newer part of the server. */
export function findingText(finding: Finding): string {
  const key = `finding.${finding.code}`;
  if (!has(key)) return finding.code;
  const values: Values = {};
  for (const [name, value] of Object.entries(finding.values ?? {})) values[name] = worded(name, value);
  const more = Object.entries(MORE).filter(([name]) => name in values);
  return [key, ...more.map(([, sentence]) => sentence)].map((one) => t(one, values)).join("");
}

function worded(name: string, value: string | number): string | number {
  if (name === "weekday" && typeof value === "number") return weekdayName(value);
  if (name === "date" && typeof value === "string" && DATE.test(value)) return dayDate(value);
  if (TERM_DATES.has(name) && typeof value === "string" && DATE.test(value)) return longDate(value);
  if (name === "start" && typeof value === "string" && CLOCK.test(value)) return shortClock(value);
  if (name === "noun" && has(`noun.${value}`)) return t(`noun.${value}`);
  if (name === "rules" && typeof value === "string") {
    const rules = value.split("、").map((rule) => (has(`rule.${rule}`) ? t(`rule.${rule}`) : rule));
    return rules.join(t("list.and"));
  }
  if (name === "ids" && typeof value === "string") return value.split("、").join(t("list.comma"));
  if (name === "kinds" && typeof value === "string") {
    const kinds = value.split(" | ").map((kind) => (has(`kind_of_value.${kind}`) ? t(`kind_of_value.${kind}`) : kind));
    return kinds.join(t("list.or"));
  }
  return typeof value === "string" && !WRITTEN.has(name) ? label(value) : value;
}
