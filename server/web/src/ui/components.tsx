/** The parts every page is made of: buttons, chips, tabs, notes, and the three states of loading. */

import type { ComponentChildren, TargetedKeyboardEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { codeOf, explain } from "./api";
import { t } from "./i18n";
import { Icon, type IconName } from "./icons";
import { clockAt } from "./time";

const join = (...names: (string | false | undefined)[]) => names.filter(Boolean).join(" ");

export interface ButtonProps {
  children?: ComponentChildren;
  kind?: "pri" | "bad" | "quiet";
  small?: boolean;
  grow?: boolean;
  icon?: IconName;
  /** Stable name for programs outside, such as `agree`. */
  action?: string;
  busy?: boolean;
  disabled?: boolean;
  submit?: boolean;
  /** Required where there are no words. */
  label?: string;
  onClick?: () => void;
}

/** A button. While busy it cannot be pressed again; a disabled one stays focusable, so that its reason can be read. */
export function Button(props: ButtonProps) {
  const { children, kind, small, grow, icon, action, busy, disabled, submit, label, onClick } = props;
  const dead = busy || disabled;
  return (
    <button
      type={submit ? "submit" : "button"}
      class={join("btn", kind, small && "s", grow && "grow", children === undefined && "icon")}
      data-action={action}
      aria-busy={busy ? "true" : undefined}
      aria-disabled={disabled ? "true" : undefined}
      aria-label={label}
      title={children === undefined ? label : undefined}
      onClick={(event) => {
        if (dead) event.preventDefault();
        else onClick?.();
      }}
    >
      {busy ? <Icon name="load" size="sm" spin /> : icon && <Icon name={icon} size={children === undefined ? undefined : "sm"} />}
      {children}
    </button>
  );
}

export interface LinkButtonProps {
  href: string;
  children: ComponentChildren;
  kind?: "pri" | "quiet";
  small?: boolean;
  icon?: IconName;
  action?: string;
}

export function LinkButton({ href, children, kind, small, icon, action }: LinkButtonProps) {
  return (
    <a class={join("btn", kind, small && "s")} href={href} data-action={action}>
      {icon && <Icon name={icon} size="sm" />}
      {children}
    </a>
  );
}

/** Runs an action of a button: busy while it runs, and the error it met. */
export function useAction(): { busy: boolean; error: unknown; run: (action: () => Promise<void>) => void; clear: () => void } {
  const [state, setState] = useState<{ busy: boolean; error?: unknown }>({ busy: false });
  return {
    busy: state.busy,
    error: state.error,
    clear: () => setState({ busy: false }),
    run: (action) => {
      setState({ busy: true });
      action().then(
        () => setState({ busy: false }),
        (error: unknown) => setState({ busy: false, error }),
      );
    },
  };
}

// Chips ---------------------------------------------------------------------------------------------------------------

const KINDS: Record<string, { tone: string; icon: IconName }> = {
  local: { tone: "k-local", icon: "home" },
  sync: { tone: "k-sync", icon: "sync" },
  dedicated: { tone: "k-ded", icon: "ded" },
  joint_preparation: { tone: "k-joint", icon: "joint" },
  joint_meeting: { tone: "k-joint", icon: "meet" },
  common_test: { tone: "k-joint", icon: "doc" },
  research: { tone: "k-joint", icon: "joint" },
};
const PLAIN = { tone: "k-local", icon: "doc" as IconName };

/** The colour class and the icon of a lesson's kind. */
export function kindOf(kind: string): { tone: string; icon: IconName } {
  return KINDS[kind] ?? PLAIN;
}

export function KindChip({ kind }: { kind: string }) {
  const { tone, icon } = kindOf(kind);
  return (
    <span class={`chip ${tone}`}>
      <Icon name={icon} size="sm" />
      {t(`kind.${kind}`)}
    </span>
  );
}

export interface StateChipProps {
  /** One of the outline styles of `.st`. */
  tone: string;
  icon?: IconName;
  children: ComponentChildren;
}

export function StateChip({ tone, icon, children }: StateChipProps) {
  return (
    <span class={`st ${tone}`}>
      {icon && <Icon name={icon} size="sm" spin={icon === "load"} />}
      {children}
    </span>
  );
}

export function LiveDot() {
  return <i class="live-dot" />;
}

// Choosing ------------------------------------------------------------------------------------------------------------

export interface Choice<T extends string> {
  value: T;
  label: string;
  icon?: IconName;
  count?: number;
}

export interface ChoiceProps<T extends string> {
  label: string;
  choices: readonly Choice<T>[];
  value: T;
  onChange: (value: T) => void;
}

/** One tab stop; arrows choose the neighbour. */
function step<T extends string>({ choices, value, onChange }: ChoiceProps<T>, event: TargetedKeyboardEvent<HTMLElement>): void {
  const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (move === undefined) return;
  event.preventDefault();
  const at = choices.findIndex((choice) => choice.value === value);
  const next = choices[(at + move + choices.length) % choices.length];
  if (next === undefined) return;
  onChange(next.value);
  const buttons = event.currentTarget.querySelectorAll<HTMLElement>("button");
  buttons[choices.indexOf(next)]?.focus();
}

/** A few exclusive views side by side. */
export function Segmented<T extends string>(props: ChoiceProps<T>) {
  return (
    <div class="seg-ctl" role="radiogroup" aria-label={props.label} onKeyDown={(event) => step(props, event)}>
      {props.choices.map((choice) => (
        <button
          type="button"
          role="radio"
          aria-checked={choice.value === props.value}
          tabIndex={choice.value === props.value ? 0 : -1}
          data-value={choice.value}
          onClick={() => props.onChange(choice.value)}
        >
          {choice.icon && <Icon name={choice.icon} size="sm" />}
          {choice.label}
        </button>
      ))}
    </div>
  );
}

export function Tabs<T extends string>(props: ChoiceProps<T>) {
  return (
    <div class="tabs" role="tablist" aria-label={props.label} onKeyDown={(event) => step(props, event)}>
      {props.choices.map((choice) => (
        <button
          type="button"
          role="tab"
          aria-selected={choice.value === props.value}
          tabIndex={choice.value === props.value ? 0 : -1}
          data-value={choice.value}
          onClick={() => props.onChange(choice.value)}
        >
          {choice.label}
          {choice.count !== undefined && <b class="count bad">{choice.count}</b>}
        </button>
      ))}
    </div>
  );
}

export interface SelectProps {
  /** Shown before the value, and its name for screen readers. */
  label: string;
  hideLabel?: boolean;
  value: string;
  choices: readonly { value: string; label: string; group?: string }[];
  onChange: (value: string) => void;
}

/** The browser's own list in our frame: it works on every panel and phone. */
export function Select({ label, hideLabel, value, choices, onChange }: SelectProps) {
  const groups = [...new Set(choices.map((choice) => choice.group))];
  const options = (group: string | undefined) =>
    choices.filter((choice) => choice.group === group).map((choice) => <option value={choice.value}>{choice.label}</option>);
  return (
    <label class="sel">
      <span class={hideLabel ? "sr" : "k"}>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {groups.map((group) => (group === undefined ? options(group) : <optgroup label={group}>{options(group)}</optgroup>))}
      </select>
      <Icon name="down" size="sm" />
    </label>
  );
}

export interface FieldProps {
  label: string;
  hint?: string;
  /** Two columns of a grid of fields. */
  wide?: boolean;
  children: ComponentChildren;
}

export function Field({ label, hint, wide, children }: FieldProps) {
  return (
    <label class={join("field", wide && "wide")}>
      <span class="field-label">{label}</span>
      {children}
      {hint && <span class="xs dim">{hint}</span>}
    </label>
  );
}

// Saying --------------------------------------------------------------------------------------------------------------

const NOTE_ICONS: Record<string, IconName> = { warn: "warn", bad: "warn", ok: "check", info: "info" };

export interface NoteProps {
  tone: "warn" | "bad" | "ok" | "info";
  children: ComponentChildren;
}

export function Note({ tone, children }: NoteProps) {
  return (
    <div class={`note ${tone}`} role={tone === "bad" ? "alert" : "status"}>
      <Icon name={NOTE_ICONS[tone] ?? "info"} size="sm" />
      <div class="grow">{children}</div>
    </div>
  );
}

/** What happened and what to do; the code small. Nothing where there is no error. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  if (error === undefined) return null;
  return (
    <Note tone="bad">
      <span>{explain(error)}</span> <code class="xs">{codeOf(error)}</code>
      {retry && (
        <div class="note-act">
          <Button small onClick={retry}>
            {t("act.retry")}
          </Button>
        </div>
      )}
    </Note>
  );
}

/** The data is older than it should be: say so and keep showing it. */
export function Stale({ at, error, retry }: { at: number; error: unknown; retry: () => void }) {
  if (error === undefined) return null;
  return (
    <Note tone="warn">
      {t("load.stale", { time: clockAt(at) })} {explain(error)}{" "}
      <button type="button" class="link" onClick={retry}>
        {t("act.retry")}
      </button>
    </Note>
  );
}

/** One sentence and one action. */
export function Empty({ children, action }: { children: ComponentChildren; action?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="mut">{children}</p>
      {action}
    </div>
  );
}

/** Grey lines where the content will be. */
export function Skeleton({ lines = 4 }: { lines?: number }) {
  return (
    <div class="skel" role="status" aria-label={t("load.loading")}>
      {Array.from({ length: lines }, (_, line) => (
        <i key={line} />
      ))}
    </div>
  );
}

// Over the page -------------------------------------------------------------------------------------------------------

export interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  /** For something to be looked at. */
  wide?: boolean;
}

/** A modal dialog; focus returns to what opened it (the browser does that). */
export function Dialog({ title, onClose, children, wide }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  const opener = useRef(document.activeElement);
  useEffect(() => {
    box.current?.showModal();
    return () => {
      if (opener.current instanceof HTMLElement) opener.current.focus();
    };
  }, []);
  return (
    <dialog ref={box} class={wide ? "dialog wide" : "dialog"} aria-label={title} onClose={onClose}>
      <div class="row dialog-head">
        <h2 class="grow">{title}</h2>
        <Button kind="quiet" icon="x" label={t("act.close")} onClick={onClose} />
      </div>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}

export interface MenuProps {
  class?: string;
  label: string;
  button: ComponentChildren;
  children: ComponentChildren;
}

/** A button that opens a small list below itself; Escape, a choice or a press elsewhere closes it. */
export function Menu(props: MenuProps) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return undefined;
    const away = (event: Event) => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [open]);
  return (
    <div
      class="menu"
      ref={root}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        setOpen(false);
        root.current?.querySelector("button")?.focus();
      }}
    >
      <button type="button" class={props.class} aria-label={props.label} aria-expanded={open} onClick={() => setOpen(!open)}>
        {props.button}
      </button>
      {open && (
        <div class="menu-list" onClick={() => setOpen(false)}>
          {props.children}
        </div>
      )}
    </div>
  );
}
