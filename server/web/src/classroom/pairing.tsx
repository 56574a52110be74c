/** An unpaired panel: a code that a person confirms elsewhere, renewed before it expires. Its clock may be hours wrong. */
import { useEffect, useState } from "preact/hooks";
import type { PairingCode, PairingState } from "../generated/api";
import { explain, post, Problem } from "../ui/api";
import { t } from "../ui/i18n";
import { Qr } from "../ui/qr";
import { Icon, Mark } from "../ui/icons";
import { LanguageSwitch } from "../ui/languages";
import { WallButton } from "./wall-button";
import { takeNewBuild } from "./new-build";
import { steadyNow } from "./steady";
import { lasting, second } from "./ticker";

const POLL_EVERY = 2_000;
/** A panel's machine is up before its school's line. */
const ASK_AGAIN = 3_000;
/** A server that answers, but with a refusal, is left in peace for a while: so it is where many codes were asked for. */
const REFUSED_AGAIN = 15_000;

export function PairingPage({ paired }: { paired: () => void }) {
  const [code, setCode] = useState<PairingCode | null>(null);
  const [error, setError] = useState<unknown>();
  const [turn, setTurn] = useState(0);

  useEffect(() => {
    let over = false;
    let again: ReturnType<typeof setTimeout> | undefined;
    setError(undefined);
    const ask = async () => {
      try {
        const fresh = await post<PairingCode>("/api/pairing");
        if (over) return;
        setError(undefined);
        setCode({ ...fresh, expiresAt: steadyNow() + fresh.expiresIn });
      } catch (problem) {
        if (over) return;
        setError(problem);
        again = setTimeout(() => void ask(), problem instanceof Problem && problem.status > 0 ? REFUSED_AGAIN : ASK_AGAIN);
      }
    };
    void ask();
    return () => {
      over = true;
      clearTimeout(again);
    };
  }, [turn]);

  useEffect(() => {
    if (code === null) return undefined;
    const poll = async () => {
      try {
        const { state } = await post<PairingState>("/api/pairing/poll", { secret: code.secret });
        if (state === "confirmed") paired();
        // nobody is typing a code that is void: the moment for a newer page
        if (state === "expired" && !(await takeNewBuild(() => true))) setTurn((n) => n + 1);
      } catch (problem) {
        if (problem instanceof Problem && problem.status >= 400 && problem.status < 500 && problem.status !== 429) setTurn((n) => n + 1);
        else setError(problem);
        return;
      }
      setError(undefined);
    };
    const timer = setInterval(() => void poll(), POLL_EVERY);
    return () => clearInterval(timer);
  }, [code]);

  return (
    <div class="panel pair" data-view="pairing" data-state={code === null ? "waiting" : "offered"}>
      <header class="row">
        <span class="w48 row brandmark">
          <Mark />
          {t("brand")}
        </span>
        <span class="grow" />
        <LanguageSwitch />
      </header>
      <main class={code ? "with-qr" : ""}>
        {code && <Qr code={code.confirmQr} label={t("classroom.pairing.scan")} />}
        <h1 class="w64">{t("classroom.pairing.title")}</h1>
        <p class="w36 mut">{t("classroom.pairing.text")}</p>
        <p class="code" data-code={code?.code} aria-label={code?.code.split("").join(" ")}>
          {code === null ? "········" : code.code}
        </p>
        {code && (
          <>
            <p class="w36">
              <Icon name="link" /> {t("classroom.pairing.where")} <b>{readable(code.confirmUrl)}</b>
            </p>
            <p class="w28 mut" role="timer">
              {t("classroom.pairing.expires", { time: lasting(code.expiresAt - second.value) })}
            </p>
          </>
        )}
        {error !== undefined && (
          <p class="w36 bad" role="alert">
            {explain(error)}
          </p>
        )}
      </main>
      <footer class="row">
        <span class="w28 mut grow">{t("classroom.pairing.privacy")}</span>
        <WallButton action="new-code" onClick={() => setTurn(turn + 1)}>
          <Icon name="load" />
          {t("classroom.pairing.renew")}
        </WallButton>
      </footer>
    </div>
  );
}

/** An address that a person types: without scheme and without the code, which stands above. */
function readable(address: string): string {
  const url = new URL(address, location.href);
  return `${url.host}${url.pathname}`;
}
