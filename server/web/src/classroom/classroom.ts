/**
 * One page's part in one live session. This module owns the order of things: joining, the room's state, publishing and
 * watching, reporting the line, and leaving. Views read its signals and call its methods.
 */
import { batch, signal } from "@preact/signals";
import type { JoinReply } from "../generated/api";
import type { Participant, Role, ServerMessage } from "../generated/live";
import { post, Problem } from "../ui/api";
import { Capture, type Fault, type Plan, PLANS } from "./capture";
import { type Command, CommandError, Connection, hexId, JoinRefused, type Phase, type Wish } from "./connection";
import { deviceId } from "./device-id";
import { DeviceReport } from "./device-report";
import { InStep, ServerClock } from "./in-step";
import { LineReport } from "./line";
import type { PathState } from "./path";
import { Publisher, type Sent } from "./publisher";
import { Subscriber } from "./subscriber";
import { Drawing } from "./drawing";
import { PagePictures, picturesFor } from "./page-pictures";
import { listensOnly, next, recordedUnheard, type Room, self } from "./room";
import { openedReview } from "./review";
import { openScreen } from "./screen";
import { steadyNow } from "./steady";
import { View } from "./view";
import { ROLES_THAT_WATCH, wanted } from "./watching";

export interface Line {
  phase: Phase;
  reason: string;
  /** Unix seconds of this page's steady clock. */
  downSince: number | null;
  /** A command has waited for more than two seconds. */
  unsent: boolean;
  pending: Command[];
}

export interface Media {
  /** By track id. */
  received: Map<string, MediaStream>;
  local: Map<Sent, MediaStream>;
  microphone: Fault | null;
  camera: Fault | null;
  publishing: PathState;
  watching: PathState;
  /** The browser plays no sound before somebody touches the page. */
  silenced: boolean;
  /** Ids of tracks that this browser cannot play. */
  unplayable: ReadonlySet<string>;
}

const REPORT_EVERY = 2_000;
/** Who wants to go does not wait for a line that has just failed. */
const LEAVES_WITHIN = 1_500;
const REFUSAL_MS = 12_000;

export class Classroom {
  readonly room = signal<Room | null>(null);
  readonly line = signal<Line>({ phase: "connecting", reason: "", downSince: null, unsent: false, pending: [] });
  readonly media = signal<Media>({
    received: new Map(),
    local: new Map(),
    microphone: null,
    camera: null,
    publishing: "idle",
    watching: "idle",
    silenced: false,
    unplayable: new Set(),
  });
  /** The newest refusal, for a line of words; gone with the next command, or once it has been there to be read. */
  readonly refusal = signal<CommandError | null>(null);
  /** This machine's cameras and microphone, once it is known that they are wanted. */
  readonly devices = signal<Capture | null>(null);
  readonly joined = signal<JoinReply | null>(null);
  readonly pages: PagePictures;
  readonly drawing = new Drawing((wish) => this.tell(wish), hexId);
  /** The review of this session, known after its end. */
  readonly review = signal<string | null>(null);

  private readonly connection: Connection;
  private publisher: Publisher | null = null;
  private subscriber: Subscriber | null = null;
  private streams = new Map<string, MediaStream>();
  private report: ReturnType<typeof setInterval> | undefined;
  private lineReport = new LineReport();
  private readonly deviceReport: DeviceReport;
  private readonly clock = new ServerClock();
  private readonly inStep = new InStep(this.clock, (message) => this.receive(message));
  private readonly view = new View((heights) => this.connection.tell({ t: "view", heights }));
  private screen: MediaStreamTrack | null = null;
  /** A person is asked by the browser which screen to show. */
  private choosingScreen = false;
  private epoch: number | null = null;
  private over = false;

  constructor(
    readonly session: string,
    private readonly as: string | null = null,
    private readonly invitation = "",
  ) {
    this.pages = new PagePictures(session);
    const json = new URLSearchParams(location.search).get("wire") === "json";
    this.connection = new Connection(
      () => this.join(),
      deviceId(),
      { changed: () => this.showLine(), received: (message) => this.hear(message) },
      undefined,
      { json },
    );
    this.deviceReport = new DeviceReport(this.connection);
  }

  start(): void {
    this.connection.start();
    this.report = setInterval(() => {
      this.askTime();
      void this.reportLine();
    }, REPORT_EVERY);
    this.view.start();
    addEventListener("online", this.retry);
    addEventListener("pagehide", this.onHide);
  }

  /** Leaves without asking: the page goes elsewhere. */
  stop(): void {
    this.end();
    this.connection.stop();
  }

  /** Leaves with a word to the others, as far as the line carries one. */
  async leave(): Promise<void> {
    const told = this.connection.phase === "connected" ? this.tell({ t: "leave" }) : Promise.resolve(false);
    await Promise.race([told, new Promise((done) => setTimeout(done, LEAVES_WITHIN))]);
    this.stop();
  }

  readonly retry = (): void => this.connection.retryNow();

  /** What a person asked for. The outcome shows in the room; a refusal shows in `refusal`. */
  ask(wish: Wish): void {
    this.refusal.value = null;
    void this.tell(wish);
  }

  /** Like `ask`; resolves to whether the server did it. */
  async tell(wish: Wish): Promise<boolean> {
    try {
      await this.connection.request(wish);
      return true;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      if (error.code !== "disconnected") this.refuse(error);
      return false;
    }
  }

  private refuse(refusal: CommandError): void {
    this.refusal.value = refusal;
    setTimeout(() => {
      if (this.refusal.value === refusal) this.refusal.value = null;
    }, REFUSAL_MS);
  }

  /** Asks the browser again for what was denied or missing. */
  async openDevices(): Promise<void> {
    await this.devices.value?.open();
  }

  swapCameras(): void {
    this.devices.value?.swap();
  }

  /** Lets another picture of a room stand for it. */
  selectSource(participant: Participant, source: string): void {
    if (source === "teacher" || source === "pupils" || source === "screen" || source === "room") this.ask({ t: "select_source", participant: participant.id, source });
  }

  /** Shows this machine's screen to all, or its camera again. */
  async shareScreen(): Promise<void> {
    if (this.choosingScreen) return;
    if (this.screen !== null) {
      this.stopScreen();
      return;
    }
    this.refusal.value = null;
    let track: MediaStreamTrack | null;
    this.choosingScreen = true;
    try {
      track = await openScreen(() => this.stopScreen());
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      this.refuse(error);
      return;
    } finally {
      this.choosingScreen = false;
    }
    if (track === null) return;
    if (this.over || track.readyState === "ended") {
      track.stop();
      return;
    }
    this.screen = track;
    this.showMedia();
    await this.publish();
    // it may have been taken back while the server was being told
    if (this.screen === track) this.ask({ t: "select_source", source: "screen" });
  }

  private stopScreen(): void {
    if (this.screen === null) return;
    this.screen.stop();
    this.screen = null;
    this.showMedia();
    if (this.over) return;
    const me = this.room.value && self(this.room.value);
    if (me?.source === "screen") this.ask({ t: "select_source", source: me.role === "host" ? "teacher" : "pupils" });
    void this.publish();
  }

  private async publish(): Promise<void> {
    const tracks = new Map<Sent, MediaStreamTrack>(this.devices.value?.tracks ?? []);
    if (this.screen !== null) tracks.set("screen", this.screen);
    await this.publisher?.send(tracks);
  }

  /** A sound element could not start, or now could. */
  setSilenced(silenced: boolean): void {
    if (this.media.value.silenced !== silenced) this.media.value = { ...this.media.value, silenced };
  }

  private async join(): Promise<JoinReply> {
    const query = this.as ? `?as=${encodeURIComponent(this.as)}` : "";
    try {
      const reply = await post<JoinReply>(`/api/sessions/${encodeURIComponent(this.session)}/join${query}`, { invitation: this.invitation });
      this.joined.value = reply;
      return reply;
    } catch (error) {
      if (error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 429) throw new JoinRefused(error.code);
      throw error;
    }
  }

  private hear(message: ServerMessage): void {
    if (message.t === "time_told") {
      this.clock.told(message);
      if (this.clock.fresh) this.askTime();
      return;
    }
    this.inStep.take(message, this.room.value !== null && this.room.value.role !== "host");
    if (message.t !== "welcome" && message.t !== "resumed") return;
    this.clock.moved();
    this.askTime();
  }

  private askTime(): void {
    this.connection.tell(this.clock.question());
  }

  private receive(message: ServerMessage): void {
    const before = this.room.value;
    const after = next(before, message, steadyNow());
    this.room.value = after;
    if (message.t === "welcome" || message.t === "resumed") {
      const fresh = this.epoch !== null && this.epoch !== message.epoch;
      this.epoch = message.epoch;
      this.prepare(message.role);
      this.view.reset();
      this.deviceReport.forget();
      this.deviceReport.tell(this.devices.value);
      this.publisher?.recover(fresh);
      this.subscriber?.recover(fresh);
    }
    if (message.t === "sending") {
      this.publisher?.limit(message.limits);
      this.publisher?.speak(message.codec);
    }
    if (after === null) return;
    if (before?.tracks !== after.tracks || before.snapshot.participants !== after.snapshot.participants) this.watch(after);
    if (before?.snapshot.board !== after.snapshot.board) this.pages.want(picturesFor(after.snapshot.board, after.role === "host"));
    this.obeyMute(after);
    if (after.snapshot.state === "ended" || (message.t === "closing" && message.code === "ended")) this.end();
  }

  /** Once the role is known: what to publish and whether to watch. */
  private prepare(role: Role): void {
    if (this.over) return;
    const iceServers = (this.joined.value?.iceServers ?? []).map((server) => ({ ...server }));
    this.publisher?.relay(iceServers);
    this.subscriber?.relay(iceServers);
    const door = { request: (wish: Wish) => this.connection.request(wish), changed: () => this.showMedia() };
    const plan = PLANS[role];
    const listens = this.room.value !== null && listensOnly(this.room.value, self(this.room.value));
    if (plan && this.devices.value === null) void this.openCapture({ ...plan, listens }, door, iceServers);
    if (ROLES_THAT_WATCH.includes(role) && this.subscriber === null) this.subscriber = new Subscriber(door, iceServers);
  }

  private async openCapture(plan: Plan, door: ConstructorParameters<typeof Publisher>[0], iceServers: RTCIceServer[]): Promise<void> {
    const capture = new Capture(plan, () => {
      if (this.room.value) this.obeyMute(this.room.value);
      this.showMedia();
      this.deviceReport.tell(this.devices.value);
      void this.publish();
    });
    this.devices.value = capture;
    this.publisher = new Publisher(door, iceServers);
    capture.watch();
    await capture.open();
  }

  private watch(room: Room): void {
    this.subscriber?.want(wanted(room));
  }

  private obeyMute(room: Room): void {
    const mic = this.devices.value?.tracks.get("mic");
    const me = self(room);
    // The server keeps a muted room from the others. The review needs both sides, so a recorded class stays audible to it.
    if (mic && me) mic.enabled = !me.muted || recordedUnheard(me);
  }

  private end(): void {
    if (this.over) return;
    this.over = true;
    this.inStep.flush();
    clearInterval(this.report);
    this.pages.close();
    this.view.stop();
    this.stopScreen();
    removeEventListener("online", this.retry);
    removeEventListener("pagehide", this.onHide);
    this.publisher?.close();
    this.subscriber?.close();
    this.devices.value?.close();
    this.devices.value = this.publisher = this.subscriber = null;
    this.showMedia();
    void this.findReview();
  }

  private async findReview(): Promise<void> {
    const known = this.room.value?.snapshot;
    this.review.value = known?.review ?? (known?.state === "ended" ? await openedReview(this.session) : null);
  }

  private async reportLine(): Promise<void> {
    if (this.connection.phase !== "connected" || this.subscriber === null) return;
    const [received, sent] = await Promise.all([this.subscriber.stats(), this.publisher?.stats() ?? null]);
    if (received === null && sent === null) return;
    this.connection.tell(this.lineReport.next(received, sent));
  }

  private showLine(): void {
    const { phase, reason, downSince, unsent, pending } = this.connection;
    this.line.value = {
      phase,
      reason,
      downSince: downSince === null ? null : downSince / 1000,
      unsent,
      pending: pending.map((entry) => entry.message),
    };
    if (phase === "closed") this.end();
  }

  private showMedia(): void {
    const received = new Map<string, MediaStream>();
    for (const [id, track] of this.subscriber?.received ?? []) received.set(id, this.streamOf(track));
    const local = new Map<Sent, MediaStream>();
    if (this.screen !== null) local.set("screen", this.streamOf(this.screen));
    for (const [source, track] of this.devices.value?.tracks ?? []) local.set(source, this.streamOf(track));
    batch(() => {
      this.media.value = {
        ...this.media.value,
        received,
        local,
        microphone: this.devices.value?.microphone ?? null,
        camera: this.devices.value?.camera ?? null,
        publishing: this.publisher?.state ?? "idle",
        watching: this.subscriber?.state ?? "idle",
        unplayable: this.subscriber?.unplayable ?? new Set(),
      };
    });
  }

  /** The same stream object for the same track: a video element keeps playing over repaints. */
  private streamOf(track: MediaStreamTrack): MediaStream {
    const known = this.streams.get(track.id);
    if (known) return known;
    const stream = new MediaStream([track]);
    this.streams.set(track.id, stream);
    return stream;
  }

  private readonly onHide = (): void => this.stop();
}
