/** The teachers' chat: what host, assistants and observers write to each other. No classroom has it. */
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ChatMessage } from "../generated/live";
import { Button } from "../ui/components";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { clockAt } from "../ui/time";
import type { Classroom } from "./classroom";
import { Undelivered } from "./parts";
import type { Room } from "./room";

const LONGEST = 500;

/** When each session's chat was last looked at, unix seconds of the server. */
const readUntil = signal<Record<string, number>>({});

/** Messages of others since the chat was last looked at. */
export function unread(room: Room): number {
  const seen = readUntil.value[room.snapshot.session] ?? 0;
  return room.snapshot.chat.filter((message) => message.at > seen && message.participant !== room.me).length;
}

/** The number that stands at the button of the chat. */
export function UnreadMark({ room }: { room: Room }) {
  const n = unread(room);
  if (n === 0) return null;
  return (
    <span class="unread" role="status" data-unread={n} aria-label={t("classroom.chat.unread", { n })}>
      {n > 99 ? "99+" : n}
    </span>
  );
}

export function ChatPanel({ classroom, room, onClose }: { classroom: Classroom; room: Room; onClose?: () => void }) {
  const messages = room.snapshot.chat;
  const list = useRef<HTMLOListElement>(null);
  const newest = messages[messages.length - 1];
  useEffect(() => {
    if (newest) readUntil.value = { ...readUntil.value, [room.snapshot.session]: newest.at };
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [newest?.id]);
  const box = useRef<HTMLElement>(null);
  // what was opened by a key is written into and closed by keys; a page of a phone is not opened to write at once
  useEffect(() => {
    if (onClose) box.current?.querySelector("input")?.focus();
  }, []);
  const leave = (event: KeyboardEvent) => {
    // while characters are being composed, Escape takes back those
    if (event.key !== "Escape" || event.isComposing || !onClose) return;
    onClose();
    document.querySelector<HTMLElement>('[data-action="chat"]')?.focus();
  };
  return (
    <section class="chat" aria-label={t("classroom.chat.title")} data-chat ref={box} onKeyDown={leave}>
      <header class="row">
        <h2 class="grow">
          {t("classroom.chat.title")}
          <span class="sm mut chat-who">{t("classroom.chat.who")}</span>
        </h2>
        {onClose && <Button kind="quiet" icon="x" label={t("act.close")} action="close-chat" onClick={onClose} />}
      </header>
      <ol class="chat-list" ref={list} aria-live="polite">
        {messages.length === 0 && <li class="chat-none mut">{t("classroom.chat.none")}</li>}
        {messages.map((message) => (
          <Message key={message.id} message={message} own={message.participant === room.me} />
        ))}
      </ol>
      <Undelivered classroom={classroom} />
      <Writing classroom={classroom} />
    </section>
  );
}

function Message({ message, own }: { message: ChatMessage; own: boolean }) {
  return (
    <li class={own ? "own" : ""} data-message={message.id}>
      <span class="xs mut">
        {own ? t("classroom.program.me") : [message.name, message.unitName].filter(Boolean).join(" · ")}
        {` ${t(`classroom.role.${message.role}`)} ${clockAt(message.at)}`}
      </span>
      <p>{message.text}</p>
    </li>
  );
}

function Writing({ classroom }: { classroom: Classroom }) {
  const [text, setText] = useState("");
  const say = (event: Event) => {
    event.preventDefault();
    if (text.trim() === "") return;
    classroom.ask({ t: "say", text: text.trim().slice(0, LONGEST) });
    setText("");
  };
  return (
    <form class="row chat-write" onSubmit={say}>
      <input
        class="input grow"
        name="say"
        value={text}
        maxLength={LONGEST}
        autocomplete="off"
        aria-label={t("classroom.chat.write")}
        placeholder={t("classroom.chat.write")}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="btn pri" data-action="say" aria-disabled={text.trim() === "" || undefined} aria-label={t("classroom.chat.send")}>
        <Icon name="send" size="sm" />
        <span class="chat-word">{t("classroom.chat.send")}</span>
      </button>
    </form>
  );
}
