import { AudioWaveform, ChartNoAxesColumn, Pause, Play } from "lucide-react";
import { useEffect, useState, useSyncExternalStore, type KeyboardEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { IconButton } from "@/components/ui/Button";
import { clock } from "@/lib/format";

import type { Playable } from "./deck";
import { useCurrentTime, useDeck } from "./deck-context";
import { Waveform } from "./Waveform";

const STEP_SECONDS = 5;

interface TrackPlayerProps {
  song: Playable;
  /** Stands in the waveform's place until it is drawn, and where it cannot be. */
  placeholder: ReactNode;
  /** What else can be done with the track. */
  actions: ReactNode;
}

export function TrackPlayer({ song, placeholder, actions }: TrackPlayerProps) {
  const { t } = useTranslation();
  const { deck, state } = useDeck();
  const audio = useHeldAudio(song);
  const time = useCurrentTime(audio);
  const [drawn, setDrawn] = useState(false);
  const [spectrogram, setSpectrogram] = useState(false);
  const current = state.current?.key === song.key;
  const playing = current && state.playing;

  const onKeyDown = (event: KeyboardEvent) => {
    const moves: Record<string, () => void> = {
      ArrowLeft: () => deck.skip(-STEP_SECONDS, song),
      ArrowRight: () => deck.skip(STEP_SECONDS, song),
      Home: () => deck.seek(0, song),
      End: () => deck.seek(song.seconds, song),
      " ": () => deck.toggle(song),
      Enter: () => deck.toggle(song),
    };
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    move();
  };

  return (
    <div>
      <div className="flex items-start gap-4">
        <button
          type="button"
          aria-label={t(playing ? "player.pauseTrack" : "player.playTrack", { track: song.detail })}
          onClick={() => deck.toggle(song)}
          className="mt-3 grid size-12 shrink-0 place-items-center rounded-full bg-hot text-on-hot transition-colors hover:bg-hot-press"
        >
          {playing ? <Pause fill="currentColor" size={20} aria-hidden /> : <Play fill="currentColor" size={20} aria-hidden className="ml-0.5" />}
        </button>
        <div
          role="slider"
          tabIndex={0}
          aria-label={t("player.seekTrack", { track: song.detail })}
          aria-valuemin={0}
          aria-valuemax={Math.round(song.seconds)}
          aria-valuenow={Math.round(time)}
          aria-valuetext={t("player.position", { time: clock(time), total: clock(song.seconds) })}
          onKeyDown={onKeyDown}
          className="relative min-w-0 flex-1 rounded-sm"
        >
          {!drawn && <div className="pointer-events-none absolute inset-x-0 top-0">{placeholder}</div>}
          {audio && (
            <Waveform
              audio={audio}
              seconds={song.seconds}
              peaks={song.peaks}
              spectrogram={spectrogram}
              onSeek={() => void deck.play(song)}
              onReady={() => setDrawn(true)}
              onFailed={() => setDrawn(false)}
            />
          )}
        </div>
      </div>
      <div className="mt-1 flex flex-wrap items-center justify-between gap-x-4 pl-16 text-sm text-soft">
        <span>
          {clock(time)} / {clock(song.seconds)}
          {current && state.failed && <span className="ml-3 text-bad">{t("player.failed")}</span>}
        </span>
        <span className="-mr-2 flex items-center">
          <IconButton
            label={t(spectrogram ? "player.hideSpectrogram" : "player.showSpectrogram")}
            pressed={spectrogram}
            onClick={() => setSpectrogram(!spectrogram)}
          >
            {spectrogram ? <AudioWaveform size={18} aria-hidden /> : <ChartNoAxesColumn size={18} aria-hidden />}
          </IconButton>
          {actions}
        </span>
      </div>
    </div>
  );
}

function useHeldAudio(song: Playable): HTMLAudioElement | null {
  const { deck } = useDeck();
  const { key } = song;
  // The same song under a new name is the same audio.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  useEffect(() => deck.hold(song), [deck, key]);
  return useSyncExternalStore(deck.subscribe, () => deck.audioOf(key));
}
