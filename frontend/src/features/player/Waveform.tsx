import { useEffect, useRef, useState } from "react";
import type WaveSurfer from "wavesurfer.js";

import { useTheme } from "@/lib/theme";

interface WaveformProps {
  audio: HTMLAudioElement;
  seconds: number;
  peaks: () => Promise<number[]>;
  spectrogram: boolean;
  onSeek: () => void;
  onReady: () => void;
  onFailed: () => void;
}

const HEIGHT = 72;
const SPECTROGRAM_HEIGHT = 128;
/** For its spectrogram a song is decoded at a rate that keeps a long one's samples under about 60 MB. */
const LONG_SECONDS = 240;
const SAMPLE_RATE_HZ = { short: 22_050, long: 11_025 };

/** A token's colour as the canvas needs it: resolved for the theme in force. */
function colourOf(token: string, element: HTMLElement): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function coloursFor(element: HTMLElement) {
  return {
    waveColor: colourOf("--color-edge", element),
    progressColor: colourOf("--color-hot", element),
    cursorColor: colourOf("--color-text", element),
  };
}

/**
 * The song's shape, drawn by wavesurfer.js, which is loaded when the first one is shown. The shape comes from the server,
 * so that a song of ten minutes costs a page no more than a short one; only its spectrogram needs the song itself.
 */
export function Waveform({ audio, seconds, peaks, spectrogram, onSeek, onReady, onFailed }: WaveformProps) {
  const container = useRef<HTMLDivElement>(null);
  const [wave, setWave] = useState<WaveSurfer | null>(null);
  const callbacks = useRef({ peaks, onSeek, onReady, onFailed });
  useEffect(() => {
    callbacks.current = { peaks, onSeek, onReady, onFailed };
  });

  useEffect(() => {
    let surfer: WaveSurfer | null = null;
    let gone = false;
    const draw = async (element: HTMLElement) => {
      const [{ default: WaveSurfer }, shape] = await Promise.all([import("wavesurfer.js"), callbacks.current.peaks()]);
      if (gone) return;
      surfer = WaveSurfer.create({
        container: element,
        media: audio,
        peaks: [shape],
        duration: seconds,
        height: HEIGHT,
        barWidth: 3,
        barGap: 2,
        barRadius: 2,
        barMinHeight: 2,
        normalize: true,
        dragToSeek: true,
        sampleRate: seconds > LONG_SECONDS ? SAMPLE_RATE_HZ.long : SAMPLE_RATE_HZ.short,
        ...coloursFor(element),
      });
      surfer.on("interaction", () => callbacks.current.onSeek());
      surfer.on("decode", () => callbacks.current.onReady());
      setWave(surfer);
    };
    if (container.current) draw(container.current).catch(() => !gone && callbacks.current.onFailed());
    return () => {
      gone = true;
      surfer?.destroy();
      setWave(null);
    };
  }, [audio, seconds]);

  const theme = useTheme();
  useEffect(() => {
    const element = container.current;
    if (!wave || !element) return;
    const repaint = () => wave.setOptions(coloursFor(element));
    const system = matchMedia("(prefers-color-scheme: dark)");
    repaint();
    system.addEventListener("change", repaint);
    return () => system.removeEventListener("change", repaint);
  }, [wave, theme]);

  useEffect(() => {
    if (!wave || !spectrogram) return;
    let remove: (() => void) | null = null;
    let gone = false;
    const draw = async () => {
      const [{ default: Spectrogram }] = await Promise.all([import("wavesurfer.js/plugins/spectrogram"), wave.load(audio.src)]);
      if (gone) return;
      const plugin = wave.registerPlugin(
        Spectrogram.create({ height: SPECTROGRAM_HEIGHT, fftSamples: 512, labels: false, colorMap: "roseus" }),
      );
      remove = () => plugin.destroy();
    };
    // A song that cannot be fetched whole keeps the shape it had.
    const keepShape = async () => gone || wave.load(audio.src, [await callbacks.current.peaks()], seconds);
    draw().catch(keepShape).catch(() => gone || callbacks.current.onFailed());
    return () => {
      gone = true;
      remove?.();
    };
  }, [wave, audio, seconds, spectrogram]);

  return <div ref={container} style={{ minHeight: HEIGHT + (spectrogram ? SPECTROGRAM_HEIGHT : 0) }} />;
}
