import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Deck, type Playable } from "./deck";
import { followMediaSession } from "./media-session";

const song = (key: string): Playable => ({
  key,
  url: `http://localhost:3000/${key}.mp3`,
  name: `Song ${key}`,
  detail: "Track 1",
  href: `/song/${key}`,
  seconds: 60,
  peaks: () => Promise.resolve([0, 1, 0.5]),
});

/** The system's side, which jsdom lacks. */
class FakeMediaSession {
  metadata: { title?: string } | null = null;
  playbackState = "none";
  readonly handlers = new Map<string, ((details: object) => void) | null>();

  setActionHandler(action: string, handler: ((details: object) => void) | null): void {
    this.handlers.set(action, handler);
  }

  press(action: string, details: object = {}): void {
    this.handlers.get(action)?.(details);
  }
}

describe("the media session", () => {
  let session: FakeMediaSession;
  beforeEach(() => {
    session = new FakeMediaSession();
    vi.stubGlobal("navigator", Object.assign(Object.create(navigator) as object, { mediaSession: session }));
    vi.stubGlobal("MediaMetadata", function (this: object, data: object) {
      Object.assign(this, data);
    });
  });
  afterEach(() => vi.unstubAllGlobals());

  it("shows what plays, and its keys drive the deck", async () => {
    const deck = new Deck();
    const stop = followMediaSession(deck);
    await deck.play(song("a"));
    expect(session).toMatchObject({ playbackState: "playing", metadata: { title: "Song a", artist: "Track 1" } });
    session.press("pause");
    expect(deck.getState().playing).toBe(false);
    expect(session.playbackState).toBe("paused");
    session.press("play");
    session.press("seekto", { seekTime: 30 });
    session.press("seekforward", { seekOffset: 10 });
    session.press("seekbackward");
    expect(deck.audioOf("a")?.currentTime).toBe(30);
    session.press("stop");
    expect(session).toMatchObject({ playbackState: "none", metadata: null });
    stop();
    expect([...session.handlers.values()].every((handler) => handler === null)).toBe(true);
  });
});

describe("the deck", () => {
  it("keeps only the audio that somebody holds or hears", async () => {
    const deck = new Deck();
    const release = deck.hold(song("a"));
    expect(document.querySelectorAll("audio")).toHaveLength(1);
    await deck.play(song("b"));
    await deck.play(song("a"));
    expect(deck.audioOf("b")).toBeNull();
    release();
    expect(deck.audioOf("a")).not.toBeNull();
    deck.eject();
    expect(document.querySelectorAll("audio")).toHaveLength(0);
  });

  it("never seeks out of the song", () => {
    const deck = new Deck();
    const release = deck.hold(song("a"));
    deck.seek(1000, song("a"));
    expect(deck.audioOf("a")?.currentTime).toBe(60);
    deck.skip(-1000, song("a"));
    expect(deck.audioOf("a")?.currentTime).toBe(0);
    release();
  });

  it("loads a song again that once failed to load, and lets go of one that nobody needs", async () => {
    const load = vi.spyOn(HTMLMediaElement.prototype, "load");
    const deck = new Deck();
    const release = deck.hold(song("a"));
    const audio = deck.audioOf("a");
    if (!audio) throw new Error("A song that is held has an element.");
    await deck.play(song("a"));
    expect(load).not.toHaveBeenCalled();
    Object.defineProperty(audio, "error", { value: { code: 2 } });
    await deck.play(song("a"));
    expect(load).toHaveBeenCalledTimes(1);
    expect(deck.getState()).toMatchObject({ playing: true, failed: false });
    release();
    deck.eject();
    expect(audio.hasAttribute("src")).toBe(false);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it("says when a song cannot be played", async () => {
    vi.spyOn(HTMLMediaElement.prototype, "play").mockRejectedValue(new DOMException("No codec", "NotSupportedError"));
    const deck = new Deck();
    await deck.play(song("a"));
    expect(deck.getState()).toMatchObject({ failed: true, playing: false });
    deck.eject();
  });
});
