/** The choice of the interface's language. */
import { type Language, language, setLanguage } from "./i18n";

export function LanguageSwitch() {
  const choose = (next: Language) => void setLanguage(next);
  return (
    <div class="langs" role="group" aria-label="语言 Language">
      <button type="button" lang="zh-CN" aria-pressed={language() === "zh-CN"} onClick={() => choose("zh-CN")}>
        中文
      </button>
      <button type="button" lang="en" aria-pressed={language() === "en"} onClick={() => choose("en")}>
        EN
      </button>
    </div>
  );
}
