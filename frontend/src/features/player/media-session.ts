/** Lets the system's media keys and lock screen drive the deck. */
import type { Deck } from "./deck";

const SKIP_SECONDS = 10;

/** Ties deck and system together until the answered function is called; does nothing where there is no such API. */
export function followMediaSession(deck: Deck): () => void {
  if (!("mediaSession" in navigator)) return () => undefined;
  const session = navigator.mediaSession;
  const handlers: Partial<Record<MediaSessionAction, MediaSessionActionHandler>> = {
    play: () => deck.toggle(),
    pause: () => deck.pause(),
    stop: () => deck.eject(),
    seekbackward: ({ seekOffset }) => deck.skip(-(seekOffset ?? SKIP_SECONDS)),
    seekforward: ({ seekOffset }) => deck.skip(seekOffset ?? SKIP_SECONDS),
    seekto: ({ seekTime }) => seekTime !== undefined && deck.seek(seekTime),
  };
  const actions = Object.keys(handlers) as MediaSessionAction[];
  actions.forEach((action) => session.setActionHandler(action, handlers[action] ?? null));

  let shown: string | null = null;
  const follow = () => {
    const { current, playing } = deck.getState();
    session.playbackState = current === null ? "none" : playing ? "playing" : "paused";
    if (current?.key === shown) return;
    shown = current?.key ?? null;
    session.metadata = current && new MediaMetadata({ title: current.name, album: "Khala", artist: current.detail });
  };
  const unsubscribe = deck.subscribe(follow);
  follow();
  return () => {
    unsubscribe();
    actions.forEach((action) => session.setActionHandler(action, null));
    session.metadata = null;
    session.playbackState = "none";
  };
}
