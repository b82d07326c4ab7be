/**
 * The deck plays one song at a time, on whichever page is shown.
 *
 * Owns the audio elements: one a song that is on the deck or held by somebody who draws it. Knows nothing of React,
 * and nothing of jobs: a Playable is all it is told.
 */
import { readStored, writeStored } from "@/lib/stored";

export interface Playable {
  key: string;
  url: string;
  name: string;
  /** Which of a job's tracks it is, in words. */
  detail: string;
  /** Where its page is. */
  href: string;
  seconds: number;
  /** Its shape, 0 to 1 from the beginning to the end. */
  peaks: () => Promise<number[]>;
}

export interface DeckState {
  current: Playable | null;
  playing: boolean;
  failed: boolean;
  volume: number;
  muted: boolean;
  loop: boolean;
}

const KEY = "khala.sound";

interface Sound {
  volume: number;
  loop: boolean;
}

function readSound(value: unknown): Sound | null {
  if (typeof value !== "object" || value === null) return null;
  const volume: unknown = Reflect.get(value, "volume");
  if (typeof volume !== "number" || !(volume >= 0 && volume <= 1)) return null;
  return { volume, loop: Reflect.get(value, "loop") === true };
}

export class Deck {
  private readonly elements = new Map<string, HTMLAudioElement>();
  private readonly holders = new Map<string, number>();
  private readonly listeners = new Set<() => void>();
  private state: DeckState;

  constructor() {
    const sound = readStored(KEY, readSound) ?? { volume: 1, loop: false };
    this.state = { current: null, playing: false, failed: false, muted: false, ...sound };
  }

  readonly subscribe = (tell: () => void): (() => void) => {
    this.listeners.add(tell);
    return () => this.listeners.delete(tell);
  };

  readonly getState = (): DeckState => this.state;

  /** Keeps the song's audio element until the answered function is called and the song is off the deck. */
  hold(song: Playable): () => void {
    this.holders.set(song.key, (this.holders.get(song.key) ?? 0) + 1);
    this.elementOf(song);
    this.tell();
    return () => {
      this.holders.set(song.key, (this.holders.get(song.key) ?? 1) - 1);
      this.dropUnused(song.key);
    };
  }

  /** The audio element of a song that is held or on the deck. */
  audioOf(key: string | undefined): HTMLAudioElement | null {
    return key === undefined ? null : (this.elements.get(key) ?? null);
  }

  async play(song: Playable): Promise<void> {
    const before = this.state.current;
    const audio = this.elementOf(song);
    if (before && before.key !== song.key) this.elements.get(before.key)?.pause();
    this.change({ current: song, failed: false });
    if (before && before.key !== song.key) this.dropUnused(before.key);
    // An element that once failed to load stays as it is until it is told to load again.
    if (audio.error) audio.load();
    try {
      await audio.play();
    } catch (error) {
      // A pause that comes before the sound began is no failure.
      if (error instanceof DOMException && error.name === "AbortError") return;
      if (this.state.current?.key === song.key) this.change({ failed: true, playing: false });
    }
  }

  pause(): void {
    this.audioOf(this.state.current?.key)?.pause();
  }

  toggle(song: Playable | null = this.state.current): void {
    if (!song) return;
    if (this.state.playing && this.state.current?.key === song.key) this.pause();
    else void this.play(song);
  }

  seek(seconds: number, song: Playable | null = this.state.current): void {
    const audio = this.audioOf(song?.key);
    if (!audio || !song) return;
    const end = Number.isFinite(audio.duration) ? audio.duration : song.seconds;
    audio.currentTime = Math.min(Math.max(seconds, 0), end);
  }

  skip(seconds: number, song: Playable | null = this.state.current): void {
    this.seek((this.audioOf(song?.key)?.currentTime ?? 0) + seconds, song);
  }

  setSound(to: Partial<Pick<DeckState, "volume" | "muted" | "loop">>): void {
    this.change(to);
    this.elements.forEach((audio) => this.dress(audio));
    writeStored(KEY, { volume: this.state.volume, loop: this.state.loop });
  }

  /** Takes the song off the deck. */
  eject(key: string | undefined = this.state.current?.key): void {
    if (key === undefined || this.state.current?.key !== key) return;
    this.pause();
    this.change({ current: null, playing: false, failed: false });
    this.dropUnused(key);
  }

  private elementOf(song: Playable): HTMLAudioElement {
    const known = this.elements.get(song.key);
    if (known) return known;
    const audio = document.createElement("audio");
    audio.preload = "metadata";
    audio.src = song.url;
    audio.hidden = true;
    audio.dataset["song"] = song.key;
    this.dress(audio);
    const isCurrent = () => this.state.current?.key === song.key;
    audio.addEventListener("play", () => isCurrent() && this.change({ playing: true, failed: false }));
    audio.addEventListener("pause", () => isCurrent() && this.change({ playing: false }));
    audio.addEventListener("ended", () => isCurrent() && this.change({ playing: false }));
    audio.addEventListener("error", () => isCurrent() && this.change({ playing: false, failed: true }));
    document.body.append(audio);
    this.elements.set(song.key, audio);
    return audio;
  }

  private dress(audio: HTMLAudioElement): void {
    audio.volume = this.state.volume;
    audio.muted = this.state.muted;
    audio.loop = this.state.loop;
  }

  private dropUnused(key: string): void {
    if ((this.holders.get(key) ?? 0) > 0 || this.state.current?.key === key) return;
    const audio = this.elements.get(key);
    if (!audio) return;
    this.elements.delete(key);
    this.holders.delete(key);
    audio.pause();
    audio.removeAttribute("src");
    // Without this the browser keeps the connection and what it has loaded.
    audio.load();
    audio.remove();
  }

  private change(to: Partial<DeckState>): void {
    this.state = { ...this.state, ...to };
    this.tell();
  }

  private tell(): void {
    this.listeners.forEach((listener) => listener());
  }
}
