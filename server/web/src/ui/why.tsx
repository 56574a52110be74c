/** The reasons that came with a refusal, or with an answer. */

import type { Finding } from "../generated/api";
import { Problem } from "./api";
import { findingText, isFinding } from "./findings";

export function Why({ error }: { error: unknown }) {
  return <Reasons findings={error instanceof Problem ? error.errors.filter(isFinding) : []} />;
}

export function Reasons({ findings }: { findings: readonly Finding[] }) {
  if (findings.length === 0) return null;
  return (
    <ul class="why">
      {[...new Set(findings.map(findingText))].map((sentence) => (
        <li class="sm" key={sentence}>
          {sentence}
        </li>
      ))}
    </ul>
  );
}
