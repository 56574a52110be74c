/** Signing in: two fields, one button, and back to where the person wanted to go. */

import "./sign-in.css";

import { useState } from "preact/hooks";
import type { Me, SignIn } from "../generated/api";
import { post } from "../ui/api";
import { Button, Failure, Field, useAction } from "../ui/components";
import { Mark } from "../ui/icons";
import { t } from "../ui/i18n";
import { mount } from "../ui/mount";
import { LanguageSwitch } from "../ui/languages";

/** Only a path of this site: an address from outside is not followed. */
function nextPage(): string {
  const next = new URLSearchParams(location.search).get("next") ?? "/";
  const address = new URL(next, location.origin);
  return address.origin === location.origin && next.startsWith("/") ? address.pathname + address.search : "/";
}

function SignInPage() {
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const { busy, error, run } = useAction();
  const submit = () =>
    run(async () => {
      const body: SignIn = { login: login.trim(), password };
      await post<Me>("/api/sign-in", body);
      location.assign(nextPage());
    });
  return (
    <main class="door">
      <form
        class="card door-card"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy && login.trim() && password) submit();
        }}
      >
        <div class="row">
          <span class="brand grow">
            <Mark />
            {t("brand")}
          </span>
          <LanguageSwitch />
        </div>
        <p class="mut">{t("sign_in.lead")}</p>
        <Failure error={error} />
        <Field label={t("sign_in.login")}>
          <input class="input" name="login" autocomplete="username" autoFocus required value={login} onInput={(event) => setLogin(event.currentTarget.value)} />
        </Field>
        <Field label={t("sign_in.password")}>
          <input
            class="input"
            name="password"
            type="password"
            autocomplete="current-password"
            required
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </Field>
        <Button kind="pri" submit busy={busy}>
          {t("sign_in.submit")}
        </Button>
        <p class="xs dim">{t("sign_in.help")}</p>
      </form>
    </main>
  );
}

void mount(SignInPage, "sign_in.title");
