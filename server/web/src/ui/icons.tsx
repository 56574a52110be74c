/** The icons: one 24 px line drawing each, as path data. */

const PATHS = {
  ban: "M3.5 12a8.5 8.5 0 1 0 17 0a8.5 8.5 0 1 0-17 0zM6 6l12 12",
  bell: "M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 21h4",
  cal: "M6 6h12a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2h-12a2 2 0 0 1-2-2v-10a2 2 0 0 1 2-2zM4 10.5h16M8 3.5v4M16 3.5v4",
  cam: "M5 6.5h8a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zM15 11l6-3.5v9L15 13",
  camoff: "M3 3l18 18M9 6.5h4a2 2 0 0 1 2 2V11l6-3.5v9M15 17.5H5a2 2 0 0 1-2-2v-7a2 2 0 0 1 1-1.7",
  check: "m5 12.5 4.5 4.5L19 7.5",
  clock: "M3.5 12a8.5 8.5 0 1 0 17 0a8.5 8.5 0 1 0-17 0zM12 7v5l3.5 2",
  copy: "M10 8h7a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2zM15 5H7a2 2 0 0 0-2 2v9",
  ded: "M3 6h9v12H3zM15 12h6m-3-3 3 3-3 3",
  doc: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
  dots: "M6 12h.01M12 12h.01M18 12h.01",
  down: "m6 9 6 6 6-6",
  download: "M12 5v11m-4.5-4.5L12 16l4.5-4.5M5 19v1h14v-1",
  ear: "M7 9a5 5 0 0 1 10 0c0 4-4 4.5-4 8a3 3 0 0 1-5.5 1.5M10 9.5a2 2 0 0 1 4 0c0 1.5-1.5 2-1.5 3",
  eraser: "M8.5 19h11M5 15.5 14 6.5l5.5 5.5-7 7h-4zM9.5 11l5.5 5.5",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM9 12a3 3 0 1 0 6 0a3 3 0 1 0-6 0z",
  flag: "M6 21V4h11l-2 4 2 4H6",
  focus: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5M9 12a3 3 0 1 0 6 0a3 3 0 1 0-6 0z",
  grip: "M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01",
  hand: "M8 12.5V6a1.5 1.5 0 0 1 3 0V11m0-6.5a1.5 1.5 0 0 1 3 0V11m0-5a1.5 1.5 0 0 1 3 0v8.5c0 4-2.5 6.5-6 6.5-3 0-4.5-1.5-6-4.5l-1.8-3.6a1.5 1.5 0 0 1 2.6-1.4L8 13",
  home: "M4 11 12 4l8 7v9H4z",
  info: "M3.5 12a8.5 8.5 0 1 0 17 0a8.5 8.5 0 1 0-17 0zM12 11v5M12 7.8v.01",
  joint: "M4 5h11v8H9l-3 3v-3H4zM18 10h2v7h-2v3l-3-3h-4",
  left: "m15 6-6 6 6 6",
  link: "M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.5-5.5l-1.5 1.5M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.5 5.5l1.5-1.5",
  linkoff: "M9 15l-2.5 2.5a3.5 3.5 0 0 1-5-5L5 9M15 9l2.5-2.5a3.5 3.5 0 0 1 5 5L19 15M8 4l1.5 3M4 8l3 1.5M16 20l-1.5-3M20 16l-3-1.5",
  load: "M12 3.5a8.5 8.5 0 1 1-8.5 8.5",
  lock: "M7 11h10a2 2 0 0 1 2 2v5a2 2 0 0 1-2 2h-10a2 2 0 0 1-2-2v-5a2 2 0 0 1 2-2zM8 11V8a4 4 0 0 1 8 0v3",
  mark: "M7 4h10v16l-5-4-5 4z",
  meet: "M8.5 12a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0zM12 3v2.5M12 18.5V21M3 12h2.5M18.5 12H21M5.6 5.6l1.8 1.8M16.6 16.6l1.8 1.8M18.4 5.6l-1.8 1.8M7.4 16.6l-1.8 1.8",
  menu: "M4 7h16M4 12h16M4 17h16",
  mic: "M12 3h0a3 3 0 0 1 3 3v5a3 3 0 0 1-3 3h-0a3 3 0 0 1-3-3v-5a3 3 0 0 1 3-3zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3",
  micoff: "M3 3l18 18M9 9V6a3 3 0 0 1 6 0v5M5.5 11.5A6.5 6.5 0 0 0 15 17.3M18.5 11.5a6 6 0 0 1-.4 2M12 18v3",
  mute: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 10l4 4M20 10l-4 4",
  net: "M3 9a13 13 0 0 1 18 0M6 12.5a8.5 8.5 0 0 1 12 0M9 16a4 4 0 0 1 6 0M12 19.3v.01",
  out: "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
  panel: "M5 4h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-14a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2zM12 17v4M8 21h8",
  pause: "M8 5.5v13M16 5.5v13",
  pen: "M4 20l1-4.5L16.5 4l3.5 3.5L8.5 19zM14 6.5l3.5 3.5",
  phone: "M6 3.5 9 4l1.5 4-2 1.8a12 12 0 0 0 5.7 5.7l1.8-2 4 1.5.5 3c0 1.5-1 2.5-2.5 2.5C10.5 20.5 3.5 13.5 3.5 6 3.5 4.5 4.5 3.5 6 3.5z",
  photo: "M4 8h4l1.5-2.5h5L16 8h4v11H4zM8.5 13a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z",
  play: "M8 5.5v13l10.5-6.5z",
  plus: "M12 5v14M5 12h14",
  print: "M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z",
  quiz: "M4 6h2M4 12h2M4 18h2M9.5 6H20M9.5 12H20M9.5 18H20",
  redo: "M16 5l4 4-4 4M20 9H10a5.5 5.5 0 0 0 0 11h3",
  right: "m9 6 6 6-6 6",
  search: "M4.5 11a6.5 6.5 0 1 0 13 0a6.5 6.5 0 1 0-13 0zM16 16l4.5 4.5",
  send: "M12 19V6m-5 5 5-5 5 5",
  stop: "M8 6h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2z",
  swap: "M4 8h14m-3-3 3 3-3 3M20 16H6m3-3-3 3 3 3",
  sync: "M5.5 4h7a2.5 2.5 0 0 1 2.5 2.5v7a2.5 2.5 0 0 1-2.5 2.5h-7a2.5 2.5 0 0 1-2.5-2.5v-7a2.5 2.5 0 0 1 2.5-2.5zM11.5 8h7a2.5 2.5 0 0 1 2.5 2.5v7a2.5 2.5 0 0 1-2.5 2.5h-7a2.5 2.5 0 0 1-2.5-2.5v-7a2.5 2.5 0 0 1 2.5-2.5z",
  timer: "M4.5 13.5a7.5 7.5 0 1 0 15 0a7.5 7.5 0 1 0-15 0zM12 9.5v4M9.5 3h5",
  trash: "M5 7h14M9.5 7V4.5h5V7M7 7l.8 12.5h8.4L17 7M10.5 10.5v5.5M13.5 10.5v5.5",
  turtle: "M4 17a8 8 0 0 1 16 0zM8 17v3M16 17v3M12 9v8",
  undo: "M8 5 4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11h-3",
  upload: "M12 16V5m-4.5 4.5L12 5l4.5 4.5M5 15v4h14v-4",
  users: "M5.5 8.5a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0zM2.5 19.5c.5-4 3-6 6.5-6s6 2 6.5 6M15.5 5.5a3.5 3.5 0 0 1 0 6M17.5 14c2.5.8 3.7 2.7 4 5.5",
  vol: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
  warn: "M12 4 2.8 20h18.4zM12 10v4.5M12 17.3v.01",
  x: "M6 6l12 12M18 6 6 18",
} as const;

/** Drawn with a heavier line: dots and bars. */
const HEAVY = new Set<string>(["dots", "grip", "pause"]);

export type IconName = keyof typeof PATHS;

export interface IconProps {
  name: IconName;
  size?: "sm" | "lg";
  spin?: boolean;
  /** Said by screen readers; absent: decoration. */
  label?: string;
}

export function Icon({ name, size, spin, label }: IconProps) {
  return (
    <svg
      class={["ic", size, spin && "spin"].filter(Boolean).join(" ")}
      viewBox="0 0 24 24"
      role={label ? "img" : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
    >
      <path d={PATHS[name]} stroke-width={HEAVY.has(name) ? 3 : undefined} />
    </svg>
  );
}

/** The mark: two bells and their overlap. */
export function Mark() {
  return (
    <svg viewBox="0 0 24 24" aria-hidden>
      <rect x="2" y="2" width="9" height="15" rx="2.5" fill="none" stroke="currentColor" stroke-width="1.8" />
      <rect x="13" y="7" width="9" height="15" rx="2.5" fill="none" stroke="currentColor" stroke-width="1.8" />
      <path d="M2 9h20v6H2z" fill="var(--k-sync-mark)" opacity=".9" />
    </svg>
  );
}

/** Bars of a line's quality, 0 to 4. */
export function Signal({ bars }: { bars: number }) {
  return (
    <svg class="ic f" viewBox="0 0 24 24" aria-hidden>
      {[0, 1, 2, 3].map((bar) => (
        <rect x={2 + bar * 5.5} y={17 - bar * 4} width="4" height={4 + bar * 4} rx="1" opacity={bar < bars ? 1 : 0.25} />
      ))}
    </svg>
  );
}
