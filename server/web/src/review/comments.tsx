/** Timed comments and their replies, and writing one. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { CommentView, NewComment, ReviewView } from "../generated/api";
import { post } from "../ui/api";
import { Button, Empty, Failure, Select, useAction } from "../ui/components";
import { remember, t } from "../ui/i18n";
import type { Playback } from "./playback";
import { initial, labelWord, LABELS, lessonTime, sideClass } from "./words";

export interface CommentsProps {
  view: ReviewView;
  playback: Playback;
  selected: string | null;
  select: (comment: string) => void;
  changed: (view: ReviewView) => void;
  /** Counts up when somebody asks to write at the present position. */
  compose: number;
}

export function Comments({ view, playback, selected, select, changed, compose }: CommentsProps) {
  const roots = view.comments.filter((comment) => comment.replyTo === null).sort((a, b) => (a.at ?? -1) - (b.at ?? -1));
  const may = view.may.includes("comment");
  return (
    <div class="pb" role="tabpanel">
      {roots.length === 0 ? (
        <Empty>{t("review.comments.none")}</Empty>
      ) : (
        <ul class="cml">
          {roots.map((comment) => (
            <Thread
              key={comment.id}
              view={view}
              comment={comment}
              replies={view.comments.filter((one) => one.replyTo === comment.id)}
              on={comment.id === selected}
              may={may}
              show={() => select(comment.id)}
              changed={changed}
            />
          ))}
        </ul>
      )}
      {may ? <Composer view={view} playback={playback} changed={changed} compose={compose} /> : <p class="xs dim">{t("review.comments.closed")}</p>}
    </div>
  );
}

interface ThreadProps {
  view: ReviewView;
  comment: CommentView;
  replies: CommentView[];
  on: boolean;
  may: boolean;
  show: () => void;
  changed: (view: ReviewView) => void;
}

function Thread({ view, comment, replies, on, may, show, changed }: ThreadProps) {
  const item = useRef<HTMLLIElement>(null);
  const [replying, setReplying] = useState(false);
  useEffect(() => {
    if (on) item.current?.scrollIntoView({ block: "nearest" });
  }, [on]);
  return (
    <li ref={item} class={`cm ${on ? "on" : ""}`} data-comment={comment.id} data-side={comment.side}>
      <div class="row">
        <b class={`av2 ${sideClass(comment.side)}`}>{initial(comment.authorName)}</b>
        <b class="grow ell">{[comment.authorName, comment.unitName].filter(Boolean).join(" · ")}</b>
        {comment.label && <span class="chip">{labelWord(comment.label)}</span>}
        {comment.at !== null && (
          <button type="button" class="tc" onClick={show}>
            {lessonTime(comment.at)}
          </button>
        )}
      </div>
      <Words of={comment} />
      {replies.map((reply) => (
        <div class="rp" key={reply.id}>
          <b class={`av2 ${sideClass(reply.side)}`}>{initial(reply.authorName)}</b>
          <p>
            <b>{reply.authorName}</b> {reply.hidden ? <span class="mut">{t("review.words_hidden")}</span> : reply.text}
          </p>
        </div>
      ))}
      {may &&
        (replying ? (
          <Reply view={view} to={comment.id} changed={changed} done={() => setReplying(false)} />
        ) : (
          <button type="button" class="link xs" data-action="reply" onClick={() => setReplying(true)}>
            {t("review.comments.reply")}
          </button>
        ))}
    </li>
  );
}

function Words({ of }: { of: CommentView }) {
  return of.hidden ? <p class="mut">{t("review.words_hidden")}</p> : <p>{of.text}</p>;
}

function Reply({ view, to, changed, done }: { view: ReviewView; to: string; changed: (view: ReviewView) => void; done: () => void }) {
  const [text, setText] = useState("");
  const action = useAction();
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  const send = () =>
    action.run(async () => {
      changed(await post<ReviewView>(`/api/reviews/${encodeURIComponent(view.row.id)}/comments`, { text: text.trim(), replyTo: to } satisfies NewComment));
      done();
    });
  return (
    <div class="cmp reply">
      <textarea ref={field} rows={2} value={text} aria-label={t("review.comments.reply")} onInput={(event) => setText(event.currentTarget.value)} />
      <Failure error={action.error} />
      <div class="row">
        <span class="grow" />
        <Button small kind="quiet" onClick={done}>
          {t("act.cancel")}
        </Button>
        <Button small kind="pri" action="add-reply" busy={action.busy} disabled={text.trim() === ""} onClick={send}>
          {t("review.comments.reply")}
        </Button>
      </div>
    </div>
  );
}

interface ComposerProps {
  view: ReviewView;
  playback: Playback;
  changed: (view: ReviewView) => void;
  compose: number;
}

function Composer({ view, playback, changed, compose }: ComposerProps) {
  const draft = `tongke.comment.${view.row.id}`;
  const [text, setText] = useState(() => remember(draft) ?? "");
  const [label, setLabel] = useState("");
  /** Held from the first letter on, so that the place does not run away while somebody writes. */
  const [held, setHeld] = useState<number | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const action = useAction();
  useEffect(() => {
    if (compose === 0) return;
    setHeld(playback.moment.value.position);
    field.current?.focus();
  }, [compose]);
  const at = held ?? playback.moment.value.position;
  const write = (next: string) => {
    if (held === null && next !== "") setHeld(playback.moment.value.position);
    if (next === "") setHeld(null);
    setText(next);
    remember(draft, next);
  };
  const send = () =>
    action.run(async () => {
      const body: NewComment = { text: text.trim(), at: Math.round(at * 10) / 10, label };
      changed(await post<ReviewView>(`/api/reviews/${encodeURIComponent(view.row.id)}/comments`, body));
      write("");
      setLabel("");
    });
  return (
    <div class="cmp">
      <div class="row">
        <b class="tc">{lessonTime(at)}</b>
        <Select
          label={t("review.comments.label")}
          hideLabel
          value={label}
          choices={[{ value: "", label: t("review.comments.no_label") }, ...LABELS.map((value) => ({ value, label: labelWord(value) }))]}
          onChange={setLabel}
        />
        <span class="grow" />
        <kbd class="kbd">C</kbd>
      </div>
      <textarea
        ref={field}
        name="comment"
        rows={3}
        value={text}
        maxLength={2000}
        placeholder={t("review.comments.placeholder")}
        aria-label={t("review.comments.write")}
        onInput={(event) => write(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && text.trim() !== "" && !action.busy) send();
        }}
      />
      <Failure error={action.error} />
      <div class="row">
        <span class="xs dim grow">{t("review.comments.seen")}</span>
        <Button small kind="pri" action="add-comment" busy={action.busy} disabled={text.trim() === ""} onClick={send}>
          {t("review.comments.send")}
        </Button>
      </div>
    </div>
  );
}
